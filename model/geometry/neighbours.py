"""The codes nearest to a latent.

Shapes: N codes, D latent dimensions, K neighbours, M of them and who is as far as the last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8


@dataclass(frozen=True)
class Neighbours:
    """The nearest codes, nearest first; of equally near ones the first in the data set's order."""

    indices: Int64[np.ndarray, " neighbours"]
    """Of their images in the data set."""
    labels: UInt8[np.ndarray, " neighbours"]
    distances: Float[np.ndarray, " neighbours"]
    """Euclidean, in latent units."""


def nearest(
    latent: Float[np.ndarray, " latent"],
    codes: Float[np.ndarray, "count latent"],
    labels: UInt8[np.ndarray, " count"],
    count: int,
) -> Neighbours:
    """The `count` codes nearest to a latent in all its dimensions; all codes if they are fewer."""
    offset_ND = torch.from_numpy(codes).double() - torch.from_numpy(latent).double()
    distance_N = offset_ND.square().sum(1).sqrt()
    farthest = distance_N.kthvalue(min(count, len(codes))).values
    (near_M,) = (distance_N <= farthest).nonzero(as_tuple=True)  # in order; ties make it longer
    distance_M, place_M = distance_N[near_M].sort(stable=True)
    index_K = near_M[place_M[:count]].numpy()
    return Neighbours(index_K, labels[index_K], distance_M[:count].numpy())
