"""A plane: the 2-D slice of latent space that a map shows.

Shapes: N codes, D latent dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

PRIOR_SIGMAS = 4.0
"""A plane always shows this much of the prior N(0, I)."""

Extent = tuple[tuple[float, float], tuple[float, float]]


def as_extent(corners: Float[np.ndarray, "2 2"]) -> Extent:
    """Two corners as plain floats."""
    (u0, v0), (u1, v1) = corners.tolist()
    return ((u0, v0), (u1, v1))


@dataclass(frozen=True)
class Plane:
    """latent = origin + u axes[0] + v axes[1], seen from extent[0] to extent[1]."""

    id: str
    title: str
    origin: Float[np.ndarray, " latent"]
    axes: Float[np.ndarray, "2 latent"]
    """Orthonormal, so lengths in the plane are lengths in latent space."""
    extent: Extent
    """((u0, v0), (u1, v1)), a square that covers the codes and 4 sigma of the prior."""

    def project(self, latents: Float[np.ndarray, "count latent"]) -> Float[np.ndarray, "count 2"]:
        """The (u, v) of each latent's nearest point in the plane."""
        return np.asarray((latents - self.origin) @ self.axes.T)

    def lift(self, points: Float[np.ndarray, "count 2"]) -> Float[np.ndarray, "count latent"]:
        """The latent at each (u, v)."""
        return np.asarray(self.origin + points @ self.axes)

    def grid(self, cells: int) -> Float[np.ndarray, "cells*cells 2"]:
        """The (u, v) of the centres of cells x cells equal squares, row by row from the top."""
        (u0, v0), (u1, v1) = self.extent
        step = (np.arange(cells) + 0.5) / cells
        u, v = np.meshgrid(u0 + step * (u1 - u0), v1 - step * (v1 - v0))
        return np.stack([u.ravel(), v.ravel()], axis=1)


def main_plane(codes: Float[np.ndarray, "count latent"]) -> Plane:
    """The plane on which a model opens: all of a 2-D space, else the first principal axes.

    Raises:
        ValueError: The latents have fewer than two dimensions.
    """
    latent_dim = codes.shape[1]
    if latent_dim < 2:
        raise ValueError(f"a plane needs two dimensions; the codes have {latent_dim}")
    if latent_dim == 2:
        return _spanned("latent", "The latent plane", np.zeros(2), np.eye(2), codes)
    origin = codes.mean(axis=0, dtype=np.float64)
    _, vectors = np.linalg.eigh(np.cov(codes.T.astype(np.float64)))
    axes = vectors.T[::-1][:2]
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    return _spanned("pca-0-1", "Principal axes 1 and 2", origin, axes * signs[:, None], codes)


def _spanned(
    name: str,
    title: str,
    origin: Float[np.ndarray, " latent"],
    axes: Float[np.ndarray, "2 latent"],
    codes: Float[np.ndarray, "count latent"],
) -> Plane:
    points = (codes - origin) @ axes.T
    prior_centre = -origin @ axes.T
    low = np.minimum(points.min(axis=0), prior_centre - PRIOR_SIGMAS)
    high = np.maximum(points.max(axis=0), prior_centre + PRIOR_SIGMAS)
    centre, half = (low + high) / 2, (high - low).max() / 2
    extent = as_extent(np.stack([centre - half, centre + half]))
    return Plane(name, title, origin, axes, extent)
