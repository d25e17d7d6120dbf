"""What a user says of an upload goes before what the steps would guess."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.formats.image_files import prepare
from model.data.datasets import FASHION_MNIST, MNIST, Form
from model.engine import Reading
from tests.app.pictures import drawing, file


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """Correlate two images; a centre of mass halfway between two pixels may be put on either."""
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    moved = (np.roll(one, shift, (0, 1)).ravel() for shift in shifts)
    return max(float(np.corrcoef(one, other.ravel())[0, 1]) for one in moved)


def two_shapes() -> Image.Image:
    """Return a large 7 on the left and a bar, half as long, on the right."""
    page = drawing((600, 200), ink=0, paper=255)
    ImageDraw.Draw(page).line([(400, 50), (400, 120)], fill=0, width=18)
    return page


@pytest.mark.parametrize("form", [MNIST.form, FASHION_MNIST.form])
def test_the_shape_pointed_at_is_taken_though_another_is_larger(form: Form) -> None:
    alone = drawing((600, 200), ink=0, paper=255)
    alone.paste(255, (0, 0, 300, 200))
    ImageDraw.Draw(alone).line([(400, 50), (400, 120)], fill=0, width=18)
    wanted = prepare(file(alone), form).image
    for at in [(400 / 600, 0.5), (0.7, 0.9)]:  # on it, and nearer to it than to the other
        found = prepare(file(two_shapes()), form, reading=Reading(at=at))
        np.testing.assert_allclose(found.image, wanted, atol=1 / 255)
        assert "pointed at" in {step.name: step.detail for step in found.steps}["alone"]


def test_a_part_near_the_shape_pointed_at_still_belongs_to_it() -> None:
    page = drawing(ink=0, paper=255)
    ImageDraw.Draw(page).line([(150, 150), (150, 158)], fill=0, width=18)
    whole = prepare(file(page), MNIST.form).image
    pointed = prepare(file(page), MNIST.form, reading=Reading(at=(60 / 300, 40 / 200))).image
    np.testing.assert_allclose(pointed, whole, atol=1 / 255)


@pytest.mark.parametrize("form", [MNIST.form, FASHION_MNIST.form])
def test_light_and_dark_change_places_as_the_user_says(form: Form) -> None:
    ink, chalk = drawing(ink=0, paper=255), drawing(ink=255, paper=0)
    wanted = prepare(file(chalk), form).image
    said = prepare(file(ink), form, reading=Reading(is_dark_on_light=True))
    np.testing.assert_allclose(said.image, wanted, atol=1 / 255)
    assert "inverted" in [step.name for step in said.steps]
    kept = prepare(file(chalk), form, reading=Reading(is_dark_on_light=False))
    np.testing.assert_allclose(kept.image, wanted, atol=1 / 255)
    assert "inverted" not in [step.name for step in kept.steps]


def test_a_wrong_guess_of_light_and_dark_can_be_overruled() -> None:
    page = Image.new("L", (300, 200), 128)  # a pale stroke, and a dark blot that is larger
    ImageDraw.Draw(page).line([(60, 40), (140, 40), (90, 150)], fill=200, width=18)
    page.paste(0, (200, 100, 280, 180))
    guessed = prepare(file(page), MNIST.form).image
    said = prepare(file(page), MNIST.form, reading=Reading(is_dark_on_light=False)).image
    wanted = prepare(file(drawing()), MNIST.form).image
    assert alike(said, wanted) > 0.98
    assert alike(guessed, wanted) < 0.8


def test_only_what_lies_in_the_box_is_looked_at() -> None:
    box = (0.0, 0.0, 0.5, 1.0)
    found = prepare(file(two_shapes()), MNIST.form, reading=Reading(box=box))
    wanted = prepare(file(two_shapes().crop((0, 0, 300, 200))), MNIST.form).image
    np.testing.assert_array_equal(found.image, wanted)
    assert "boxed" in [step.name for step in found.steps]
    both = Reading(box=(0.5, 0.0, 1.0, 1.0), at=(400 / 600, 0.5))
    bar = prepare(file(two_shapes()), MNIST.form, reading=both).image
    assert np.ptp(np.nonzero(bar.any(axis=0))) < 8, "the bar, upright"


def test_a_box_lies_on_the_picture_as_it_is_seen_when_the_camera_was_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = two_shapes().transpose(Image.Transpose.ROTATE_90)
    reading = Reading(box=(0.0, 0.0, 0.5, 1.0))
    found = prepare(file(turned, "JPEG", quality=95, exif=exif), MNIST.form, reading=reading).image
    assert alike(found, prepare(file(drawing(ink=0, paper=255)), MNIST.form).image) > 0.98


def test_a_box_on_a_large_photograph_is_seen_as_sharply_as_a_small_one() -> None:
    page = Image.new("L", (3000, 2400), 255)
    page.paste(drawing((300, 200), ink=0, paper=255), (900, 700))
    box = (900 / 3000, 700 / 2400, 1200 / 3000, 900 / 2400)
    found = prepare(file(page, "JPEG", quality=95), MNIST.form, reading=Reading(box=box)).image
    assert alike(found, prepare(file(drawing(ink=0, paper=255)), MNIST.form).image) > 0.98


def test_a_dim_picture_of_a_thing_is_brightened_as_the_user_says() -> None:
    dim = Image.new("L", (300, 400), 0)
    dim.paste(64, (100, 50, 200, 350))
    bright = prepare(file(dim), FASHION_MNIST.form, reading=Reading(brightness=1.0))
    assert bright.image.max() == pytest.approx((64 / 255) ** 0.5, abs=0.01)
    assert "brightened" in [step.name for step in bright.steps]
