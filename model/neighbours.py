"""The codes nearest to a latent.

Shapes: N codes, D latent dimensions, K neighbours.
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
    distance_N, index_N = offset_ND.norm(dim=1).sort(stable=True)
    index_K = index_N[:count].numpy()
    return Neighbours(index_K, labels[index_K], distance_N[:count].numpy())
