import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.formats import png

grey = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


def read(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        image.load()
        return np.asarray(image)


@given(grey)
def test_another_library_reads_back_the_same_pixels(image: np.ndarray) -> None:
    assert (read(png.encode(image)) == image).all()


deep = arrays.arrays(np.uint16, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(deep)
def test_another_library_reads_back_the_same_pixels_of_sixteen_bits(image: np.ndarray) -> None:
    with Image.open(io.BytesIO(png.encode_deep(image))) as again:
        assert (again.format, again.size) == ("PNG", image.shape[::-1])
        assert (np.asarray(again) == image).all()


def test_a_view_that_is_not_contiguous_is_written_as_it_looks() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(6, 10)[::2, ::-1]
    assert (read(png.encode(image)) == image).all()


@pytest.mark.parametrize("factor", [1, 2, 10, 40])
def test_enlarging_by_a_whole_number_repeats_each_pixel(factor: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    enlarged = read(png.encode_enlarged(image, 28 * factor))
    assert (enlarged == np.kron(image, np.ones((factor, factor), np.uint8))).all()


@given(st.integers(28, 300))
def test_enlarging_to_any_size_invents_no_grey_and_loses_no_pixel(size: int) -> None:
    image = np.arange(784).reshape(28, 28) % 251
    enlarged = read(png.encode_enlarged(image.astype(np.uint8), size))
    assert enlarged.shape == (size, size)
    steps = [
        0 if i == 0 else int((enlarged[:, i] != enlarged[:, i - 1]).any()) for i in range(size)
    ]
    assert sum(steps) == 27
    assert set(np.unique(enlarged)) == set(np.unique(image))
