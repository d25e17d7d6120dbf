import json
import shutil
from pathlib import Path

import pytest

from model.card import GROUPS, Card
from model.errors import CheckpointError
from model.recipes.recipe import RECIPES, Recipe
from tests.model.forgery import rewrite_card

PUBLIC = [
    *("id", "title", "summary", "group", "family", "dataset", "latent_dim", "image"),
    *("likelihood", "beta", "planes", "metrics", "sha256"),
]


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained / "small-vae", tmp_path / "small-vae"))


def test_a_card_shows_what_the_api_promises_in_its_order(folder: Path) -> None:
    public = Card.load(folder).public()
    assert list(public) == PUBLIC
    assert public["id"] == "small-vae"
    assert public["group"] == "map"
    assert json.loads(json.dumps(public))["planes"] == ["latent"]


def test_an_autoencoder_has_no_weight_for_a_kl(trained: Path) -> None:
    assert Card.load(trained / "small-ae").beta is None
    assert Card.load(trained / "small-vae").beta == 1.0


def test_every_group_that_a_recipe_names_is_a_heading_with_an_explanation() -> None:
    assert {Recipe.load(path).group for path in RECIPES.glob("*.toml")} == {g.id for g in GROUPS}
    assert len({group.title for group in GROUPS}) == len(GROUPS)
    assert all(group.about.endswith(".") for group in GROUPS)


def test_a_card_survives_being_written_and_read(folder: Path) -> None:
    card = Card.load(folder)
    (folder / "card.json").write_text(card.to_json(), encoding="utf-8")
    assert Card.load(folder) == card


def test_a_field_from_the_future_is_let_be(folder: Path) -> None:
    rewrite_card(folder, lambda card: card.update(mood="cheerful"))
    assert Card.load(folder).id == "small-vae"


def test_a_missing_card_is_refused_with_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no .*/card\.json; .* `python -m model train`"):
        Card.load(tmp_path)


def test_a_card_that_lacks_a_field_is_refused_by_name(folder: Path) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    del card["latent_dim"]
    path.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"card\.json lacks the field 'latent_dim'"):
        Card.load(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"null", b"\xff\xfe", b'"card"'])
def test_what_is_no_card_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"card\.json"):
        Card.load(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 5),
        ("group", None),
        ("latent_dim", "two"),
        ("latent_dim", 2.5),
        ("beta", "one"),
        ("planes", None),
        ("planes", [7]),
        ("metrics", []),
        ("sha256", 5),
        ("recipe", "a recipe"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_by_name(
    folder: Path, field: str, value: object
) -> None:
    rewrite_card(folder, lambda card: card.update({field: value}))
    with pytest.raises(CheckpointError, match=rf"card\.json.*{field}"):
        Card.load(folder)
