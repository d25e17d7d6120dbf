"""Pictures of things are prepared as Fashion-MNIST was; digits are in test_image_files."""

import numpy as np
import pytest
from PIL import Image

from app.formats import png
from app.formats.image_files import prepare
from model.data.datasets import FASHION_MNIST, MNIST
from model.engine import LabelledImages, Prepared
from tests.app.pictures import file


def worn(content: bytes) -> Prepared:
    return prepare(content, FASHION_MNIST.form)


def photograph(image: np.ndarray) -> Image.Image:
    """Return a test image ten times as large on white paper, light and dark exchanged."""
    page = Image.new("L", (700, 500), 255)
    page.paste(Image.fromarray(255 - image).resize((280, 280)), (377, 31))
    return page


def test_a_test_image_passes_unchanged_as_it_is_or_with_its_greys_exchanged(
    fashion: LabelledImages,
) -> None:
    for index in range(0, 10_000, 250):
        for image in (fashion.images[index], 255 - fashion.images[index]):
            prepared = worn(png.encode(image))
            np.testing.assert_allclose(prepared.image, fashion.images[index] / 255, atol=1e-6)
            assert prepared.steps[-1].name == "kept"


def test_clothes_on_paper_come_back_where_they_were_in_their_own_greys(
    fashion: LabelledImages,
) -> None:
    for index in range(0, 10_000, 500):
        original = fashion.images[index].astype(float)
        image = 255 * worn(file(photograph(fashion.images[index]))).image
        # What is cut off and laid in the middle may come to lie a pixel from where it was.
        shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        near = [np.roll(image, shift, (0, 1)).ravel() for shift in shifts]
        assert max(np.corrcoef(one, original.ravel())[0, 1] for one in near) > 0.88
        assert image.mean() == pytest.approx(original.mean(), abs=8)


def test_a_pale_garment_is_not_brightened_as_a_pale_stroke_is() -> None:
    pale = Image.new("L", (300, 400), 255)
    pale.paste(180, (100, 50, 200, 350))
    assert worn(file(pale)).image.max() == pytest.approx(75 / 255, abs=0.01)
    assert prepare(file(pale), MNIST.form).image.max() == 1


def test_clothes_fill_28_pixels_and_lie_in_the_middle_whatever_their_mass() -> None:
    boot = Image.new("L", (500, 300), 255)
    boot.paste(0, (40, 20, 90, 220))
    boot.paste(0, (40, 170, 190, 220))  # most of its mass lies low and to the left
    image = worn(file(boot)).image
    rows, columns = np.nonzero(image > 0.5)
    assert (rows.min(), rows.max()) == (0, 27), "200 pixels high"
    assert np.ptp(columns) + 1 == 21, "150 wide"
    assert columns.min() + columns.max() == pytest.approx(27, abs=1)


def test_the_wall_behind_a_garment_becomes_0() -> None:
    wall = np.random.default_rng(0).normal(215, 3, (400, 300))
    wall[50:350, 80:220] = 90
    prepared = worn(file(Image.fromarray(wall.clip(0, 255).astype(np.uint8))))
    names = [step.name for step in prepared.steps]
    assert names == ["read", "inverted", "cleared", "cropped", "fitted", "placed"]
    assert (prepared.image[:, :6] == 0).all(), "28 x 13 in the middle of 28 x 28"
    assert prepared.image[4:24, 11:17].min() > 0.4


def test_each_step_says_what_was_done_in_a_sentence(fashion: LabelledImages) -> None:
    steps = worn(file(photograph(fashion.images[0]))).steps
    assert [step.name for step in steps] == ["read", "inverted", "cropped", "fitted", "placed"]
    assert all(step.detail.endswith(".") for step in steps)
    assert not any("stroke" in step.detail for step in steps)
