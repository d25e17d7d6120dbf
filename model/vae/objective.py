"""The objective of training: the evidence lower bound, or an autoencoder's reconstruction.

An encode has the same bound, computed by `model.inference.encoding` from whichever runtime it uses.

Shapes: B batch, P pixels, D latent dimensions, K samples, S of them at once, R = S B.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.likelihood import Bernoulli, Likelihood
from model.vae.posterior import Posterior

BERNOULLI = Bernoulli()
DECODED_TOGETHER = 512
"""Rows of a pass that fit into a CPU's cache; with more, each takes longer."""


@dataclass(frozen=True)
class Elbo:
    """The bound of each image and its parts, in nats.

    `total` is `reconstruction - beta * kl`; only with `beta = 1` does it bound log p(x).
    """

    reconstruction: Float[Tensor, " batch"]
    kl_per_dimension: Float[Tensor, "batch latent"]
    beta: float = 1.0

    @property
    def kl(self) -> Float[Tensor, " batch"]:
        return self.kl_per_dimension.sum(-1)

    @property
    def total(self) -> Float[Tensor, " batch"]:
        return self.reconstruction - self.beta * self.kl


def elbo(
    image_BP: Float[Tensor, "batch pixels"],
    output_BP: Float[Tensor, "batch pixels"],
    posterior: Posterior,
    *,
    beta: float = 1.0,
    likelihood: Likelihood = BERNOULLI,
) -> Elbo:
    """Bound each image's log-likelihood from below: reconstruction minus `beta` times KL.

    Args:
        image_BP: Intensities in [0, 1]; 0 is background.
        output_BP: Decoder output at a sample of `posterior`; with Bernoulli pixels, their logits.
        posterior: q(z|x) of the same batch.
        beta: Weight of the KL term, at least 0. Weights other than 1 trade fidelity for a
            smoother plane (Higgins et al. 2017).
        likelihood: The distribution of the pixels given the decoder's output.

    Raises:
        ValueError: `beta` is negative.

    Source: Kingma & Welling 2014, arXiv:1312.6114, equation 3.
    """
    if beta < 0:
        raise ValueError(f"beta is {beta}; it weighs a penalty and must be at least 0")
    return Elbo(likelihood.log_prob(image_BP, output_BP), posterior.kl_to_prior(), beta)


def sampled_elbo(
    vae: VariationalAutoencoder,
    image_BP: Float[Tensor, "batch pixels"],
    noise_BD: Float[Tensor, "batch latent"],
    *,
    beta: float = 1.0,
) -> Elbo:
    """Estimate the ELBO with one posterior sample an image: encode, reparameterise, decode.

    Doubly stochastic: the batch samples the data, the noise samples the posterior.

    Source: Kingma & Welling 2014, arXiv:1312.6114, algorithm 1.
    """
    posterior = vae.posterior(image_BP)
    output_BP = vae.decode(posterior.reparameterise(noise_BD))
    return elbo(image_BP, output_BP, posterior, beta=beta, likelihood=vae.likelihood)


def reconstruction(
    autoencoder: Autoencoder, image_BP: Float[Tensor, "batch pixels"]
) -> Float[Tensor, " batch"]:
    """Return log p(x | code of x) in nats: the objective of a plain autoencoder."""
    return autoencoder.likelihood.log_prob(image_BP, autoencoder.reconstruct(image_BP))


@torch.inference_mode()
def expected_elbo(
    vae: VariationalAutoencoder,
    image_BP: Float[Tensor, "batch pixels"],
    noise_KBD: Float[Tensor, "samples _ latent"],
    posterior: Posterior | None = None,
) -> Elbo:
    """Return the ELBO with its expectation over q(z|x) taken over K samples.

    Args:
        vae: The model.
        image_BP: Intensities in [0, 1].
        noise_KBD: Standard normal. With one row for the whole batch (K, 1, D), the result of an
            image does not depend on its neighbours. For a mean over many images give each its own
            noise, because otherwise all errors point the same way.
        posterior: The posterior of these images, if it is known.
    """
    posterior = posterior or vae.posterior(image_BP)
    reconstruction_B = torch.zeros_like(posterior.mean[:, 0])
    for noise_SBD in torch.split(noise_KBD, max(1, DECODED_TOGETHER // max(1, len(image_BP)))):
        z_SBD = posterior.reparameterise(noise_SBD.expand(-1, *posterior.mean.shape))
        repeated_RP = image_BP.repeat(len(z_SBD), 1)
        log_prob_R = vae.likelihood.log_prob(repeated_RP, vae.decode(z_SBD.flatten(0, 1)))
        reconstruction_B += log_prob_R.view(len(z_SBD), len(image_BP)).sum(0) / len(noise_KBD)
    return Elbo(reconstruction_B, posterior.kl_to_prior())
