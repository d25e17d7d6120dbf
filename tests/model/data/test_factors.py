from collections.abc import Callable

import numpy as np
import pytest
from jaxtyping import Float

from model.data import datasets
from model.data.faces import face_of
from model.data.factors import (
    FACTORS,
    brightness,
    height,
    size,
    slant,
    stored_values,
    stroke_width,
    width,
)
from model.data.portraits import drawn_file, portrait

FINE = 8
"""Fine pixels on a side of a pixel, so that the edges of what is drawn are smooth."""


def bar(degrees: float, length: float, thickness: float) -> Float[np.ndarray, "1 28 28"]:
    """Draw a bar through the middle that leans to the right of upright."""
    place = (np.arange(28 * FINE) + 0.5) / FINE - 14
    x, up = place[None, :], -place[:, None]
    lean = np.radians(degrees)
    along, across = x * np.sin(lean) + up * np.cos(lean), x * np.cos(lean) - up * np.sin(lean)
    is_ink = (abs(along) < length / 2) & (abs(across) < thickness / 2)
    drawn: np.ndarray = is_ink.reshape(28, FINE, 28, FINE).mean((1, 3))[None].astype(np.float32)
    return drawn


@pytest.mark.parametrize("degrees", [-40, -15, 0, 15, 40])
def test_the_slant_of_a_thin_bar_is_its_angle_to_the_right_of_upright(degrees: float) -> None:
    assert slant(bar(degrees, 20, 1.5)) == pytest.approx(degrees, abs=0.6)


@pytest.mark.parametrize("degrees", [0, 20, 45, 70])
@pytest.mark.parametrize("thickness", [2, 3, 4])
def test_the_stroke_width_of_a_bar_is_twice_its_area_by_its_perimeter(
    degrees: float, thickness: float
) -> None:
    expected = 2 * 20 * thickness / (2 * (20 + thickness))
    assert stroke_width(bar(degrees, 20, thickness)) == pytest.approx(expected, rel=0.15)


def test_a_stroke_drawn_fainter_is_as_wide() -> None:
    image = bar(30, 18, 3)
    assert stroke_width(image / 4) == pytest.approx(stroke_width(image), rel=1e-5)


def test_the_size_of_a_disc_is_its_radius_by_the_root_of_two() -> None:
    place = (np.arange(28 * FINE) + 0.5) / FINE - 14
    disc = np.hypot(place[None, :], place[:, None]) < 9
    image = disc.reshape(28, FINE, 28, FINE).mean((1, 3))[None]
    assert size(image) == pytest.approx(9 / np.sqrt(2), rel=0.01)


def test_height_and_width_are_those_of_the_box_and_brightness_is_of_the_ink_alone() -> None:
    image = np.zeros((1, 28, 28))
    image[0, 3:20, 5:9] = 0.8
    image[0, 25, 25] = 0.4  # too faint for the box
    assert height(image).tolist() == [17]
    assert width(image).tolist() == [4]
    assert brightness(image) == pytest.approx(100 * (17 * 4 * 0.8 + 0.4) / (17 * 4 + 1))


MEASURED = [
    (dataset, factor.id, factor.measure)
    for dataset, factors in FACTORS.items()
    for factor in factors
    if factor.measure is not None
]


@pytest.mark.parametrize(("dataset", "factor", "measure"), MEASURED)
def test_a_blank_image_has_a_value_of_every_factor(
    dataset: str, factor: str, measure: Callable[[np.ndarray], np.ndarray]
) -> None:
    assert measure(np.zeros((2, 28, 28), np.float32)).tolist() == [0, 0], (dataset, factor)


@pytest.mark.parametrize(("dataset", "factor", "measure"), MEASURED)
def test_the_images_of_a_data_set_differ_in_each_of_its_factors(
    dataset: str, factor: str, measure: Callable[[np.ndarray], np.ndarray]
) -> None:
    values = measure(datasets.test_set(dataset).images[:500].astype(np.float32) / 255)
    assert values.shape == (500,), factor
    assert np.isfinite(values).all()
    assert values.std() > 0.1


@pytest.mark.parametrize("factor", [factor.id for factor in FACTORS["faces"]])
def test_the_factors_of_portraits_are_those_that_they_were_drawn_from(factor: str) -> None:
    values, images = stored_values("faces", factor), datasets.test_set("faces").images
    rows = drawn_file("t10k-factors-idx2-ubyte")
    assert len(values) == len(images)
    for index in (0, 7, 1999):
        face = face_of(rows[index])
        assert getattr(face, factor.replace("-", "_")) == pytest.approx(values[index])
        assert (portrait(face) == images[index]).all()
