"""Pictures become images of any form: photographs in colour, and things of other sizes than 28."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.formats.image_files import prepare
from model.__main__ import main
from model.data import datasets
from model.data.datasets import Form, find
from model.data.own import THINGS, install_own, read_picture
from model.data.preparation import Prepared
from model.data.steps import Reading
from model.errors import DataError, ImageError
from model.image_shape import MNIST_SHAPE, ImageShape

WIDE = Form(ImageShape(48, 64, 3), "photo")
RED, BLUE, GREEN = (220, 30, 30), (10, 20, 90), (180, 240, 190)


def picture(size: tuple[int, int], ground: tuple[int, ...] = BLUE) -> Image.Image:
    """A red square in the middle, a quarter of the shorter side."""
    image = Image.new("RGB", size, ground)
    side = min(size) // 4
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    image.paste(RED, (left, top, left + side, top + side))
    return image


def file(image: Image.Image, kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    image.save(written, kind)
    return written.getvalue()


def levels(prepared: Prepared) -> np.ndarray:
    return np.floor(255 * prepared.image + 0.5).astype(np.uint8)


def test_a_photograph_keeps_its_colours_and_is_cropped_to_the_proportions_of_the_images() -> None:
    prepared = prepare(file(picture((400, 400))), WIDE)
    image = levels(prepared)
    assert image.shape == (48, 64, 3)
    np.testing.assert_allclose(image[24, 32], RED, atol=2)
    for corner in (image[0, 0], image[-1, -1]):
        np.testing.assert_allclose(corner, BLUE, atol=2)
    assert [step.name for step in prepared.steps] == ["read", "cropped"]
    assert "75% of it, the middle" in prepared.steps[-1].detail


def test_a_photograph_of_other_proportions_is_laid_on_the_colour_of_its_border() -> None:
    prepared = prepare(file(picture((200, 500), GREEN)), WIDE)
    image = levels(prepared)
    np.testing.assert_allclose(image[:, :5].reshape(-1, 3), [GREEN] * (48 * 5), atol=2)
    np.testing.assert_allclose(image[24, 32], RED, atol=12)
    assert prepared.steps[-1].name == "padded"


def test_a_photograph_of_the_size_of_the_images_is_kept_byte_for_byte() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    prepared = prepare(file(Image.fromarray(noise)), WIDE)
    np.testing.assert_array_equal(levels(prepared), noise)
    assert [step.name for step in prepared.steps] == ["read", "kept"]


def test_a_photograph_is_not_inverted_and_a_grey_data_set_takes_it_in_grey() -> None:
    image = levels(
        prepare(file(picture((64, 48), (250, 250, 250))), Form(ImageShape(48, 64), "photo"))
    )
    assert image.shape == (48, 64)
    assert image[0, 0] > 240 > 120 > image[24, 32]


def test_what_is_transparent_in_a_photograph_gets_paper() -> None:
    shown = picture((64, 48)).convert("RGBA")
    shown.putalpha(
        Image.fromarray(np.where(np.arange(64) < 32, 255, 0).astype(np.uint8)[None].repeat(48, 0))
    )
    prepared = prepare(file(shown), WIDE)
    np.testing.assert_allclose(levels(prepared)[5, 5], BLUE, atol=2)
    np.testing.assert_allclose(levels(prepared)[5, 60], (255, 255, 255), atol=2)
    assert "white" in {step.name: step.detail for step in prepared.steps}["flattened"]


def test_a_box_and_the_brightness_are_heard_of_a_photograph_and_the_rest_is_refused() -> None:
    content = file(picture((400, 300)))
    boxed = levels(prepare(content, WIDE, reading=Reading(box=(0.0, 0.0, 0.5, 0.5))))
    np.testing.assert_allclose(boxed[0, 0], BLUE, atol=2)
    np.testing.assert_allclose(boxed[-1, -1], RED, atol=2)
    plain, bright = (
        levels(prepare(content, WIDE, reading=Reading(brightness=by))).mean() for by in (0.0, 1.0)
    )
    assert bright > plain + 10
    for reading in (Reading(at=(0.5, 0.5)), Reading(is_dark_on_light=True)):
        with pytest.raises(ImageError, match="`at` and `polarity` are for digits and things"):
            prepare(content, WIDE, reading=reading)


def test_a_photograph_of_nothing_is_refused() -> None:
    with pytest.raises(ImageError, match="blank"):
        prepare(file(Image.new("RGB", (100, 80), BLUE)), WIDE)


def test_a_thing_is_scaled_into_images_of_any_size_and_put_in_the_middle() -> None:
    page = Image.new("L", (300, 300), 255)
    page.paste(0, (40, 100, 240, 150))
    image = levels(prepare(file(page), Form(ImageShape(24, 40), "thing")))
    assert image.shape == (24, 40)
    rows, columns = np.nonzero(image > 127)
    assert (columns.min(), columns.max()) == (0, 39)
    assert (rows.min(), rows.max()) == (7, 16)


@pytest.mark.parametrize(
    ("shape", "preprocessing", "reason"),
    [
        (ImageShape(32, 32), "digit", "digits are images of 28 x 28 pixels"),
        (ImageShape(28, 28, 3), "thing", "things are images in grey"),
        (MNIST_SHAPE, "sketch", "no preprocessing 'sketch'; known are digit, thing, photo"),
    ],
)
def test_a_form_that_cannot_be_is_refused(
    shape: ImageShape, preprocessing: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Form(shape, preprocessing)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", [WIDE, Form(ImageShape(40, 24), "thing"), THINGS])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_folder_becomes_what_uploads_become(form: Form, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"one.{kind.lower()}"
    path.write_bytes(file(picture((130, 170), (240, 240, 240)), kind))
    uploaded = levels(prepare(path.read_bytes(), form))
    np.testing.assert_array_equal(read_picture(path, form), uploaded)


def photographs(folder: Path) -> None:
    for label, colour in (("sea", BLUE), ("wood", GREEN)):
        (folder / label).mkdir(parents=True)
        for n in range(6):
            picture((80 + n, 60), colour).save(folder / label / f"{n}.png")


def test_the_command_imports_photographs_in_a_size_of_ones_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "holiday")
    words = ["data", "--from", "holiday", "--name", "holiday", "--size", "40x32"]
    assert main([*words, "--preprocessing", "photo"]) == 0
    table = json.loads(Path("data/holiday/dataset.json").read_text(encoding="utf-8"))
    assert table["image"] == {"height": 32, "width": 40, "channels": 3}
    assert table["preprocessing"] == "photo"
    found = find("holiday")
    assert found.form == Form(ImageShape(32, 40, 3), "photo")
    train = datasets.train_set("holiday").images
    assert train.shape == (10, 32, 40, 3)
    assert {file.name for file in Path("data/holiday").glob("*.gz")} == {
        *("train-images-idx4-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        *("t10k-images-idx4-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    }
    assert main([*words, "--preprocessing", "digit", "--replace"]) != 0


def test_a_description_without_a_shape_is_of_things_of_28_x_28(tmp_path: Path) -> None:
    photographs(tmp_path / "pictures")
    install_own("old", tmp_path / "pictures", tmp_path / "data")
    path = tmp_path / "data" / "old" / "dataset.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    del table["image"], table["preprocessing"]
    path.write_text(json.dumps(table), encoding="utf-8")
    assert find("old", tmp_path / "data").form == THINGS
    table["image"] = {"height": 4, "width": 4, "channels": 1}
    path.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(DataError, match="does not describe a data set"):
        find("old", tmp_path / "data")


def test_images_of_another_shape_than_their_description_are_refused(tmp_path: Path) -> None:
    photographs(tmp_path / "pictures")
    install_own("old", tmp_path / "pictures", tmp_path / "data")
    path = tmp_path / "data" / "old" / "dataset.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    table["image"] = {"height": 32, "width": 32, "channels": 1}
    path.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(DataError, match=r"images of the shape \(28, 28\), not 32 x 32"):
        datasets.train_set("old", tmp_path / "data")
