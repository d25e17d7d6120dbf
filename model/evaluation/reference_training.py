"""Training with a KL warm-up and early stopping, for the reference network.

Shapes: N images, B batch, P pixels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from model.recipes.recipe import Recipe
from model.training.run import epoch_seed
from model.training.stages import FOLLOW_SEED, Images
from model.training.state import (
    Progress,
    load_optimiser,
    load_state,
    optimiser_tensors,
    save_state,
)
from model.vae.autoencoder import VariationalAutoencoder, build_autoencoder
from model.vae.objective import sampled_elbo

LOOK_AHEAD = 50
"""Epochs without a better validation ELBO after which training stops."""


def train(
    recipe: Recipe,
    images: UInt8[np.ndarray, "images ..."],
    state_path: Path,
    *,
    look_ahead: int = LOOK_AHEAD,
    say: Callable[[str], object] = print,
) -> tuple[VariationalAutoencoder, Progress]:
    """Train with early stopping; resume from `state_path` if there is a state.

    The KL weight rises linearly from 0 to 1. Epochs during the rise never count as being without
    progress. The validation ELBO always has the full KL.

    Args:
        recipe: Network, batch size, warm-up, and the most epochs.
        images: Training images; the last `held_out` of them validate.
        state_path: The file that keeps the run's state after every epoch.
        look_ahead: Epochs without progress after which it stops.
        say: Called with a line after each epoch.

    Returns:
        The weights of the best validation ELBO, and the run's progress with its history.
    """
    torch.set_flush_denormal(True)
    torch.manual_seed(recipe.seed)
    vae = build_reference(recipe)
    optimiser = torch.optim.Adam(vae.parameters(), lr=recipe.training.learning_rate, fused=True)
    data = _split(images, recipe.training.held_out)
    progress = Progress({"id": recipe.id, "seed": recipe.seed})
    best = _copy(vae)
    if state_path.exists():
        progress, tensors = load_state(state_path, progress)
        vae.load_state_dict(_named(tensors, "weights."))
        best = _named(tensors, "best.")
        load_optimiser(optimiser, tensors)
    while not _is_over(progress, recipe, look_ahead):
        started = time.perf_counter()
        loss = _run_epoch(vae, optimiser, data, recipe, progress.epoch)
        followed = _validate(vae, data)
        if followed["elbo"] > max((entry["elbo"] for entry in progress.history), default=-math.inf):
            best = _copy(vae)
        progress.epoch += 1
        seconds = time.perf_counter() - started
        progress.seconds += seconds
        entry = {"epoch": progress.epoch, "train_loss": loss, **followed}
        progress.history.append({**entry, "seconds": round(seconds, 2)})
        kept = {"weights.": _copy(vae), "best.": best}
        named = {prefix + name: t for prefix, part in kept.items() for name, t in part.items()}
        save_state(state_path, progress, {**named, **optimiser_tensors(optimiser)})
        say(f"seed {recipe.seed}  " + "  ".join(f"{k} {v:.2f}" for k, v in entry.items()))
    vae.load_state_dict(best)
    return vae.requires_grad_(False).eval(), progress


def build_reference(recipe: Recipe) -> VariationalAutoencoder:
    """Build the recipe's network with weights after Glorot & Bengio 2010, and biases of 0."""
    vae = build_autoencoder(recipe)
    assert isinstance(vae, VariationalAutoencoder)
    for module in vae.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    return vae


def best_epoch(progress: Progress) -> int:
    """Return the epoch of the best validation ELBO; 0 before the first."""
    return max(progress.history, key=lambda entry: entry["elbo"], default={"epoch": 0})["epoch"]


def _is_over(progress: Progress, recipe: Recipe, look_ahead: int) -> bool:
    warm = recipe.training.kl_warmup * recipe.training.epochs
    waited = progress.epoch - max(best_epoch(progress), warm)
    return progress.epoch >= recipe.training.epochs or waited >= look_ahead


def _split(images: UInt8[np.ndarray, "images ..."], held_out: int) -> Images:
    grey_NP = torch.from_numpy(images.reshape(len(images), -1).copy())
    return Images(grey_NP[:-held_out], grey_NP[-held_out:], binarise=True)


def _run_epoch(
    vae: VariationalAutoencoder,
    optimiser: torch.optim.Optimizer,
    data: Images,
    recipe: Recipe,
    epoch: int,
) -> float:
    torch.manual_seed(epoch_seed(recipe.seed, 0, epoch))
    size = recipe.training.batch_size
    steps = len(data.train_NP) // size
    warm = recipe.training.kl_warmup * recipe.training.epochs * steps
    total = torch.zeros(())
    for i, image_BP in enumerate(data.batches(size)):
        beta = min(1.0, (epoch * steps + i) / warm) if warm else 1.0
        noise_BD = torch.randn(len(image_BP), vae.latent_dim)
        loss = -sampled_elbo(vae, image_BP, noise_BD, beta=beta).total.mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        total += loss.detach()
    return (total / steps).item()


@torch.inference_mode()
def _validate(vae: VariationalAutoencoder, data: Images) -> dict[str, float]:
    """Take one sample for each image, with the same pixels and noise in every epoch."""
    torch.manual_seed(FOLLOW_SEED)
    sums = torch.zeros(2, dtype=torch.float64)
    for grey_BP in torch.split(data.followed_NP, 1000):
        image_BP = data.intensities(grey_BP)
        bound = sampled_elbo(vae, image_BP, torch.randn(len(image_BP), vae.latent_dim))
        sums += torch.stack([bound.reconstruction.double().sum(), bound.kl.double().sum()])
    likelihood, kl = (sums / len(data.followed_NP)).tolist()
    return {"reconstruction": likelihood, "kl": kl, "elbo": likelihood - kl}


def _copy(vae: VariationalAutoencoder) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in vae.state_dict().items()}


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
