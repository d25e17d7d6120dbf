"""A plane: a 2-D slice of latent space that a map shows.

Shapes: N codes, D latent dimensions, F frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from model.errors import PlaneError

PRIOR_SIGMAS = 4.0
"""Every plane shows this much of the prior N(0, I)."""
LATENT_LIMIT = 10_000.0
"""Largest norm of a latent; no prior, code or plane comes near it."""
DEEPEST_ZOOM = 8
"""Deepest zoom of tiles; there, neighbouring cells look the same."""

Extent = tuple[tuple[float, float], tuple[float, float]]


def as_extent(corners: Float[np.ndarray, "2 2"]) -> Extent:
    """Return two corners as plain floats."""
    (u0, v0), (u1, v1) = corners.tolist()
    return ((u0, v0), (u1, v1))


@dataclass(frozen=True)
class Plane:
    """latent = origin + u axes[0] + v axes[1], shown from extent[0] to extent[1]."""

    id: str
    title: str
    origin: Float[np.ndarray, " latent"]
    axes: Float[np.ndarray, "2 latent"]
    """Orthonormal, so lengths in the plane are lengths in latent space."""
    extent: Extent
    """((u0, v0), (u1, v1)), a square that covers the codes and 4 sigma of the prior."""

    def project(self, latents: Float[np.ndarray, "count latent"]) -> Float[np.ndarray, "count 2"]:
        """Return the (u, v) of each latent's nearest point in the plane."""
        # Not a matrix product: NumPy's own starts threads, which wait for a busy processor.
        return np.asarray(np.einsum("nd,ad->na", latents - self.origin, self.axes))

    def lift(self, points: Float[np.ndarray, "count 2"]) -> Float[np.ndarray, "count latent"]:
        """Return the latent at each (u, v)."""
        return np.asarray(self.origin + points @ self.axes)

    def grid(self, cells: int) -> Float[np.ndarray, "cells*cells 2"]:
        """Return the (u, v) of the centres of cells x cells squares, row by row from the top."""
        return self._at(_centres(cells) / cells)

    def tile(self, zoom: int, x: int, y: int, cells: int) -> Float[np.ndarray, "cells*cells 2"]:
        """Return the (u, v) of the cell centres of a tile, row by row from the top.

        At each zoom, 2^zoom x 2^zoom tiles of cells x cells make up the extent; x counts them from
        the left, y from the top.

        Raises:
            PlaneError: There is no such tile.
        """
        if not 0 <= zoom <= DEEPEST_ZOOM:
            raise PlaneError(f"There are tiles of the zooms 0 to {DEEPEST_ZOOM}.")
        most = (1 << zoom) - 1
        if not (0 <= x <= most and 0 <= y <= most):
            raise PlaneError(f"At zoom {zoom} there are tiles 0 to {most} in x and in y.")
        corner = (cells * x, cells * y)
        return self._at((_centres(cells) + corner) / (cells << zoom))

    def _at(self, places: Float[np.ndarray, "places 2"]) -> Float[np.ndarray, "places 2"]:
        """Return the (u, v) of places given as shares of the extent from the left and the top."""
        (u0, v0), (u1, v1) = self.extent
        return np.asarray((u0, v1) + places * (u1 - u0, v0 - v1))


@cache
def _centres(cells: int) -> Float[np.ndarray, "cells*cells 2"]:
    """Return the centres of cells x cells unit squares, row by row, from the left and the top."""
    every = np.arange(cells) + 0.5
    return np.stack(np.meshgrid(every, every), axis=-1).reshape(-1, 2)


class Frame(NamedTuple):
    """A plane whose extent is not yet known."""

    id: str
    title: str
    origin: Float[np.ndarray, " latent"]
    axes: Float[np.ndarray, "2 latent"]


def main_plane(codes: Float[np.ndarray, "count latent"]) -> Plane:
    """Return the plane that opens first: all of a 2-D space, else the first principal axes.

    Raises:
        ValueError: The latents have fewer than two dimensions.
    """
    latent_dim = codes.shape[1]
    if latent_dim < 2:
        raise ValueError(f"a plane needs two dimensions; the codes have {latent_dim}")
    if latent_dim == 2:
        frame = Frame("latent", "The latent plane", np.zeros(2), np.eye(2))
    else:
        origin = codes.mean(axis=0, dtype=np.float64)
        axes = principal_axes(covariance_of(codes))[:2]
        frame = Frame("pca-0-1", "Principal axes 1 and 2", origin, axes)
    return spanned([frame], codes)[0]


def covariance_of(
    codes: Float[np.ndarray, "count latent"],
) -> Float[np.ndarray, "latent latent"]:
    """Return the unbiased covariance of codes, in double precision."""
    offset_ND = codes - codes.mean(axis=0, dtype=np.float64)
    return np.asarray(np.einsum("nd,ne->de", offset_ND, offset_ND) / (len(codes) - 1))


def principal_axes(
    covariance: Float[np.ndarray, "latent latent"],
) -> Float[np.ndarray, "latent latent"]:
    """Return the directions of greatest variance as rows, the widest first.

    The largest number of each is positive, so that no axis flips by chance.
    """
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors.T[::-1]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return np.asarray(axes * signs[:, None])


def spanned(frames: Sequence[Frame], codes: Float[np.ndarray, "count latent"]) -> list[Plane]:
    """Return each frame as a plane that shows all codes and 4 sigma of the prior.

    Its extent is the smallest such square. All frames are taken together, because one pass over the
    codes costs little more for many than for one. PyTorch computes them because it keeps to one
    thread; NumPy starts several, which take a second on a busy processor.
    """
    axes_F2D = np.stack([frame.axes for frame in frames])
    origin_FD = np.stack([frame.origin for frame in frames])
    origin_F2 = np.einsum("fad,fd->fa", axes_F2D, origin_FD)
    code_ND = torch.from_numpy(np.ascontiguousarray(codes)).double()
    along_F2N = torch.from_numpy(axes_F2D) @ code_ND.T
    low_F2, high_F2 = (end.numpy() for end in torch.aminmax(along_F2N, dim=-1))
    low_F2 = np.minimum(low_F2, -PRIOR_SIGMAS) - origin_F2
    high_F2 = np.maximum(high_F2, PRIOR_SIGMAS) - origin_F2
    centre_F2 = (low_F2 + high_F2) / 2
    half_F1 = (high_F2 - low_F2).max(axis=-1, keepdims=True) / 2
    corners_F22 = np.stack([centre_F2 - half_F1, centre_F2 + half_F1], axis=1)
    return [
        Plane(*frame, as_extent(corners))
        for frame, corners in zip(frames, corners_F22, strict=True)
    ]
