"""Pictures that were enlarged from few pixels."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from model import engine
from model.data.datasets import MNIST
from model.data.preparation import prepare
from model.data.sharpening import is_soft, own_pixels, sharpened
from model.engine import LabelledImages

SMOOTHLY = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS]


@pytest.fixture(scope="module")
def mnist() -> LabelledImages:
    return engine.test_set("mnist")


@pytest.mark.parametrize("times", [1, 3, 10])
def test_a_picture_that_repeats_its_pixels_is_taken_back_to_them(times: int) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (7, 5), np.uint8)
    repeated = levels.repeat(times, axis=0).repeat(times, axis=1)
    np.testing.assert_array_equal(own_pixels(repeated), levels)


def test_a_pixel_that_breaks_the_pattern_keeps_a_picture_as_it_is() -> None:
    levels = np.zeros((40, 40), np.uint8)
    levels[10:30, 10:30] = 255
    levels[3, 20] = 1
    np.testing.assert_array_equal(own_pixels(levels), levels)


def test_an_mnist_image_shown_larger_by_repeating_its_pixels_comes_back_unchanged(
    mnist: LabelledImages,
) -> None:
    for image in mnist.images[:20]:
        shown = Image.fromarray(image.repeat(10, axis=0).repeat(10, axis=1))
        found = 255 * prepare(shown, MNIST.form, with_steps=False).image
        assert np.abs(found - image).max() < 0.01


@pytest.mark.parametrize("how", SMOOTHLY)
def test_digits_of_8_pixels_are_soft_and_those_of_28_are_not(
    how: Image.Resampling, mnist: LabelledImages
) -> None:
    few = [(small * 255 / 16).astype(np.uint8) for small in load_digits().images[:50]]
    assert all(is_soft(np.asarray(Image.fromarray(one).resize((160, 160), how))) for one in few)
    many = [np.asarray(Image.fromarray(one).resize((160, 160), how)) for one in mnist.images[:50]]
    assert not any(map(is_soft, many))


def test_a_soft_bar_that_is_thicker_than_strokes_of_mnist_gets_thinner() -> None:
    small = Image.new("L", (8, 8))
    small.paste(255, (3, 1, 5, 7))
    soft = np.asarray(small.resize((160, 160))) / 255
    bar = sharpened(soft)
    assert soft[80].sum() / soft[:, 80].sum() > 6 / 20
    assert 2 / 20 < bar[80].sum() / bar[:, 80].sum() < 5 / 20


def test_a_blurred_loop_opens() -> None:
    small = np.zeros((8, 8))
    small[1:7, 2:6] = 16
    small[3:5, 4] = 4
    large = Image.fromarray((small * 255 / 16).astype(np.uint8)).resize((160, 160))
    soft = np.asarray(large) / 255
    hole = np.s_[70:90, 85:95]
    assert sharpened(soft)[hole].mean() < 0.5 * soft[hole].mean()


def test_the_steps_say_that_a_stroke_was_made_sharp(mnist: LabelledImages) -> None:
    few = Image.fromarray((load_digits().images[3] * 255 / 16).astype(np.uint8))
    assert "sharpened" in {step.name for step in prepare(few.resize((256, 256)), MNIST.form).steps}
    drawn = Image.fromarray(mnist.images[0]).resize((280, 280))
    assert "sharpened" not in {step.name for step in prepare(drawn, MNIST.form).steps}
