"""`python -m model.evaluation.factor_reader_training`: train and measure the reader of portraits.

Shapes: B batch, N images, F factors, O outputs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from safetensors.torch import save as save_tensors
from torch import Tensor

from model.checkpoint import sha256
from model.data.datasets import FACES, factors_of_tests, test_set, train_set
from model.data.faces import CHOICES, FACTORS, factor_distance, factor_values
from model.data.portraits import drawn_file
from model.evaluation.classifier import CLASSIFIERS
from model.evaluation.factor_reader import OUTPUTS, FactorReader, ReaderNetwork
from model.vae.dataset_elbo import intensities

SEED = 0
BATCH = 128
EPOCHS = 8
BLURRED = 0.5
"""The share of images in a batch that are blurred, as what a decoder draws is."""
NOISE = 0.05
"""Largest standard deviation of the noise on them."""


def fit(
    images: UInt8[np.ndarray, "images ..."], factors: UInt8[np.ndarray, "images factors"]
) -> ReaderNetwork:
    """Train a network on portraits and their factors as they are stored."""
    torch.manual_seed(SEED)
    rng = torch.Generator().manual_seed(SEED)
    network, target_NF = ReaderNetwork(), torch.from_numpy(factors.astype(np.int64))
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for epoch in range(EPOCHS):
        total = 0.0
        for part in torch.split(torch.randperm(len(images), generator=rng), BATCH):
            image_BHWC = torch.from_numpy(images[part.numpy()]).float() / 255
            seen_BP = _as_a_decoder_draws(image_BHWC, rng).flatten(1)
            loss = _loss(network(seen_BP), target_NF[part])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() * len(part)
        print(f"epoch {epoch + 1}/{EPOCHS}: loss {total / len(images):.4f}", flush=True)
    network.eval()
    return network


def _as_a_decoder_draws(
    image_BHWC: Float[Tensor, "batch height width 3"], rng: torch.Generator
) -> Float[Tensor, "batch height width 3"]:
    """Blur some images over 3 x 3 pixels, and add a little noise to all."""
    planes = image_BHWC.permute(0, 3, 1, 2)
    blurred = F.avg_pool2d(F.pad(planes, (1, 1, 1, 1), mode="replicate"), 3, 1)
    chosen = torch.rand(len(planes), 1, 1, 1, generator=rng) < BLURRED
    planes = torch.where(chosen, blurred, planes)
    size = NOISE * torch.rand(len(planes), 1, 1, 1, generator=rng)
    return (planes + size * torch.randn(planes.shape, generator=rng)).permute(0, 2, 3, 1)


def _loss(
    output_BO: Float[Tensor, "batch outputs"], target_BF: Int64[Tensor, "batch factors"]
) -> Float[Tensor, ""]:
    """Sum the cross-entropies of choices and the squared errors of numbers in shares of a range."""
    total = output_BO.new_zeros(())
    parts = torch.split(output_BO, list(OUTPUTS.values()), dim=1)
    for name, part, target_B in zip(FACTORS, parts, target_BF.T, strict=True):
        if name in CHOICES:
            total = total + F.cross_entropy(part, target_B)
        else:
            total = total + 10 * F.mse_loss(part[:, 0], target_B / 255)
    return total


def accuracies(
    reader: FactorReader,
    images: UInt8[np.ndarray, "images ..."],
    factors: UInt8[np.ndarray, "images factors"],
) -> dict[str, float]:
    """Return of each choice the share read right, and of each number the mean error.

    An error is a share of the factor's range. The colour of the hair cannot be seen on the 9 in 100
    that are bald and shaven.
    """
    found_NF = reader.read(torch.from_numpy(intensities(images)))
    told = {}
    for name, found_N in zip(FACTORS, found_NF.T, strict=True):
        wanted_N = factor_values(factors, name)
        if name in CHOICES:
            told[name] = round(float((found_N == wanted_N).mean()), 4)
            continue
        told[name] = round(float(factor_distance(name, found_N, wanted_N).mean()), 4)
    return told


def write(reader: FactorReader, weights: bytes, folder: Path) -> None:
    """Write the weights and the facts."""
    (folder / "faces.safetensors").write_bytes(weights)
    text = json.dumps(reader.facts, indent=2) + "\n"
    (folder / "faces.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Train, measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--to", type=Path, default=CLASSIFIERS)
    options = parser.parse_args()
    began = time.perf_counter()
    train, tests = train_set(FACES.id, options.data), test_set(FACES.id)
    network = fit(train.images, drawn_file("train-factors-idx2-ubyte"))
    weights = save_tensors(network.state_dict())
    facts: dict[str, Any] = {
        "dataset": FACES.id,
        "sha256": sha256(weights),
        "seconds": round(time.perf_counter() - began),
        "protocol": (
            f"{EPOCHS} epochs of {len(train.images):,} portraits, half of them blurred, all with a "
            f"little noise; measured on {len(tests.images):,} others"
        ),
    }
    reader = FactorReader(network, facts)
    facts["test"] = accuracies(reader, tests.images, factors_of_tests(FACES.id))
    write(reader, weights, options.to)
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
