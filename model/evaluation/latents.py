"""The latent dimensions: how much information each carries, and whether it is in use.

Shapes: N images, B a block of them, D latent dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.dataset_elbo import intensities

ACTIVE_VARIANCE = 0.01


def measure_latents(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images 28 28"]
) -> dict[str, Any] | None:
    """Measure the mean KL of each latent in nats per image, and count the active latents.

    A latent is active if its posterior mean varies from image to image: Var_x(E[z|x]) > 0.01. An
    inactive one has collapsed: the decoder has learnt to ignore it.

    Returns:
        `kl_per_dimension` in the order of the latents, `active_units`, `protocol`. None for a model
        without a posterior.

    Source: Burda et al. 2016, arXiv:1509.00519, section 5.2.
    """
    if not isinstance(autoencoder, VariationalAutoencoder):
        return None
    mean_ND, kl_ND = _posteriors(autoencoder, images)
    return {
        "kl_per_dimension": [round(kl, 3) for kl in kl_ND.mean(0).tolist()],
        "active_units": int((mean_ND.var(0) > ACTIVE_VARIANCE).sum()),
        "protocol": (
            f"all {len(images):,} test images, grey levels; "
            f"active: variance of the posterior mean above {ACTIVE_VARIANCE}"
        ),
    }


@torch.inference_mode()
def _posteriors(
    vae: VariationalAutoencoder, images: UInt8[np.ndarray, "images 28 28"]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the posterior means and the KL of each latent, (N, D) each, float64."""
    device = vae.device
    means, kls = [], []
    for image_BP in torch.split(torch.from_numpy(intensities(images)), 1000):
        posterior = vae.posterior(image_BP.to(device))
        means.append(posterior.mean.cpu().double())
        kls.append(posterior.kl_to_prior().cpu().double())
    return torch.cat(means).numpy(), torch.cat(kls).numpy()
