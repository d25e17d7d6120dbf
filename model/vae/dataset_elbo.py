"""The ELBO of the test images, under the two protocols that the literature uses.

Shapes: N images, P pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.likelihood import Bernoulli
from model.vae.objective import expected_elbo, reconstruction

SAMPLES = 32
BINARISATION_SEED = 0
NOISE_SEED = 0


def measure_bound(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images 28 28"]
) -> dict[str, dict[str, Any]]:
    """Return mean ELBO, reconstruction and KL in nats per image, by protocol.

    `grey` takes the intensities as they are. `binarised` draws every pixel once as 0 or 1 with its
    intensity as probability. Only a Bernoulli likelihood has it, because to the others a pixel of 0
    or 1 is merely very dark or very bright. A model without a posterior has no KL and no bound;
    they are None.
    """
    draws = f"{SAMPLES} posterior samples" if _is_vae(autoencoder) else "at the code itself"
    about = f"all {len(images):,} test images, {draws}"
    bernoulli = isinstance(autoencoder.likelihood, Bernoulli)
    density = "" if bernoulli else "; a density over grey levels, not the probability of an image"
    blocks = {
        "grey": {
            **mean_bound(autoencoder, intensities(images)),
            "protocol": f"{about}; grey levels{density}",
        }
    }
    if bernoulli:
        blocks["binarised"] = {
            **mean_bound(autoencoder, binarise(images)),
            "protocol": f"{about}; pixels drawn 0 or 1 once, seed {BINARISATION_SEED}",
        }
    return blocks


def intensities(
    images: UInt8[np.ndarray, "images 28 28"],
) -> Float[np.ndarray, "images pixels"]:
    """Return grey levels as float32 in [0, 1]."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


def binarise(images: UInt8[np.ndarray, "images 28 28"]) -> Float[np.ndarray, "images pixels"]:
    """Draw every pixel as 0 or 1 with its intensity as probability, always the same draw."""
    grey_NP = intensities(images)
    rng = np.random.default_rng(BINARISATION_SEED)
    return (rng.random(grey_NP.shape, dtype=np.float32) < grey_NP).astype(np.float32)


@torch.inference_mode()
def mean_bound(
    autoencoder: Autoencoder, image_NP: Float[np.ndarray, "images pixels"]
) -> dict[str, float | None]:
    """Return mean ELBO, reconstruction and KL of images, rounded so that they still add up."""
    device = autoencoder.device
    likelihood, kl = 0.0, 0.0
    rng = torch.Generator().manual_seed(NOISE_SEED)
    for image_BP in torch.split(torch.from_numpy(image_NP), 1000):
        image_BP = image_BP.to(device)
        if isinstance(autoencoder, VariationalAutoencoder):
            shape = (SAMPLES, len(image_BP), autoencoder.latent_dim)
            noise_KBD = torch.randn(shape, generator=rng).to(device)
            bound = expected_elbo(autoencoder, image_BP, noise_KBD)
            likelihood += bound.reconstruction.double().sum().item()
            kl += bound.kl.double().sum().item()
        else:
            likelihood += reconstruction(autoencoder, image_BP).double().sum().item()
    likelihood, kl = round(likelihood / len(image_NP), 3), round(kl / len(image_NP), 3)
    if not _is_vae(autoencoder):
        return {"elbo": None, "reconstruction": likelihood, "kl": None}
    return {"elbo": round(likelihood - kl, 3), "reconstruction": likelihood, "kl": kl}


def _is_vae(autoencoder: Autoencoder) -> bool:
    return isinstance(autoencoder, VariationalAutoencoder)
