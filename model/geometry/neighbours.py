"""The codes nearest to a latent.

Shapes: N codes, D latent dimensions, K neighbours, M codes no farther than the last neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8


@dataclass(frozen=True)
class Neighbours:
    """The nearest codes, nearest first; equally near ones in the data set's order."""

    indices: Int64[np.ndarray, " neighbours"]
    """Indices of their images in the data set."""
    labels: UInt8[np.ndarray, " neighbours"]
    distances: Float[np.ndarray, " neighbours"]
    """Euclidean, in latent units."""


def nearest(
    latent: Float[np.ndarray, " latent"],
    codes: Float[np.ndarray, "count latent"],
    labels: UInt8[np.ndarray, " count"],
    count: int,
) -> Neighbours:
    """Return the `count` codes nearest to a latent, in all dimensions; all codes if fewer exist."""
    offset_ND = torch.from_numpy(codes).double() - torch.from_numpy(latent).double()
    distance_N = offset_ND.square().sum(1).sqrt()
    farthest = distance_N.kthvalue(min(count, len(codes))).values
    (near_M,) = (distance_N <= farthest).nonzero(as_tuple=True)  # in order, with ties
    distance_M, place_M = distance_N[near_M].sort(stable=True)
    index_K = near_M[place_M[:count]].numpy()
    return Neighbours(index_K, labels[index_K], distance_M[:count].numpy())
