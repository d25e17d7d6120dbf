"""The density of codes in a plane: the mixture of all posteriors, projected.

Shapes: N codes, G points of the plane, F = 6 features: 1, u, v, u^2, u v, v^2.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

LOWEST_EXPONENT = -700.0
"""exp of less is a denormal number, for which processors take ten times as long."""


class Mixture:
    """Gaussians of equal weight in a plane, in double precision.

    The exponents of all Gaussians at all points are one matrix product, of the points' features
    and the Gaussians' coefficients.

    Args:
        means: Their means (u, v).
        covariances: Their covariances, positive definite.
    """

    def __init__(
        self,
        means: Float[np.ndarray, "codes 2"],
        covariances: Float[np.ndarray, "codes 2 2"],
    ) -> None:
        uu_N, uv_N, vv_N = (covariances[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
        det_N = uu_N * vv_N - uv_N**2
        a_N, b_N, c_N = vv_N / det_N, -uv_N / det_N, uu_N / det_N  # the precision matrix
        u_N, v_N = means.astype(np.float64).T
        log_peak_N = -0.5 * np.log(det_N) - math.log(2 * math.pi * len(means))
        at_zero_N = log_peak_N - 0.5 * (a_N * u_N**2 + 2 * b_N * u_N * v_N + c_N * v_N**2)
        along_u_N, along_v_N = a_N * u_N + b_N * v_N, b_N * u_N + c_N * v_N
        parts = [at_zero_N, along_u_N, along_v_N, -0.5 * a_N, -b_N, -0.5 * c_N]
        self._coefficient_FN = torch.from_numpy(np.stack(parts))

    def density(self, points: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, " points"]:
        """Return the density at points, per squared unit of the plane."""
        u_G, v_G = torch.from_numpy(points).double().T
        feature_GF = torch.stack([torch.ones_like(u_G), u_G, v_G, u_G**2, u_G * v_G, v_G**2], 1)
        exponent_GN: Tensor = feature_GF @ self._coefficient_FN
        density_GN = exponent_GN.clamp_(min=LOWEST_EXPONENT).exp_()
        return np.asarray(density_GN.sum(1).numpy())


def smoothed(
    covariances: Float[np.ndarray, "codes 2 2"] | None, count: int, cell: float
) -> Float[np.ndarray, "codes 2 2"]:
    """Return covariances widened by one cell's width.

    Without it a posterior narrower than a cell would fall between the points. The codes of an
    autoencoder are points, so the widening is their whole covariance.
    """
    widening_N22 = np.broadcast_to(cell**2 * np.eye(2), (count, 2, 2))
    return widening_N22.copy() if covariances is None else covariances + widening_N22
