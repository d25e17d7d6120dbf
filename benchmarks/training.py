"""Training speed: images per second of fitting a recipe's networks against the bare networks.

Bare is what no training can avoid: forward through encoder and decoder, the cross-entropy of every
pixel, and backward through all of it. Ours adds what the objective needs: the batch from the data
and its binarisation, posterior, sampling, KL, Adam, bounds and the moving average. Both run in
turns, and the best of the rounds counts, so that other work on the machine disturbs the ratio
little.

    python -m benchmarks.training [RECIPE ...]
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from model.autoencoder import PIXELS, build_autoencoder
from model.data.datasets import test_set
from model.recipe import Recipe
from model.training.optimisation import Average
from model.training.stages import Fit, Images

RECIPES = ("mnist-vae-2d-best", "mnist-ae-2d", "mnist-vae-20d", "mnist-conv-vae-2d", "mnist-vqvae")
ROUNDS = 6
STEPS = 12


def measure(recipe: Recipe) -> tuple[float, float]:
    """Images per CPU second: of training, and of the bare network."""
    torch.manual_seed(recipe.seed)
    grey = torch.from_numpy(test_set(recipe.dataset).images.reshape(-1, PIXELS).copy())
    images = Images(grey, grey, recipe.training.binarise)
    autoencoder = build_autoencoder(recipe)
    stage = Fit(autoencoder, images, recipe)
    parameters = list(autoencoder.parameters())
    optimiser = torch.optim.Adam(parameters, lr=recipe.training.learning_rate, fused=True)
    average = Average(parameters, recipe.training.ema)
    losses = _endless(stage)

    def train() -> None:
        loss = next(losses)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        stage.constrain()
        average.update(1000)

    image_BP = grey[: recipe.training.batch_size].float() / 255
    width = recipe.latent_dim * (recipe.codebook.dimensions if recipe.codebook else 1)

    def bare() -> None:
        optimiser.zero_grad()
        z_BD = autoencoder.encoder(image_BP)[:, :width]
        loss = F.binary_cross_entropy_with_logits(autoencoder.decoder(z_BD), image_BP)
        torch.autograd.backward(loss)

    best = {train: 0.0, bare: 0.0}
    for _ in range(ROUNDS):
        for step in best:
            speed = STEPS * recipe.training.batch_size / _cpu_seconds(step)
            best[step] = max(best[step], speed)
    return best[train], best[bare]


def _endless(stage: Fit) -> Iterator[Tensor]:
    return itertools.chain.from_iterable(stage.losses(epoch) for epoch in itertools.count())


def _cpu_seconds(step: Callable[[], None]) -> float:
    step()
    start = time.process_time()
    for _ in range(STEPS):
        step()
    return time.process_time() - start


def main() -> None:
    """Print a row a recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print(f"torch {torch.__version__}, one thread; images per CPU second, best of {ROUNDS} rounds")
    print(f"{'recipe':20} {'training':>10} {'bare':>10} {'ratio':>7}")
    for name in parser.parse_args().recipes:
        ours, bare = measure(Recipe.load(name))
        print(f"{name:20} {ours:10,.0f} {bare:10,.0f} {ours / bare:7.2f}")


if __name__ == "__main__":
    main()
