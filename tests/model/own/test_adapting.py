"""`python -m model recipe`: recipes that ship, for images of one's own."""

from pathlib import Path

import pytest

from model.__main__ import main
from model.errors import RecipeError
from model.own.adapting import adapt
from model.recipes.recipe import RECIPES, Recipe
from model.recipes.write_toml import to_toml
from model.training.run import Run
from tests.model.training.runs import SHIPPED, TEST

NAMES = sorted(path.stem for path in RECIPES.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_that_ships_is_written_and_read_back(name: str, tmp_path: Path) -> None:
    recipe, path = Recipe.load(name), tmp_path / "copy.toml"
    path.write_text(to_toml(recipe, "A comment."), encoding="utf-8")
    assert Recipe.load(path) == recipe


@pytest.mark.parametrize("count", [2, 60, 250, 60_000])
@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_that_ships_fits_any_number_of_images(name: str, count: int) -> None:
    fitted, _ = adapt(Recipe.load(name), "mine", "my-images", count)
    training = fitted.training
    assert fitted == Recipe.from_dict(fitted.as_dict()), "its checks pass"
    assert training.held_out + training.batch_size <= count
    assert fitted.distillation is None
    assert fitted.layout is None or fitted.layout.images < count - training.held_out
    like = Recipe.load(name)
    assert (fitted.encoder, fitted.decoder) == (like.encoder, like.decoder)


def test_the_flagship_for_sixty_images_begins_to_train(tmp_path: Path) -> None:
    fitted, notes = adapt(Recipe.load("mnist-vae-2d"), "mine", "my-images", 60)
    assert "learned from mnist-vae-2d-best" in notes[0]
    Run(fitted, SHIPPED[:60], TEST[:12], tmp_path / "state.safetensors")


def test_as_many_images_as_it_was_made_for_change_nothing_in_how_it_trains() -> None:
    like = Recipe.load("fashion-vae-2d")
    fitted, _ = adapt(like, "mine", "my-images", 60_000)
    assert (fitted.training, fitted.layout) == (like.training, like.layout)


def test_one_image_is_refused() -> None:
    with pytest.raises(RecipeError, match="1 images to train on; give it more"):
        adapt(Recipe.load("mnist-vae-2d"), "mine", "my-images", 1)


def test_a_recipe_is_written_once(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["recipe", "mine", "--like", "mnist-vae-2d", "--data", "import-me"]
    assert main(command) == 0
    assert "python -m model train mine.toml" in capsys.readouterr().out
    assert Recipe.load("mine.toml").dataset == "import-me"
    assert main(command) == 2
    assert "mine.toml exists already" in capsys.readouterr().err
    assert main([*command, "--replace"]) == 0


def test_a_name_that_cannot_be_an_id_is_refused_before_anything_is_written(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipe", "My Model", "--like", "mnist-vae-2d", "--data", "import-me"]) == 2
    assert 'id is "My Model"; use lower-case words' in capsys.readouterr().err
    assert not (place / "My Model.toml").exists()


def test_few_images_are_laid_out_by_nearly_all_of_them_in_as_many_steps() -> None:
    """Of 10,000 digits: after a layout of half of them in a third of the steps, .06 less of kNN."""
    like = Recipe.load("fashion-vae-2d")
    fitted, _ = adapt(like, "mine", "my-images", 8337)
    assert like.layout
    assert fitted.layout
    left = 8337 - fitted.training.held_out
    assert fitted.layout.images > 0.85 * left
    steps = fitted.layout.epochs * (left // fitted.training.batch_size)
    assert steps > 0.9 * like.layout.epochs * (55_000 // like.training.batch_size)
