"""Runs of a small network on few images; an unbroken run is the second source of a resumed one."""

import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from model.data import datasets
from model.data.datasets import LabelledImages
from model.evaluation import likelihood, reference, reference_training
from model.evaluation.reference import PUBLISHED, RECIPE, RESULT, main
from model.evaluation.reference_training import best_epoch, train
from model.recipes.recipe import Recipe
from model.training.state import Progress
from model.vae.autoencoder import VariationalAutoencoder, build_autoencoder
from tests.model import tiny

IMAGES = datasets.test_set("mnist").images[:60]


def small(**training: Any) -> Recipe:
    """The reference recipe with narrow layers, for 40 images to learn from and 20 to validate."""
    recipe = Recipe.load(RECIPE)
    layers = replace(recipe.encoder, hidden=(8,))
    few = {"epochs": 6, "batch_size": 10, "held_out": 20, "kl_warmup": 0.0, **training}
    return replace(recipe, encoder=layers, decoder=layers, training=replace(recipe.training, **few))


def fitted(recipe: Recipe, folder: Path, **options: Any) -> tuple[VariationalAutoencoder, Progress]:
    quiet = {"say": lambda line: None, **options}
    return train(recipe, IMAGES, folder / "state.safetensors", **quiet)


def weights(vae: VariationalAutoencoder) -> np.ndarray:
    return torch.cat([p.flatten() for p in vae.parameters()]).numpy()


def test_the_recipe_is_the_network_of_the_paper() -> None:
    vae = build_autoencoder(Recipe.load(RECIPE))
    linear = [layer for layer in vae.modules() if isinstance(layer, nn.Linear)]
    widths = [(layer.in_features, layer.out_features) for layer in linear]
    assert widths == [(784, 256), (256, 128), (128, 4), (2, 128), (128, 256), (256, 784)]


def test_training_stops_so_many_epochs_after_its_best(tmp_path: Path) -> None:
    _, progress = fitted(small(epochs=60, learning_rate=0.1), tmp_path, look_ahead=3)
    assert progress.epoch < 60
    assert progress.epoch == best_epoch(progress) + 3


def test_while_the_kl_warms_up_no_epoch_is_one_without_progress(tmp_path: Path) -> None:
    recipe = small(epochs=30, learning_rate=0.1, kl_warmup=1.0)
    _, progress = fitted(recipe, tmp_path, look_ahead=3)
    assert progress.epoch == 30
    assert best_epoch(progress) < 27


def test_the_weights_are_those_of_the_best_epoch_not_of_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = iter([-9.0, -7.0, -5.0, -6.0, -8.0, -9.0, -7.0, -5.0])  # of five epochs, of three
    monkeypatch.setattr(reference_training, "_validate", lambda *_: {"elbo": next(bounds)})
    best, progress = fitted(small(epochs=5), tmp_path / "long")
    assert (best_epoch(progress), progress.epoch) == (3, 5)
    last, _ = fitted(small(epochs=3), tmp_path / "short")
    assert (weights(best) == weights(last)).all()


def test_a_run_that_is_cut_off_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    def cut(line: str) -> None:
        if "epoch 3" in line:
            raise KeyboardInterrupt

    recipe = small(kl_warmup=0.5)
    with pytest.raises(KeyboardInterrupt):
        fitted(recipe, tmp_path / "cut", say=cut)
    resumed, progress = fitted(recipe, tmp_path / "cut")
    unbroken, expected = fitted(recipe, tmp_path / "unbroken")
    assert (weights(resumed) == weights(unbroken)).all()
    assert [e["elbo"] for e in progress.history] == [e["elbo"] for e in expected.history]


def test_another_seed_is_another_network(tmp_path: Path) -> None:
    one, _ = fitted(replace(small(epochs=1), seed=1), tmp_path / "1")
    two, _ = fitted(replace(small(epochs=1), seed=2), tmp_path / "2")
    assert (weights(one) != weights(two)).mean() > 0.9


def test_the_command_trains_and_measures_every_seed_into_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.write(tmp_path / "data" / "mnist")
    monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
    few = LabelledImages(IMAGES[:10], np.zeros(10, np.uint8))
    monkeypatch.setattr(reference, "test_set", lambda dataset: few)
    monkeypatch.setattr(reference, "SEEDS", (5, 6))
    monkeypatch.setattr(likelihood, "STEP", 0.25)
    monkeypatch.setattr(likelihood, "MOST_CELLS", 10_000)
    text = RECIPE.read_text(encoding="utf-8").replace("256", "8").replace("128", "8")
    text = text.replace("epochs = 200", "epochs = 2").replace("10000", "40")
    monkeypatch.setattr(reference, "RECIPE", tmp_path / "recipe.toml")
    reference.RECIPE.write_text(text, encoding="utf-8")
    places = {"--data": "data", "--runs": "runs", "--to": "result.json"}
    options = [word for name, place in places.items() for word in (name, str(tmp_path / place))]
    assert main(options) == 0
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert list(result["seeds"]) == ["5", "6"]
    figures = result["seeds"]["6"]
    assert figures["elbo"] == pytest.approx(figures["reconstruction"] - figures["kl"], abs=1e-3)
    assert figures["elbo"] < figures["exact"] < 0
    assert "784-8-8-2" in result["protocol"]
    printed = capsys.readouterr().out
    assert f"{result['mean']['exact']:.2f}" in printed
    assert "-135.73" in printed


def test_without_training_images_the_command_says_how_to_fetch_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "python -m model data mnist" in capsys.readouterr().err


@pytest.mark.skipif(not RESULT.exists(), reason="the reference is not trained yet")
def test_the_result_that_ships_adds_up() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert result["published"] == PUBLISHED
    for name, value in result["mean"].items():
        column = [figures[name] for figures in result["seeds"].values()]
        assert value == pytest.approx(statistics.fmean(column), abs=1e-3)
        assert result["deviation"][name] == pytest.approx(np.std(column, ddof=1), abs=1e-3)
