"""The posterior q(z|x): a Gaussian in latent space for each image.

Shapes: B batch, D latent dimensions, T entries below a diagonal: D (D - 1) / 2.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Posterior(ABC):
    """q(z|x) = N(mean, L L') for each image of a batch, L lower triangular."""

    mean: Float[Tensor, "batch latent"]

    @property
    @abstractmethod
    def scale_tril(self) -> Float[Tensor, "batch latent latent"]:
        """L: lower triangular, its diagonal positive, in latent units."""

    @abstractmethod
    def reparameterise(
        self, noise_BD: Float[Tensor, "*samples batch latent"]
    ) -> Float[Tensor, "*samples batch latent"]:
        """Turn standard normal noise into samples of q(z|x): z = mean + L noise.

        The noise comes from outside, so that z is differentiable in the mean and in L.

        Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.4.
        """

    @abstractmethod
    def kl_to_prior(self) -> Float[Tensor, "batch latent"]:
        """Return KL(q(z|x) || N(0, I)) in nats, split over the latents; the KL is their sum.

        Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B.
        """

    def first(self, count: int) -> Self:
        """Return the posteriors of the first images alone."""
        parts = {field.name: getattr(self, field.name)[:count] for field in fields(self)}
        return type(self)(**parts)

    def log_prob(
        self, z_KBD: Float[Tensor, "samples batch latent"]
    ) -> Float[Tensor, "samples batch"]:
        """Return log q(z|x) in nats at K latents for each image."""
        scale_tril_BDD = self.scale_tril
        offset_BDK = (z_KBD - self.mean).permute(1, 2, 0)
        noise_BDK: Tensor = torch.linalg.solve_triangular(scale_tril_BDD, offset_BDK, upper=False)
        log_det_B = scale_tril_BDD.diagonal(dim1=1, dim2=2).log().sum(-1)
        log_2pi = math.log(2 * math.pi)
        return -0.5 * (noise_BDK.square() + log_2pi).sum(1).T - log_det_B


@dataclass(frozen=True)
class DiagonalPosterior(Posterior):
    """Independent latents, each with its mean and the logarithm of its variance.

    The encoder returns the logarithm because it may take any value and is stable near zero.
    """

    mean: Float[Tensor, "batch latent"]
    log_variance: Float[Tensor, "batch latent"]

    @property
    def scale_tril(self) -> Float[Tensor, "batch latent latent"]:
        return torch.diag_embed((0.5 * self.log_variance).exp())

    def reparameterise(
        self, noise_BD: Float[Tensor, "*samples batch latent"]
    ) -> Float[Tensor, "*samples batch latent"]:
        return self.mean + (0.5 * self.log_variance).exp() * noise_BD

    def kl_to_prior(self) -> Float[Tensor, "batch latent"]:
        """Return (mean^2 + V - log V - 1) / 2: a pull to the origin and a pull towards V = 1."""
        V_BD = self.log_variance.exp()
        return (self.mean.square() + V_BD - self.log_variance - 1) / 2


@dataclass(frozen=True)
class CholeskyPosterior(Posterior):
    """Correlated latents: an ellipse of any direction, given by its Cholesky factor.

    Source: Kingma & Welling 2019, arXiv:1906.02691, section 2.5.1.
    """

    mean: Float[Tensor, "batch latent"]
    log_diagonal: Float[Tensor, "batch latent"]
    below_diagonal: Float[Tensor, "batch triangle"]
    """The entries of L below its diagonal, row by row."""

    @property
    def scale_tril(self) -> Float[Tensor, "batch latent latent"]:
        scale_tril_BDD = torch.diag_embed(self.log_diagonal.exp())
        D = self.mean.shape[1]
        row_T, column_T = torch.tril_indices(D, D, offset=-1, device=self.mean.device)
        scale_tril_BDD[:, row_T, column_T] = self.below_diagonal
        return scale_tril_BDD

    def reparameterise(
        self, noise_BD: Float[Tensor, "*samples batch latent"]
    ) -> Float[Tensor, "*samples batch latent"]:
        return self.mean + (self.scale_tril @ noise_BD.unsqueeze(-1)).squeeze(-1)

    def kl_to_prior(self) -> Float[Tensor, "batch latent"]:
        """Return (|L_i|^2 + mean_i^2 - 1) / 2 - log L_ii, with L_i the i-th row of L.

        Trace and log-determinant of the closed form are sums over i, so the split is exact.
        """
        variance_BD = self.scale_tril.square().sum(-1)
        return (variance_BD + self.mean.square() - 1) / 2 - self.log_diagonal
