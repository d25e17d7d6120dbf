"""Training speed: images per second of fitting a recipe's networks against the bare networks.

Bare is what no training can avoid: forward through encoder and decoder, the cross-entropy of every
pixel, and backward through all of it, as PyTorch does it unless told otherwise; `+ Adam` is that
with a step of the optimiser, and the last column that again with the quick products which our
training uses where the processor has them. Ours adds what the objective needs: the batch from the
data and its binarisation, posterior, sampling, KL, bounds and the moving average.

Then 784-400-20 against the way in which the public PyTorch example trains it (`example.py` says
what stands in for what), on one thread and on all cores, which both take if nobody says otherwise.

All run in turns, and the best of the rounds counts, so that other work on the machine disturbs the
ratios little.

    python -m benchmarks.training [RECIPE ...]
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import example
from model.data.datasets import test_set
from model.image_shape import MNIST_SHAPE
from model.recipes.recipe import Recipe
from model.training.optimisation import Average, products
from model.training.stages import Fit, Images
from model.vae.autoencoder import build_autoencoder

RECIPES = ("mnist-vae-2d-best", "mnist-ae-2d", "mnist-vae-20d", "mnist-conv-vae-2d", "mnist-vqvae")
PUBLIC = "mnist-vae-20d"
"""The recipe of the same network, batch and optimiser as the public example's."""
ROUNDS = 8
STEPS = 12

Step = Callable[[], object]


def steps_of(recipe: Recipe) -> tuple[Step, Step, Step, Step]:
    """A step of training, of the bare networks, of these with Adam, and so with our products."""
    torch.manual_seed(recipe.seed)
    grey = torch.from_numpy(test_set(recipe.dataset).images.reshape(-1, MNIST_SHAPE.numbers).copy())
    images = Images(grey, grey, recipe.training.binarise)
    autoencoder = build_autoencoder(recipe)
    stage = Fit(autoencoder, images, recipe)
    parameters = list(autoencoder.parameters())
    optimiser, other = (
        torch.optim.Adam(parameters, lr=recipe.training.learning_rate, fused=True) for _ in range(2)
    )
    average = Average(parameters, recipe.training.ema)
    losses = _endless(stage)

    @products()
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

    def with_adam() -> None:
        bare()
        other.step()

    return train, bare, with_adam, products()(with_adam)


def _endless(stage: Fit) -> Iterator[Tensor]:
    return itertools.chain.from_iterable(stage.losses(epoch) for epoch in itertools.count())


def in_turns(*steps: Step) -> list[tuple[float, float]]:
    """The least processor and wall time of each step, in seconds."""
    best = [(float("inf"), float("inf"))] * len(steps)
    for _ in range(ROUNDS):
        for number, step in enumerate(steps):
            cpu, wall = _seconds(step)
            best[number] = min(best[number][0], cpu), min(best[number][1], wall)
    return best


def _seconds(step: Step) -> tuple[float, float]:
    step()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(STEPS):
        step()
    return (time.process_time() - cpu) / STEPS, (time.perf_counter() - wall) / STEPS


def _against_the_bare_networks(names: list[str]) -> None:
    print("| recipe | training | bare | ratio | bare + Adam | ratio | so, our products | ratio |")
    print(f"|---{'|---' * 7}|")
    for name in names:
        recipe = Recipe.load(name)
        ours, *others = (cpu for cpu, _ in in_turns(*steps_of(recipe)))
        cells = [f"{recipe.training.batch_size / ours:,.0f}"]
        for other in others:
            cells += [f"{recipe.training.batch_size / other:,.0f}", f"{other / ours:.2f}"]
        print(f"| `{name}` | {' | '.join(cells)} |")


def _against_the_example() -> None:
    recipe = Recipe.load(PUBLIC)
    assert recipe.training.batch_size == example.BATCH
    train, *_ = steps_of(recipe)
    public = example.losses(test_set(recipe.dataset))
    print(
        "| threads | example, ms a batch | ours | times by wall | by CPU |\n|---|---|---|---|---|"
    )
    for threads in sorted({1, os.cpu_count() or 1}):
        torch.set_num_threads(threads)
        (our_cpu, our_wall), (cpu, wall) = in_turns(train, lambda: next(public))
        times = f"{wall / our_wall:.2f} | {cpu / our_cpu:.2f}"
        print(f"| {threads} | {1e3 * wall:.2f} | {1e3 * our_wall:.2f} | {times} |")


def main() -> None:
    """Print a row a recipe, and one of the example."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    names = parser.parse_args().recipes
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print(
        f"torch {torch.__version__}, one thread; images per CPU second, best of {ROUNDS} rounds\n"
    )
    _against_the_bare_networks(names)
    print(f"\n`{PUBLIC}` against the public example's way, {example.BATCH} images a batch\n")
    _against_the_example()


if __name__ == "__main__":
    main()
