"""IDX, the format of the MNIST files: a big-endian header, then the items of the array.

    00 00 | type of the items | number of dimensions | one uint32 a dimension | items, row-major

Source: http://yann.lecun.com/exdb/mnist/, "FILE FORMATS FOR THE MNIST DATABASE".
"""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from model.errors import DataError

UNSIGNED_BYTE = 0x08
GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path, *, dimensions: int, sha256: str | None) -> UInt8[np.ndarray, "..."]:
    """Read an IDX file of unsigned bytes, zipped or not, whatever its suffix.

    Args:
        path: The file.
        dimensions: How many axes it must have: 3 for images, 1 for labels.
        sha256: Hash of its unzipped bytes, which does not depend on who zipped it; None if the
            content is not known in advance.

    Returns:
        A read-only array of the shape that the header states.

    Raises:
        DataError: The file is missing or unreadable, its gzip stream is damaged, it is not an IDX
            file of unsigned bytes with these dimensions and the length that its header states, or
            its bytes do not have the hash `sha256`.
    """
    content = _unzip(path)
    magic = bytes((0, 0, UNSIGNED_BYTE, dimensions))
    if content[:4] != magic:
        found = f"starts with {content[:4].hex(' ')}" if content else "is empty"
        raise DataError(
            f"{path} {found}; an IDX file of unsigned bytes in {dimensions} dimensions starts "
            f"with {magic.hex(' ')}."
        )
    header_length = 4 + 4 * dimensions
    if len(content) < header_length:
        raise DataError(f"{path} ends within its header, after {len(content)} bytes.")
    shape = struct.unpack_from(f">{dimensions}I", content, offset=4)
    length = header_length + math.prod(shape)
    if len(content) != length:
        raise DataError(
            f"{path} has {len(content)} bytes; its header promises "
            f"{' x '.join(map(str, shape))} items, which makes {length}."
        )
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise DataError(
            f"{path} is not the published file: its unzipped bytes have SHA-256 {found}, "
            f"those of the published file {sha256}."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header_length).reshape(shape)


def pack_idx(array: UInt8[np.ndarray, "..."]) -> bytes:
    """Return the IDX file of an array of unsigned bytes, not zipped."""
    head = struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return head + array.tobytes()


def _unzip(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is a damaged or incomplete gzip file: {error}.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
