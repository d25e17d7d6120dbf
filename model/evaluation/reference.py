"""`python -m model.evaluation.reference`: train and measure the network of Davidson et al. 2018.

A paper's figure depends on its code, its data split and chance. So the paper's plain VAE is trained
here with three seeds, and measured like our own models. The result is reference.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from model.data.datasets import DATA_FOLDER, test_set, train_set
from model.errors import ModelError
from model.evaluation.likelihood import measure_likelihood
from model.evaluation.reference_training import LOOK_AHEAD, best_epoch, train
from model.image_shape import MNIST_SHAPE
from model.recipes.recipe import RECIPES, Recipe
from model.training.state import Progress
from model.vae.autoencoder import VariationalAutoencoder
from model.vae.dataset_elbo import measure_bound

RECIPE = RECIPES / "reference" / "davidson-2d.toml"
RESULT = Path(__file__).with_suffix(".json")
SEEDS = (1, 2, 3)
FIGURES = ("importance_weighted", "exact", "elbo", "reconstruction", "kl", "inference_gap")
COLUMNS = "{:10} {:>8} {:>20} {:>9} {:>9} {:>15} {:>6} {:>14}"

PUBLISHED = {
    "source": "Davidson et al. 2018, arXiv:1804.00891, Table 1, N-VAE, d = 2",
    "importance_weighted": -135.73,
    "deviation": 0.83,
    "elbo": -137.08,
    "reconstruction": -129.84,
    "kl": 7.24,
}
"""The paper's figures, in nats per image."""


def measure(
    vae: VariationalAutoencoder, images: UInt8[np.ndarray, "images ..."], progress: Progress
) -> dict[str, Any]:
    """Measure one trained network, on the same binarised test images as our own models."""
    likelihood = measure_likelihood(vae, images)
    assert likelihood
    bound = measure_bound(vae, images)["binarised"]
    return {
        **{name: {**bound, **likelihood}[name] for name in FIGURES},
        "exact_check": likelihood["exact_check"],
        "best_epoch": best_epoch(progress),
        "epochs": progress.epoch,
        "protocol": likelihood["protocol"],
    }


def summarise(recipe: Recipe, seeds: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Return the content of reference.json: published figures, ours by seed, mean and deviation.

    `deviation` is the sample standard deviation over seeds; it is None for a single seed.
    """
    columns = {name: [figures[name] for figures in seeds.values()] for name in FIGURES}
    return {
        "published": PUBLISHED,
        "mean": {name: round(mean(values), 3) for name, values in columns.items()},
        "deviation": {
            name: round(stdev(values), 3) if len(values) > 1 else None
            for name, values in columns.items()
        },
        "seeds": {str(seed): figures for seed, figures in seeds.items()},
        "protocol": _protocol(recipe),
    }


def _protocol(recipe: Recipe) -> str:
    training = recipe.training
    warm = round(training.kl_warmup * training.epochs)
    encoder = "-".join(map(str, (MNIST_SHAPE.numbers, *recipe.encoder.hidden, recipe.latent_dim)))
    return (
        f"network {encoder} and back, {recipe.encoder.activation}, diagonal posterior with the "
        f"logarithm of its variance as output; MNIST, pixels drawn afresh in every batch; Adam "
        f"{training.learning_rate:g}, batches of {training.batch_size}; KL weight from 0 to 1 over "
        f"{warm} epochs; the last {training.held_out:,} training images validate; stopped "
        f"{LOOK_AHEAD} epochs after the best validation ELBO, the warm-up not counted, and after "
        f"{training.epochs} at the latest, a limit that the paper does not have; the weights of "
        f"the best epoch are measured; nats per image"
    )


def _table(result: dict[str, Any]) -> Iterable[str]:
    yield COLUMNS.format("", "epoch", *FIGURES)
    rows = {"published": result["published"]}
    rows |= {f"seed {seed}": figures for seed, figures in result["seeds"].items()}
    rows |= {name: result[name] for name in ("mean", "deviation")}
    for title, figures in rows.items():
        values = [figures.get(name) for name in FIGURES]
        shown = ["-" if value is None else f"{value:.2f}" for value in values]
        yield COLUMNS.format(title, figures.get("best_epoch", "-"), *shown)


def main(arguments: list[str] | None = None) -> int:
    """Train each seed, unless it is trained; measure, and write and print the result."""
    parser = argparse.ArgumentParser(
        prog="python -m model.evaluation.reference",
        description="train the reference network of Davidson et al. 2018 and measure it; "
        "a run that was cut off goes on from its last epoch",
    )
    parser.add_argument("--data", type=Path, default=DATA_FOLDER, help="default: %(default)s")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="default: %(default)s")
    parser.add_argument("--to", type=Path, default=RESULT, help="default: %(default)s")
    parsed = parser.parse_args(arguments)
    torch.set_num_threads(1)
    seeds: dict[int, dict[str, Any]] = {}
    try:
        recipe = Recipe.load(RECIPE)
        images, test = train_set(recipe.dataset, parsed.data).images, test_set(recipe.dataset)
        for seed in SEEDS:
            state_path = parsed.runs / f"{recipe.id}-{seed}" / "state.safetensors"
            vae, progress = train(replace(recipe, seed=seed), images, state_path)
            seeds[seed] = measure(vae, test.images, progress)
            result = summarise(recipe, seeds)
            parsed.to.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            print("\n".join(_table(result)))
    except ModelError as error:
        print(f"python -m model.evaluation.reference: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
