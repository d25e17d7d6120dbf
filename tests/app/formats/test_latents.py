import io

import numpy as np
import pytest

from app.errors import InvalidRequest
from app.formats.latents import read_latents, read_npy
from model.engine import Engine


def test_rows_of_numbers_become_float32_latents_in_their_order(engine: Engine) -> None:
    latents = read_latents([[0, 1.5], [-2.0, 3]], engine.card)
    assert latents.dtype == np.float32
    assert latents.tolist() == [[0, 1.5], [-2, 3]]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ([1.0] * 20, "has 20 numbers; mnist-vae-2d takes 2"),
        ([], "has 0 numbers"),
        ([float("nan"), 0], "holds NaN"),
        ([float("inf"), 0], "has the length inf; at most 10000"),
        ([0, -10_001], "has the length 10001; at most 10000"),
        ([9000, 9000], "at most 10000"),
        ([10**400, 0], "has the length inf"),
        (["1", "2"], "is not a list of numbers"),
        ([True, False], "is not a list of numbers"),
        ([None, 0], "is not a list of numbers"),
        ([[1, 2], 0], "is not a list of numbers"),
        ("12", "is not a list of numbers"),
        ({"0": 1, "1": 2}, "is not a list of numbers"),
        (7, "is not a list of numbers"),
    ],
)
def test_a_row_that_is_no_latent_is_named_with_its_fault(
    engine: Engine, row: object, fault: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_latents([[0, 0], row], engine.card)
    assert refusal.value.detail.startswith("latents[1] ")
    assert fault in refusal.value.detail
    assert refusal.value.detail.endswith("See GET /api/v1/models/mnist-vae-2d")
    assert refusal.value.errors == [{"pointer": "#/latents/1", "detail": refusal.value.detail}]


def test_a_latent_is_taken_up_to_the_limit_of_its_length(engine: Engine) -> None:
    assert read_latents([[10_000, 0], [-6000, 8000]], engine.card).shape == (2, 2)


def npy(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


@pytest.mark.parametrize("numbers", ["<f2", "<f4", ">f4", "<f8", "<i8", "u1"])
def test_a_numpy_file_becomes_float32_latents(engine: Engine, numbers: str) -> None:
    latents = read_npy(npy(np.array([[0, 1], [2, 3], [4, 5]], numbers)), 3, engine.card)
    assert latents.dtype == np.float32
    assert latents.flags.c_contiguous
    assert latents.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_an_array_that_lies_by_columns_is_read_as_it_is_meant(engine: Engine) -> None:
    meant = np.array([[0, 1], [2, 3], [4, 5]], np.float32)
    latents = read_npy(npy(np.asfortranarray(meant)), 4, engine.card)
    assert latents.flags.c_contiguous
    assert latents.tolist() == meant.tolist()


HEAD = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"


def crafted(head: str, body: bytes = bytes(8)) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + body


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "does not begin"),
        (b"\x93NUMPY\x01", "does not begin"),
        (b'{"latents": [[0, 0]]}', "does not begin"),
        (npy(np.zeros((1, 2), np.float32), (2, 0)), "does not begin"),
        (crafted(HEAD + " " * 1000), "does not begin"),
        (crafted(HEAD[:-9]), "head cannot be read"),
        (crafted("(" * 500), "head cannot be read"),
        (crafted("-" * 900), "head cannot be read"),
        (crafted("{'descr': '<f4', 'shape': (1, 2), }"), "head cannot be read"),
        (crafted(HEAD, bytes(7)), "longer or shorter"),
        (crafted(HEAD, bytes(9)), "longer or shorter"),
        (crafted(HEAD.replace("(1, 2)", f"({2**60}, 2)")), "longer or shorter"),
        (crafted(HEAD.replace("(1, 2)", "(-1, -2)")), "no array of 2 dimensions"),
        (npy(np.zeros((0, 2), np.float32)), "N from 1 to 4"),
        (npy(np.zeros((5, 2), np.float32)), "N from 1 to 4"),
        (npy(np.zeros((1, 20), np.float32)), "has the shape (1, 20)"),
        (npy(np.zeros(2, np.float32)), "no array of 2 dimensions"),
        (npy(np.zeros((1, 2), bool)), "whole numbers or floats"),
        (npy(np.zeros((1, 2), complex)), "whole numbers or floats"),
        (npy(np.array([["1", "2"]])), "whole numbers or floats"),
        (crafted(HEAD.replace("<f4", "|O")), "whole numbers or floats"),
        (crafted(HEAD.replace("(1, 2)", "(True, 2)")), "whole numbers or floats"),
        (crafted(HEAD.replace("<f4", "<f16"), bytes(32)), "whole numbers or floats"),
        (crafted(HEAD, bytes.fromhex("0100807f00000000")), "Row 0 of the array holds NaN"),
        (crafted(HEAD.replace("}", "'\\d': 1}")), "head cannot be read"),
        (npy(np.array([[0, 0], [np.nan, 0]], np.float32)), "Row 1 of the array holds NaN"),
        (npy(np.array([[0, 0], [0, 10_001]], np.float64)), "Row 1 of the array has the length"),
        (npy(np.array([[np.inf, 0]], np.float64)), "Row 0 of the array has the length inf"),
    ],
)
def test_a_numpy_file_of_no_latents_is_refused_with_its_fault(
    engine: Engine, content: bytes, fault: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_npy(content, 4, engine.card)
    assert fault in refusal.value.detail
    assert refusal.value.errors == [{"pointer": "#", "detail": refusal.value.detail}]
