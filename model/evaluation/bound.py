"""The ELBO of the test images, under the two protocols that the literature uses."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from model.autoencoder import Autoencoder, VariationalAutoencoder
from model.objective import expected_elbo, reconstruction

SAMPLES = 32
BINARISATION_SEED = 0
NOISE_SEED = 0


def measure_bound(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images 28 28"]
) -> dict[str, dict[str, Any]]:
    """Mean ELBO, reconstruction and KL in nats per image, by protocol.

    `grey` takes the intensities as they are; `binarised` draws every pixel once as 0 or 1 with its
    intensity as probability. An autoencoder has the reconstruction alone, the rest is None.
    """
    grey_NP = images.reshape(len(images), -1).astype(np.float32) / 255
    dice = np.random.default_rng(BINARISATION_SEED)
    binary_NP = (dice.random(grey_NP.shape, dtype=np.float32) < grey_NP).astype(np.float32)
    draws = f"{SAMPLES} posterior samples" if _is_vae(autoencoder) else "at the code itself"
    about = f"all {len(images):,} test images, {draws}"
    return {
        "grey": {
            **_measure(autoencoder, grey_NP),
            "protocol": f"{about}; grey levels",
        },
        "binarised": {
            **_measure(autoencoder, binary_NP),
            "protocol": f"{about}; pixels drawn 0 or 1 once, seed {BINARISATION_SEED}",
        },
    }


def _is_vae(autoencoder: Autoencoder) -> bool:
    return isinstance(autoencoder, VariationalAutoencoder)


@torch.inference_mode()
def _measure(autoencoder: Autoencoder, image_NP: np.ndarray) -> dict[str, float | None]:
    device = next(autoencoder.parameters()).device
    likelihood, kl = 0.0, 0.0
    dice = torch.Generator().manual_seed(NOISE_SEED)
    for image_BP in torch.split(torch.from_numpy(image_NP), 1000):
        image_BP = image_BP.to(device)
        if isinstance(autoencoder, VariationalAutoencoder):
            shape = (SAMPLES, len(image_BP), autoencoder.latent_dim)
            noise_KBD = torch.randn(shape, generator=dice).to(device)
            bound = expected_elbo(autoencoder, image_BP, noise_KBD)
            likelihood += bound.reconstruction.double().sum().item()
            kl += bound.kl.double().sum().item()
        else:
            likelihood += reconstruction(autoencoder, image_BP).double().sum().item()
    likelihood, kl = round(likelihood / len(image_NP), 3), round(kl / len(image_NP), 3)
    if not _is_vae(autoencoder):
        return {"elbo": None, "reconstruction": likelihood, "kl": None}
    return {"elbo": round(likelihood - kl, 3), "reconstruction": likelihood, "kl": kl}
