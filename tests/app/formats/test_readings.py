"""What a user says of an upload goes before what the steps would guess."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.formats.image_files import prepare
from app.formats.overrides import Overrides
from tests.app.pictures import drawing, file


def two_shapes() -> Image.Image:
    """Return a large 7 on the left and a bar, half as long, on the right."""
    page = drawing((600, 200), ink=0, paper=255)
    ImageDraw.Draw(page).line([(400, 50), (400, 120)], fill=0, width=18)
    return page


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
def test_the_shape_pointed_at_is_taken_though_another_is_larger(dataset: str) -> None:
    alone = drawing((600, 200), ink=0, paper=255)
    alone.paste(255, (0, 0, 300, 200))
    ImageDraw.Draw(alone).line([(400, 50), (400, 120)], fill=0, width=18)
    wanted = prepare(file(alone), dataset).image
    for at in [(400 / 600, 0.5), (0.7, 0.9)]:  # on it, and nearer to it than to the other
        found = prepare(file(two_shapes()), dataset, overrides=Overrides(at=at))
        np.testing.assert_allclose(found.image, wanted, atol=1 / 255)
        assert "pointed at" in {step.name: step.detail for step in found.steps}["alone"]


def test_a_part_near_the_shape_pointed_at_still_belongs_to_it() -> None:
    page = drawing(ink=0, paper=255)
    ImageDraw.Draw(page).line([(150, 150), (150, 158)], fill=0, width=18)
    whole = prepare(file(page), "mnist").image
    pointed = prepare(file(page), "mnist", overrides=Overrides(at=(60 / 300, 40 / 200))).image
    np.testing.assert_allclose(pointed, whole, atol=1 / 255)


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
def test_light_and_dark_change_places_as_the_user_says(dataset: str) -> None:
    ink, chalk = drawing(ink=0, paper=255), drawing(ink=255, paper=0)
    wanted = prepare(file(chalk), dataset).image
    said = prepare(file(ink), dataset, overrides=Overrides(is_dark_on_light=True))
    np.testing.assert_allclose(said.image, wanted, atol=1 / 255)
    assert "inverted" in [step.name for step in said.steps]
    kept = prepare(file(chalk), dataset, overrides=Overrides(is_dark_on_light=False))
    np.testing.assert_allclose(kept.image, wanted, atol=1 / 255)
    assert "inverted" not in [step.name for step in kept.steps]


def test_a_wrong_guess_of_light_and_dark_can_be_overruled() -> None:
    page = Image.new("L", (300, 200), 128)  # pale strokes, and one dark blot
    ImageDraw.Draw(page).line([(60, 40), (140, 40), (90, 150)], fill=200, width=18)
    page.paste(0, (250, 150, 258, 158))
    guessed = prepare(file(page), "mnist").image
    said = prepare(file(page), "mnist", overrides=Overrides(is_dark_on_light=False)).image
    wanted = prepare(file(drawing()), "mnist").image
    assert np.corrcoef(said.ravel(), wanted.ravel())[0, 1] > 0.98
    assert np.corrcoef(guessed.ravel(), wanted.ravel())[0, 1] < 0.9
