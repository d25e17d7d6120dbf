"""Refinement: the decoder corrects the encoder's posterior by a round of quadrature.

Shapes: B batch, P pixels, K points; the latents are two.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.vae.posterior import CholeskyPosterior, Posterior

REACH = 3.0
"""Extent of the points, in standard deviations of the posterior to correct."""
POINTS = 5
"""Points on a side of their grid."""
CELL = 2 * REACH / (POINTS - 1)
"""Distance from one point to the next."""
_AXIS = np.linspace(-REACH, REACH, POINTS, dtype=np.float32)
NOISE = np.stack(np.meshgrid(_AXIS, _AXIS, indexing="ij"), axis=-1).reshape(-1, 2)
"""Noise at the points: z = mean + L noise."""
IMAGES_AT_ONCE = 20
"""20 images take 500 decodes, which fit into a CPU's cache; more take five times as long."""


def refine(
    posterior: Posterior,
    image_BP: Float[Tensor, "batch pixels"],
    log_prob: Callable[[Tensor, Tensor], Tensor],
) -> CholeskyPosterior:
    """Estimate the mean and the covariance of p(z|x) from 25 points about q(z|x); return them.

    One pass of an encoder cannot hit a posterior that is a hundredth of the plane wide. Where it
    comes near, a few decodes show where the posterior lies. The grid's cells count as squares and
    not as points, so that further rounds find a posterior narrower than a cell.

    Args:
        posterior: The posterior to correct, of two latents.
        image_BP: Intensities in [0, 1].
        log_prob: (image, z) -> log p(x|z) in nats, a row each.

    Source: Naylor & Smith 1982, "Applications of a method for the efficient computation of
    posterior distributions"; for an encoder's posterior, Hjelm et al. 2016, arXiv:1511.06382.
    """
    parts = zip(
        torch.split(posterior.mean, IMAGES_AT_ONCE),
        torch.split(posterior.scale_tril, IMAGES_AT_ONCE),
        torch.split(image_BP, IMAGES_AT_ONCE),
        strict=True,
    )
    refined = [_refine(mean, scale, image, log_prob) for mean, scale, image in parts]
    mean_B2, scale_B22 = (torch.cat(column) for column in zip(*refined, strict=True))
    log_diagonal_B2 = scale_B22.diagonal(dim1=1, dim2=2).log()
    return CholeskyPosterior(mean_B2, log_diagonal_B2, scale_B22[:, 1, :1])


def _refine(
    mean_B2: Tensor,
    scale_B22: Tensor,
    image_BP: Tensor,
    log_prob: Callable[[Tensor, Tensor], Tensor],
) -> tuple[Float[Tensor, "batch 2"], Float[Tensor, "batch 2 2"]]:
    """Compute the moments in terms of the noise, z = mean + L noise, where no ellipse is thin."""
    noise_K2 = torch.from_numpy(NOISE).to(mean_B2)
    z_BK2 = mean_B2[:, None] + noise_K2 @ scale_B22.mT
    repeated_RP = image_BP.repeat_interleave(len(noise_K2), 0)
    log_prob_BK = log_prob(repeated_RP, z_BK2.flatten(0, 1)).view(len(mean_B2), len(noise_K2))
    weight_BK = (log_prob_BK - 0.5 * z_BK2.square().sum(-1)).softmax(-1)
    shift_B2 = weight_BK @ noise_K2
    offset_BK2 = noise_K2 - shift_B2[:, None]
    spread_B22 = (weight_BK[..., None] * offset_BK2).mT @ offset_BK2
    spread_B22 = spread_B22 + CELL**2 / 12 * torch.eye(2).to(spread_B22)
    moved_B2 = mean_B2 + (scale_B22 @ shift_B2[..., None])[..., 0]
    return moved_B2, scale_B22 @ torch.linalg.cholesky(spread_B22)
