"""The checkpoints that ship: what their recipes say, and no larger than promised."""

import json
from pathlib import Path

import pytest

from model.card import Card
from model.recipe import Recipe

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
FOLDERS = sorted(path.parent for path in CHECKPOINTS.glob("*/card.json"))
MEGABYTE = 1_000_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_checkpoint_was_made_from_the_recipe_of_its_name(folder: Path) -> None:
    recipe = Recipe.load(folder.name).as_dict()
    assert Card.load(folder).recipe == json.loads(json.dumps(recipe))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_checkpoint_takes_at_most_8_megabytes(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8 * MEGABYTE


def test_all_checkpoints_together_take_at_most_80_megabytes() -> None:
    sizes = [path.stat().st_size for folder in FOLDERS for path in folder.iterdir()]
    assert 0 < sum(sizes) <= 80 * MEGABYTE


def test_the_default_decoder_stays_within_0_4_million_multiply_adds() -> None:
    assert Card.load(CHECKPOINTS / "mnist-vae-2d").multiply_adds["decoder"] <= 400_000


def test_the_articles_network_has_the_public_loss_after_10_epochs() -> None:
    """105.6: the VAE of the public PyTorch examples, mean test loss after its 10 epochs."""
    history = Card.load(CHECKPOINTS / "mnist-vae-20d").training["history"]
    assert history[9]["epoch"] == 10
    assert -history[9]["elbo"] == pytest.approx(105.6, abs=0.5)
