"""The shape of images: what is allowed, and that nobody writes it down a second time."""

import re
from pathlib import Path

import numpy as np
import pytest

from model.image_shape import MNIST_SHAPE, ImageShape

ROOT = Path(__file__).parents[2]
DEFINITIONS = {"model/image_shape.py", "model/data/portraits.py"}
"""Where the shapes of data sets are defined."""
LITERAL = re.compile(r"(?<![\w.])(28|784|SIDE|IMAGE_SIDE)\b")


@pytest.mark.parametrize(
    ("shape", "axes", "numbers", "cells"),
    [
        (ImageShape(28, 28), (28, 28), 784, 8),
        (ImageShape(32, 32, 3), (32, 32, 3), 3072, 8),
        (ImageShape(48, 64, 3), (48, 64, 3), 9216, 4),
        (ImageShape(33, 8), (33, 8), 264, 4),
        (ImageShape(128, 65), (128, 65), 8320, 2),
    ],
)
def test_a_shape_says_how_its_images_lie_in_arrays_and_in_tiles(
    shape: ImageShape, axes: tuple[int, ...], numbers: int, cells: int
) -> None:
    assert (shape.axes, shape.numbers, shape.tile_cells) == (axes, numbers, cells)
    assert ImageShape.of(np.zeros((5, *axes), np.uint8)) == shape


@pytest.mark.parametrize(
    "wrong", [(7, 28, 1), (28, 129, 1), (28, 28, 2), (28, 28, True), (28.0, 28, 1), ("28", 28, 1)]
)
def test_sides_beyond_8_to_128_and_other_channels_than_1_or_3_are_refused(
    wrong: tuple[object, ...],
) -> None:
    with pytest.raises(ValueError, match="allowed"):
        ImageShape(*wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("table", [None, [28, 28, 1], {"height": 28}, {"side": 28}])
def test_what_is_no_shape_in_json_is_refused(table: object) -> None:
    with pytest.raises(ValueError, match="no shape of images"):
        ImageShape.from_json(table)


def test_people_read_the_width_first() -> None:
    assert (str(ImageShape(48, 64, 3)), str(MNIST_SHAPE)) == ("64 x 48 in colour", "28 x 28")


def test_no_size_of_images_is_written_into_the_code() -> None:
    found = []
    for path in sorted((*(ROOT / "app").rglob("*.py"), *(ROOT / "model").rglob("*.py"))):
        if path.relative_to(ROOT).as_posix() in DEFINITIONS:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if LITERAL.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found
