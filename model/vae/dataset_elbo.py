"""The ELBO of the test images, under the two protocols that the literature uses.

Shapes: N images, P numbers of an image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from model.vae.autoencoder import (
    CELLS,
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.likelihood import Bernoulli
from model.vae.objective import expected_elbo, reconstruction

SAMPLES = 32
BINARISATION_SEED = 0
NOISE_SEED = 0


def measure_bound(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."]
) -> dict[str, dict[str, Any]]:
    """Return mean ELBO, reconstruction and KL in nats per image, by protocol.

    `grey` takes the intensities as they are. `binarised` draws every pixel once as 0 or 1 with its
    intensity as probability. Only a Bernoulli likelihood has it, because to the others a pixel of 0
    or 1 is merely very dark or very bright. A model without a posterior has no KL and no bound;
    they are None. With a codebook of E entries and a uniform prior over them, the KL of an image is
    49 ln E, whatever the image (van den Oord et al. 2017, arXiv:1711.00937, section 3.2).

    `encoder_elbo` is the bound of the encoder alone, the one to compare with others: where a model
    refines its posteriors on each image by its decoder, `elbo` is taken afterwards.

    `grey` of Bernoulli pixels has a `ceiling`, the value of a decoder that gives each pixel its own
    grey level: minus the entropy of the pixels, below 0.
    """
    draws = f"{SAMPLES} posterior samples" if _is_vae(autoencoder) else "at the code itself"
    about = f"all {len(images):,} test images, {draws}"
    bernoulli = isinstance(autoencoder.likelihood, Bernoulli)
    rounds = autoencoder.refinements if isinstance(autoencoder, VariationalAutoencoder) else 0
    how = f"; {rounds} rounds of refinement on each image" if rounds else ""
    if isinstance(autoencoder, VectorQuantisedAutoencoder):
        how = "; KL to a uniform prior over the entries of the codebook"
    density = "" if bernoulli else "; a density over grey levels, not the probability of an image"
    blocks = {
        "grey": {
            **_bounds(autoencoder, intensities(images)),
            "ceiling": best_reconstruction(intensities(images)) if bernoulli else None,
            "protocol": f"{about}{how}; grey levels{density}",
        }
    }
    if bernoulli:
        blocks["binarised"] = {
            **_bounds(autoencoder, binarise(images)),
            "protocol": f"{about}{how}; pixels drawn 0 or 1 once, seed {BINARISATION_SEED}",
        }
    return blocks


def intensities(
    images: UInt8[np.ndarray, "images ..."],
) -> Float[np.ndarray, "images pixels"]:
    """Return grey levels as float32 in [0, 1]."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


def binarise(images: UInt8[np.ndarray, "images ..."]) -> Float[np.ndarray, "images pixels"]:
    """Draw every pixel as 0 or 1 with its intensity as probability, always the same draw."""
    grey_NP = intensities(images)
    rng = np.random.default_rng(BINARISATION_SEED)
    return (rng.random(grey_NP.shape, dtype=np.float32) < grey_NP).astype(np.float32)


def best_reconstruction(image_NP: Float[np.ndarray, "images pixels"]) -> float:
    """Return the greatest mean log-probability that Bernoulli pixels can give images, in nats.

    E log p of a pixel drawn with probability x is greatest where the decoder says x; then it is
    minus the entropy of the pixel. No decoder of grey images comes nearer to 0.
    """
    level_NP = image_NP.astype(np.float64)
    return round(float((xlogx(level_NP) + xlogx(1 - level_NP)).sum(1).mean()), 3)


def xlogx(value: np.ndarray) -> np.ndarray:
    """Return x log x, which is 0 at 0."""
    return value * np.log(np.where(value > 0, value, 1))


def _bounds(
    autoencoder: Autoencoder, image_NP: Float[np.ndarray, "images pixels"]
) -> dict[str, float | None]:
    """Return `mean_bound`, and the ELBO of the encoder alone."""
    measured = mean_bound(autoencoder, image_NP)
    alone = measured
    if isinstance(autoencoder, VariationalAutoencoder) and autoencoder.refinements:
        with unrefined(autoencoder):
            alone = mean_bound(autoencoder, image_NP)
    return {**measured, "encoder_elbo": alone["elbo"]}


@contextmanager
def unrefined(vae: VariationalAutoencoder) -> Iterator[None]:
    """Let a model use the posteriors of its encoder as they are."""
    rounds, vae.refinements = vae.refinements, 0
    try:
        yield
    finally:
        vae.refinements = rounds


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
    if isinstance(autoencoder, VectorQuantisedAutoencoder):
        kl = len(image_NP) * CELLS**2 * math.log(len(autoencoder.codebook_EC))
    likelihood, kl = round(likelihood / len(image_NP), 3), round(kl / len(image_NP), 3)
    if not isinstance(autoencoder, VariationalAutoencoder | VectorQuantisedAutoencoder):
        return {"elbo": None, "reconstruction": likelihood, "kl": None}
    return {"elbo": round(likelihood - kl, 3), "reconstruction": likelihood, "kl": kl}


def _is_vae(autoencoder: Autoencoder) -> bool:
    return isinstance(autoencoder, VariationalAutoencoder)
