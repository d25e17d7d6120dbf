import json
import re
from pathlib import Path

import pytest

from model.__main__ import main
from model.errors import RecipeError
from model.recipes.recipe import RECIPES, Recipe
from tests.model.tiny import AUTOENCODER, CODEBOOK, LAID_OUT, STACKED, TAUGHT
from tests.model.tiny import RECIPE as GOOD


def load(folder: Path, text: str) -> Recipe:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return Recipe.load(path)


def line_of(text: str, start: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith(start))


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_recipe_is_good_and_has_the_name_of_its_file(path: Path) -> None:
    assert Recipe.load(path.stem).id == path.stem
    assert Recipe.load(path.stem) == Recipe.load(path)


def test_a_recipe_is_read_with_defaults_for_what_it_leaves_out(tmp_path: Path) -> None:
    recipe = load(tmp_path, GOOD)
    assert recipe.encoder.hidden == (32, 32)
    assert recipe.decoder.fourier_features == 8
    assert recipe.training.epochs == 3
    assert recipe.beta == 1.0
    assert recipe.importance is not None
    assert recipe.importance.samples == 4
    assert recipe.distillation is None
    taught = load(tmp_path, TAUGHT)
    assert taught.training.epochs == 0
    assert taught.distillation is not None
    assert taught.distillation.teacher == "small-vae"


def test_what_a_card_keeps_of_a_recipe_gives_the_recipe_back(tmp_path: Path) -> None:
    for text in (GOOD, TAUGHT, LAID_OUT, STACKED, CODEBOOK):
        recipe = load(tmp_path, text)
        assert Recipe.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_a_whole_number_may_stand_for_any_number(tmp_path: Path) -> None:
    beta = load(tmp_path, "beta = 4\n" + GOOD).beta
    assert beta == 4.0
    assert isinstance(beta, float)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("latent_dim = 2", "latent_dims = 2", 'unknown; did you mean "latent_dim"'),
        ("batch_size = 50", "colour = 3", "unknown; known here: epochs, batch_size"),
        ('family = "vae"', 'family = "gan"', 'family is \'gan\'; allowed: "vae", "ae"'),
        ('dataset = "mnist"', 'dataset = "My Shapes"', 'dataset is "My Shapes"; use lower-case'),
        ("latent_dim = 2", 'latent_dim = "two"', "'two'; it must be a whole number"),
        ("latent_dim = 2", "latent_dim = true", "True; it must be a whole number"),
        ("latent_dim = 2", "latent_dim = 2.5", "2.5; it must be a whole number"),
        ("latent_dim = 2", "latent_dim = 0", "must be 2 to 256"),
        ('title = "A small one"', "title = 5", "5; it must be text"),
        ('group = "map"', 'group = " "', "give the heading under which it is listed"),
        ('group = "map"', f'group = "{61 * "g"}"', "of up to 60 characters"),
        ("epochs = 3", "epochs = -1", "[training] epochs is negative"),
        ("batch_size = 50", "batch_size = -1", "batch_size must be at least 1"),
        ("batch_size = 50", "learning_rate = 0", "learning_rate must be above 0"),
        ("batch_size = 50", "learning_rate = nan", "learning_rate must be above 0"),
        ("batch_size = 50", "learning_rate = inf", "learning_rate"),
        ("batch_size = 50", 'learning_rate = "fast"', "'fast'; it must be a number"),
        ("binarise = true", "binarise = 1", "1; it must be true or false"),
        ("ema = 0.9", "ema = 1.0", "ema must be at least 0 and below 1"),
        ("held_out = 40", "held_out = 60000", "held_out must leave images to train on"),
        ("batch_size = 50", "batch_size = 60001", "batch_size"),
        ("ema = 0.9", "gradient_clip = -1", "gradient_clip must be at least 0 and finite"),
        ("ema = 0.9", "noise = inf", "noise must be at least 0 and finite"),
        ("ema = 0.9", "sparsity = -0.5", "sparsity must be at least 0 and finite"),
        ("hidden = [16]", "hidden = []", "[decoder] hidden has 0 widths; mlp takes 1 to 9"),
        ("hidden = [16]", "hidden = [16, 0]", "has a width below 1"),
        ("hidden = [16]", "hidden = 16", "16; it must be a list of whole numbers"),
        ("hidden = [16]", 'hidden = ["16"]', "it must be a list of whole numbers"),
        ("hidden = [32, 32]", "hidden = [32, 64]", "blocks of a residual network share one width"),
        ("fourier_features = 8", "fourier_features = -8", "is negative; 0 means none"),
        ("fourier_features = 8", "dropout = 1.0", "dropout is a share, at least 0 and below 1"),
        ("fourier_features = 8", "max_norm = -2", "max_norm must be at least 0, which means no"),
        ("fourier_features = 8", "channels = [8, 8]", "conv takes one to 5, others none"),
        ("samples = 4", "samples = 1", "[importance] samples must be at least 2; with 1 it is"),
        ("samples = 4", "learning_rate = 0", "[importance] learning_rate must be above 0"),
        ('id = "small-vae"', 'id = "../small"', 'is "../small"; use lower-case words'),
        ('posterior = "cholesky"', 'posterior = "point"', "must be 'diagonal' or 'cholesky'"),
    ],
)
def test_a_bad_field_is_refused_with_its_line_and_the_remedy(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = GOOD.replace(old, new)
    with pytest.raises(RecipeError) as refusal:
        load(tmp_path, text)
    assert str(refusal.value).startswith(f"{tmp_path}/small.toml:{line_of(text, new)}: ")
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("start", ["[decoder]", "[importance]", "[refit]"])
def test_a_table_that_misses_a_field_is_refused_with_its_line(tmp_path: Path, start: str) -> None:
    lines = GOOD.splitlines()
    del lines[line_of(GOOD, start)]
    with pytest.raises(RecipeError, match="is missing; every recipe needs it") as refusal:
        load(tmp_path, "\n".join(lines))
    assert f"small.toml:{line_of(GOOD, start)}: " in str(refusal.value)


def test_a_misspelt_field_is_answered_with_the_right_one_and_one_stop(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r'did you mean "latent_dim"\?$'):
        load(tmp_path, GOOD.replace("latent_dim", "latent_dims"))


def test_a_recipe_without_an_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"small\.toml: id is missing"):
        load(tmp_path, GOOD.removeprefix('id = "small-vae"\n'))


@pytest.mark.parametrize("table", ["importance", "refit"])
def test_an_autoencoder_has_no_posteriors_to_learn_from(tmp_path: Path, table: str) -> None:
    assert load(tmp_path, AUTOENCODER).family == "ae"
    with pytest.raises(RecipeError, match=rf"small\.toml:5: family .* drop \[{table}\]"):
        load(tmp_path, f"{AUTOENCODER}[{table}]\nepochs = 1\n")


def test_a_file_that_is_not_toml_is_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"small\.toml is not valid TOML: .*line 2"):
        load(tmp_path, 'id = "small"\ntitle = \n')


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(RecipeError, match=r"small\.toml is not valid TOML"):
        Recipe.load(path)


@pytest.mark.parametrize("name", ["mnist-vae-3d", "missing.toml", "", "."])
def test_a_recipe_that_does_not_exist_is_refused_with_those_that_do(name: str) -> None:
    with pytest.raises(
        RecipeError, match=r"one of: .*mnist-ae-2d, .*mnist-vae-20d, .*mnist-vae-2d"
    ):
        Recipe.load(name)


def test_a_layout_leaves_images_to_place_beside_those_it_maps() -> None:
    table = Recipe.load("mnist-vae-2d-best").as_dict()
    table["layout"]["images"] = 60_000 - table["training"]["held_out"]
    with pytest.raises(RecipeError, match="layout maps 55000 images"):
        Recipe.from_dict(table)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = " + 5000 * "[" + 5000 * "]", "nested too deeply"),
        ("seed = " + 5000 * "9", "is not valid TOML"),
        ("seed = 0x" + 5000 * "F", r"seed has a number above 9223372036854775807"),
        ("title" + 5000 * ".a" + " = 1", "title is .* it must be text"),
        ("title = [[0x" + 5000 * "F" + "]]", "title is too large to show; it must be text"),
        ("beta = 1" + 400 * "0", "beta has a number above"),
    ],
    ids=["nested", "digits", "hexadecimal digits", "dotted", "nested digits", "whole for a float"],
)
def test_toml_beyond_all_bounds_is_refused_with_exit_code_2(
    tmp_path: Path, text: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.toml"
    kept = [line for line in GOOD.splitlines() if not line.startswith(text.split()[0][:5])]
    path.write_text("\n".join([text, *kept]), encoding="utf-8")
    assert main(["train", str(path)]) == 2
    assert re.search(rf"small\.toml.*{complaint}", capsys.readouterr().err)


def test_a_recipe_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "small.toml"
    path.write_text(GOOD, encoding="utf-8")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(RecipeError, match=r"small\.toml cannot be read: Permission denied"):
        Recipe.load(path)
