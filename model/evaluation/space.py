"""What measures of a latent space need from a model: codes, mean images and the prior.

Shapes: N images or latents, P pixels, D latent dimensions, R of them in which codes vary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from model.vae.autoencoder import Autoencoder, VariationalAutoencoder

CHUNK = 500
FLAT = 1e-8
"""Directions with less than this share of the greatest variance count as having none."""


@dataclass(frozen=True)
class Gaussian:
    """N(mean, scale scale') in latent space; u ~ N(0, I) lies at mean + scale u."""

    mean_D: Float[Tensor, " latent"]
    scale_DR: Float[Tensor, "latent rank"]

    @property
    def rank(self) -> int:
        return self.scale_DR.shape[1]

    def place(self, u_NR: Float[Tensor, "count rank"]) -> Float[Tensor, "count latent"]:
        """Return the latents at coordinates in standard deviations."""
        z_ND: Tensor = self.mean_D + u_NR @ self.scale_DR.T
        return z_ND

    def coordinates(self, z_ND: Float[Tensor, "count latent"]) -> Float[Tensor, "count rank"]:
        """Return the coordinates of latents, the inverse of `place`."""
        u_NR: Tensor = (z_ND - self.mean_D) @ torch.linalg.pinv(self.scale_DR).T
        return u_NR

    def draw(self, count: int, seed: int) -> Float[Tensor, "count latent"]:
        """Draw latents from this distribution; the same seed draws the same latents."""
        return self.place(standard_normal(count, self.rank, seed))


def standard_normal(count: int, dimensions: int, seed: int) -> Float[Tensor, "count dimensions"]:
    """Draw from N(0, I), float64."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, dimensions, generator=rng, dtype=torch.float64)


def standard(dimensions: int) -> Gaussian:
    """Return N(0, I)."""
    unit_DD = torch.eye(dimensions, dtype=torch.float64)
    return Gaussian(torch.zeros(dimensions, dtype=torch.float64), unit_DD)


def fit_gaussian(code_ND: Float[Tensor, "count latent"]) -> Gaussian:
    """Return the Gaussian with the codes' mean and covariance, along their principal axes."""
    value_D, vector_DD = torch.linalg.eigh(torch.cov(code_ND.T).reshape(2 * [code_ND.shape[1]]))
    kept = value_D > FLAT * value_D.max()
    return Gaussian(code_ND.mean(0), vector_DD[:, kept] * value_D[kept].sqrt())


def prior(autoencoder: Autoencoder, code_ND: Float[Tensor, "count latent"]) -> Gaussian:
    """Return the prior N(0, I), or the Gaussian fitted to an autoencoder's codes."""
    if isinstance(autoencoder, VariationalAutoencoder):
        return standard(autoencoder.latent_dim)
    return fit_gaussian(code_ND)


def prior_name(autoencoder: Autoencoder) -> str:
    """Return the prior in words, for protocols."""
    if isinstance(autoencoder, VariationalAutoencoder):
        return "prior N(0, I)"
    return "prior: the Gaussian fitted to the test codes, as an autoencoder has none of its own"


def intensities(images: UInt8[np.ndarray, "images ..."]) -> Float[Tensor, "images pixels"]:
    """Return grey levels as numbers in [0, 1]."""
    return torch.from_numpy(images.reshape(len(images), -1).copy()).float() / 255


def encode(
    autoencoder: Autoencoder, image_NP: Float[Tensor, "images pixels"]
) -> Float[Tensor, "images latent"]:
    """Return the code of each image, float64."""
    return _by_chunks(autoencoder, autoencoder.code, image_NP).double()


def mean_images(
    autoencoder: Autoencoder, z_ND: Float[Tensor, "count latent"]
) -> Float[Tensor, "count pixels"]:
    """Return the mean of p(x|z) for each latent, in [0, 1]."""

    def mean(z_BD: Tensor) -> Tensor:
        return autoencoder.likelihood.mean(autoencoder.decode(z_BD))

    return _by_chunks(autoencoder, mean, z_ND.float())


@torch.inference_mode()
def _by_chunks(
    autoencoder: Autoencoder, function: Callable[[Tensor], Tensor], rows: Tensor
) -> Tensor:
    device = autoencoder.device
    return torch.cat([function(part.to(device)).cpu() for part in torch.split(rows, CHUNK)])
