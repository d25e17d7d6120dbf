"""Paths from one latent to another.

Shapes: K steps, D latent dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class LatentPath:
    latents: Float[np.ndarray, "steps latent"]
    step_lengths: Float[np.ndarray, " steps-1"]
    metric: str
    """The metric of the step lengths; "euclidean" is in latent units."""
    straight_length: float | None = None
    """For a geodesic, the length of the straight path in the same metric."""


def linear_path(
    start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"], steps: int
) -> LatentPath:
    """Return z_i = (1 - t_i) start + t_i end, with t_i in equal steps from 0 to 1."""
    t_K1 = np.linspace(0, 1, steps)[:, None]
    return _measured((1 - t_K1) * start + t_K1 * end)


def spherical_path(
    start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"], steps: int
) -> LatentPath:
    """Turn the direction at constant speed (slerp) while the norm changes linearly.

    In many dimensions the prior's mass lies in a shell, which a straight line would leave. For
    opposite or zero ends, between which the direction is not unique, the path is linear.

    Source: White 2016, arXiv:1609.04468; Shoemake 1985 for slerp.
    """
    start, end = start.astype(np.float64), end.astype(np.float64)
    norms = np.linalg.norm([start, end], axis=1)
    if norms.min() < 1e-12:
        return linear_path(start, end, steps)
    from_D, to_D = start / norms[0], end / norms[1]
    angle = np.arccos(np.clip(from_D @ to_D, -1, 1))
    if np.sin(angle) < 1e-6:
        return linear_path(start, end, steps)
    t_K1 = np.linspace(0, 1, steps)[:, None]
    turned_KD = np.sin((1 - t_K1) * angle) * from_D + np.sin(t_K1 * angle) * to_D
    norm_K1 = (1 - t_K1) * norms[0] + t_K1 * norms[1]
    return _measured(norm_K1 * turned_KD / np.sin(angle))


def _measured(latents_KD: Float[np.ndarray, "steps latent"]) -> LatentPath:
    lengths = np.linalg.norm(np.diff(latents_KD, axis=0), axis=1)
    return LatentPath(latents_KD.astype(np.float32), lengths.astype(np.float32), "euclidean")
