import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from model.data.idx import read_idx
from model.errors import DataError
from tests.model.tiny import idx

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
PLAIN = idx(IMAGES)
SHA256 = hashlib.sha256(PLAIN).hexdigest()


def read(folder: Path, content: bytes, *, dimensions: int = 3) -> np.ndarray:
    path = folder / "images"
    path.write_bytes(content)
    return read_idx(path, dimensions=dimensions, sha256=SHA256)


@pytest.mark.parametrize("content", [PLAIN, gzip.compress(PLAIN)], ids=["plain", "zipped"])
def test_a_file_is_read_zipped_or_not(tmp_path: Path, content: bytes) -> None:
    np.testing.assert_array_equal(read(tmp_path, content), IMAGES)


def test_what_is_read_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        read(tmp_path, PLAIN)[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("content", "dimensions", "complaint"),
    [
        (b"", 3, "is empty; .* starts with 00 00 08 03"),
        (b"<!DOCTYPE html>", 3, "starts with 3c 21 44 4f; .* starts with 00 00 08 03"),
        (b"\0\0\x0d\3" + PLAIN[4:], 3, "starts with 00 00 0d 03; .* of unsigned bytes"),
        (PLAIN, 1, "starts with 00 00 08 03; .* in 1 dimensions starts with 00 00 08 01"),
        (PLAIN[:9], 3, "ends within its header, after 9 bytes"),
        (PLAIN[:-1], 3, "has 39 bytes; its header promises 2 x 3 x 4 items, which makes 40"),
        (PLAIN + b"\0", 3, "has 41 bytes; its header promises 2 x 3 x 4 items, which makes 40"),
        (PLAIN[:-1] + b"\0", 3, f"not the published file: .* {SHA256}"),
        (gzip.compress(PLAIN)[:-9], 3, "damaged or incomplete gzip file"),
        (gzip.compress(PLAIN)[:-9] + b"\0" * 9, 3, "damaged or incomplete gzip file"),
        (gzip.compress(PLAIN) + b"more", 3, "damaged or incomplete gzip file"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_by_name_with_what_was_found(
    tmp_path: Path, content: bytes, dimensions: int, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint) as refusal:
        read(tmp_path, content, dimensions=dimensions)
    assert str(refusal.value).startswith(str(tmp_path / "images"))


def test_a_file_that_promises_more_than_any_memory_is_refused(tmp_path: Path) -> None:
    huge = b"\0\0\x08\3" + b"\xff" * 12
    with pytest.raises(DataError, match="has 16 bytes; its header promises 4294967295 x"):
        read(tmp_path, huge)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_idx(tmp_path, dimensions=3, sha256=SHA256)
