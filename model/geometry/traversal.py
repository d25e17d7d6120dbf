"""Traversals: one number of the latent moves, and all others stay.

Shapes: N codes, D latent dimensions, R rows, S steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from model.card import Card

ACTIVE_VARIANCE = 0.01
"""Of a VAE's posterior means, as its measures have it (Burda et al. 2016, arXiv:1509.00519)."""
ACTIVE_SHARE = 0.01
"""An autoencoder has no unit: its least active number has this part of the greatest variance."""


@dataclass(frozen=True)
class Activity:
    """How much each number of a model's latent tells of the images."""

    measure: str
    """`kl`, the mean KL to the prior in nats; or `variance` of the codes, where nobody measured."""
    values: Float[np.ndarray, " latent"]
    sigmas: Float[np.ndarray, " latent"]
    """A standard deviation of each: 1 of a VAE's prior, or that of an autoencoder's codes."""
    active: tuple[int, ...]
    """The numbers in use, the most active first."""
    inactive: tuple[int, ...]
    """The others, whose codes hardly differ from image to image."""


def activity_of(card: Card, codes: Float[np.ndarray, "codes latent"]) -> Activity:
    """Return the activity of each number of a latent, by the card's measures or by the codes."""
    variances = codes.var(axis=0, dtype=np.float64)
    block = card.metrics.get("latents")
    measured = block.get("kl_per_dimension") if isinstance(block, dict) else None
    is_measured = isinstance(measured, list) and len(measured) == len(variances)
    values = np.array(measured, np.float64) if is_measured else variances
    is_vae = card.family == "vae"
    least = ACTIVE_VARIANCE if is_vae else ACTIVE_SHARE * variances.max()
    order = np.argsort(-values, kind="stable").tolist()
    return Activity(
        "kl" if is_measured else "variance",
        values,
        np.ones_like(variances) if is_vae else np.sqrt(variances),
        tuple(index for index in order if variances[index] > least),
        tuple(index for index in order if variances[index] <= least),
    )


@dataclass(frozen=True)
class Traversal:
    """Latents in rows: in each, one number moves."""

    dimensions: tuple[int, ...]
    """The number that moves in each row, counted from 0."""
    offsets: Float[np.ndarray, "rows steps"]
    """What each step of a row adds to its number, in latent units."""
    latents: Float[np.ndarray, "rows*steps latent"]
    """Row by row."""


def traverse(
    latent: Float[np.ndarray, " latent"],
    activity: Activity,
    dimensions: Sequence[int],
    steps: int,
    reach: float,
) -> Traversal:
    """Move some numbers of a latent, one at a time, by `-reach` to `reach` deviations."""
    offset_RS = activity.sigmas[list(dimensions), None] * np.linspace(-reach, reach, steps)
    latent_RSD = np.tile(latent.astype(np.float64), (*offset_RS.shape, 1))
    for row, dimension in enumerate(dimensions):
        latent_RSD[row, :, dimension] += offset_RS[row]
    latents = latent_RSD.reshape(-1, len(latent)).astype(np.float32)
    return Traversal(tuple(dimensions), offset_RS, latents)
