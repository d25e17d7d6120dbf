"""Photographs of digits, as people send them, are read as the digit that they show."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.formats import png
from app.formats.image_files import prepare
from app.settings import ROOT
from model.data.datasets import FASHION_MNIST, MNIST
from model.engine import Engine, LabelledImages, prepare_picture
from tests.app.pictures import drawing, file
from tests.photographs import KINDS, SMALL_DIGITS, photographs

COUNT, SEED = 20, 2026
LEAST = {"hard shadow x 0.6": 15, "dark squared": 16, SMALL_DIGITS: 15}
"""How many of 20 are right at least; of all other kinds `LEAST_OF_OTHERS`."""
LEAST_OF_OTHERS = 16


@pytest.fixture(scope="module")
def reader() -> Engine:
    return Engine.load(ROOT / "checkpoints" / "mnist-vae-20d", "cpu")


def step_details(content: bytes) -> dict[str, str]:
    return {step.name: step.detail for step in prepare(content, MNIST.form).steps}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "3000 x 4000"] + [SMALL_DIGITS])
def test_most_photographs_of_a_kind_are_read_as_what_they_show(
    kind: str, reader: Engine, mnist: LabelledImages
) -> None:
    prepared, labels = [], []
    for image, label in photographs(kind, mnist.images, mnist.labels, COUNT, SEED):
        sent = file(image, compress_level=1)
        prepared.append(prepare(sent, MNIST.form, with_steps=False).image)
        labels.append(label)
    means = reader.code(np.stack(prepared)).mean
    assert means is not None
    found = [np.bincount(reader.neighbours(mean, 15).labels).argmax() for mean in means]
    right = int((np.array(found) == labels).sum())
    assert right >= LEAST.get(kind, LEAST_OF_OTHERS)


@pytest.mark.slow
def test_every_shipped_image_passes_unchanged(
    mnist: LabelledImages, fashion: LabelledImages
) -> None:
    for form, images in ((MNIST.form, mnist.images), (FASHION_MNIST.form, fashion.images)):
        for image in images:
            found = prepare_picture(Image.fromarray(image), form, with_steps=False).image
            assert np.abs(255 * found - image).max() < 0.01


def test_files_of_shipped_digits_and_of_their_negatives_pass_unchanged(
    mnist: LabelledImages,
) -> None:
    for image in mnist.images[::20]:
        for sent in (image, 255 - image):
            found = 255 * prepare(png.encode(sent), MNIST.form, with_steps=False).image
            assert np.abs(found - image).max() < 0.01


def test_what_is_left_out_is_said() -> None:
    pair = drawing((600, 200), ink=0, paper=255)
    ImageDraw.Draw(pair).line([(400, 50), (400, 150)], fill=0, width=18)
    assert "another shape of like size" in step_details(file(pair))["alone"]
    specks = drawing(ink=0, paper=255)
    specks.paste(0, (250, 20, 253, 23))
    assert "specks" in step_details(file(specks))["alone"]
    assert "alone" not in step_details(file(drawing(ink=0, paper=255)))


def test_the_size_that_is_told_of_a_photograph_is_its_own() -> None:
    page = drawing((3000, 2000), ink=0, paper=255)
    steps = step_details(file(page.convert("RGB"), "JPEG", quality=95))
    assert "3000 x 2000" in steps["read"]
