"""The latent dimensions: how much information they carry, and which are in use.

Shapes: N images, B a block of them, D latent dimensions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from model.evaluation.completeness import Mixture
from model.evaluation.space import standard_normal
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.dataset_elbo import intensities

ACTIVE_VARIANCE = 0.01
SEED = 0


def measure_latents(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."]
) -> dict[str, Any] | None:
    """Measure the mean KL of each latent in nats per image, and count the active latents.

    A latent is active if its posterior mean varies from image to image: Var_x(E[z|x]) > 0.01. An
    inactive one has collapsed: the decoder has learnt to ignore it.

    The mean KL has two parts: what codes tell of which image it is, at most the log of their
    number, and how far all codes together are from the prior.

    Returns:
        `kl_per_dimension` in the order of the latents; `mutual_information` and `marginal_kl`,
        whose sum is the KL; `active_units`, `protocol`. None for a model without a posterior.

    Source: Burda et al. 2016, arXiv:1509.00519, section 5.2 (active units); Hoffman & Johnson 2016,
    "ELBO surgery" (the two parts).
    """
    if not isinstance(autoencoder, VariationalAutoencoder):
        return None
    mean_ND, scale_NDD, kl_ND = _posteriors(autoencoder, images)
    information = mutual_information(mean_ND, scale_NDD)
    return {
        "kl_per_dimension": [round(kl, 3) for kl in kl_ND.mean(0).tolist()],
        "mutual_information": round(information, 3),
        "marginal_kl": round(kl_ND.sum(1).mean().item() - information, 3),
        "active_units": int((mean_ND.var(0) > ACTIVE_VARIANCE).sum()),
        "protocol": (
            f"all {len(images):,} test images, grey levels; mutual information of image and code: "
            f"a draw from each posterior, seed {SEED}, against the mixture of all; "
            f"active: variance of the posterior mean above {ACTIVE_VARIANCE}"
        ),
    }


def mutual_information(
    mean_ND: Float[Tensor, "images latent"], scale_NDD: Float[Tensor, "images latent latent"]
) -> float:
    """Return the mean of log q(z|x) - log q(z) in nats, q(z) the mixture of these posteriors.

    Each posterior is a part of the mixture, so no draw gives more than log N.
    """
    N, D = mean_ND.shape
    mixture = Mixture(mean_ND, scale_NDD @ scale_NDD.mT, 0.0)
    noise_ND = standard_normal(N, D, SEED)
    z_ND = mean_ND + (scale_NDD @ noise_ND[:, :, None])[:, :, 0]
    log_det_N = scale_NDD.diagonal(dim1=1, dim2=2).log().sum(1)
    log_q_N = -0.5 * (noise_ND.square().sum(1) + D * math.log(2 * math.pi)) - log_det_N
    return max(0.0, (log_q_N - mixture.log_density(z_ND)).mean().item())


@torch.inference_mode()
def _posteriors(
    vae: VariationalAutoencoder, images: UInt8[np.ndarray, "images ..."]
) -> tuple[
    Float[Tensor, "images latent"],
    Float[Tensor, "images latent latent"],
    Float[Tensor, "images latent"],
]:
    """Return the posteriors' means, Cholesky factors and the KL of each latent, float64."""
    device = vae.device
    means, scales, kls = [], [], []
    for image_BP in torch.split(torch.from_numpy(intensities(images)), 1000):
        posterior = vae.posterior(image_BP.to(device))
        means.append(posterior.mean.cpu().double())
        scales.append(posterior.scale_tril.cpu().double())
        kls.append(posterior.kl_to_prior().cpu().double())
    return torch.cat(means), torch.cat(scales), torch.cat(kls)
