"""Why the ELBO falls short of log p(x): the encoder, or the form of its posterior.

log p(x) - ELBO = KL(q(z|x) || p(z|x)). A part of it would go if each image had the best posterior
of its family (amortisation); the rest is what no Gaussian can do (approximation).

Shapes: N images, P pixels, K samples, two latent dimensions.

Source: Cremer, Li & Duvenaud 2018, arXiv:1801.03558.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from model.evaluation.likelihood import STEP, exact_log_likelihood, extent_of
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.dataset_elbo import binarise
from model.vae.likelihood import Bernoulli
from model.vae.posterior import CholeskyPosterior, DiagonalPosterior, Posterior

IMAGES = 100
FINEST = STEP / 4
SAMPLES, JUDGES = 16, 500
"""Noise of each image while its posterior is fitted, in pairs of opposite sign; and afterwards."""
STEPS, RATE = 100, 0.05
SEED = 0


def measure_gaps(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."]
) -> dict[str, Any] | None:
    """Split the gap between log p(x) and the encoder's ELBO, in nats per image.

    Returns:
        `amortisation`, by which the best posterior of the model's family beats the encoder's;
        `approximation`, by which log p(x) exceeds the best posterior's ELBO; `error`, the standard
        error of the two; `protocol`. None unless log p(x) can be integrated: two latents and
        Bernoulli pixels.
    """
    if not isinstance(autoencoder, VariationalAutoencoder) or autoencoder.latent_dim != 2:
        return None
    if not isinstance(autoencoder.likelihood, Bernoulli):
        return None
    binary_NP = binarise(images)[:IMAGES]
    width = extent_of(autoencoder, binary_NP)
    exact_N = torch.from_numpy(exact_log_likelihood(autoencoder, binary_NP, FINEST, width))
    image_NP = torch.from_numpy(binary_NP).to(autoencoder.device)
    with torch.no_grad():
        guess = autoencoder.guess(image_NP)
        start = autoencoder.corrected(guess, image_NP)
    best = fitted(autoencoder, image_NP, start)
    encoder_N, best_N = (_elbo(autoencoder, image_NP, q, JUDGES) for q in (guess, best))
    amortisation_N, approximation_N = best_N - encoder_N, exact_N - best_N
    root = len(image_NP) ** 0.5
    return {
        "amortisation": round(amortisation_N.mean().item(), 2),
        "approximation": round(approximation_N.mean().item(), 2),
        "error": round(max(amortisation_N.std().item(), approximation_N.std().item()) / root, 2),
        "protocol": (
            f"the first {len(image_NP)} test images, pixels drawn 0 or 1 once; log p(x) by the "
            f"midpoint rule over [-{width:g}, {width:g}]^2 in steps of {FINEST:g}; the best "
            f"posterior of the family: {STEPS} steps of Adam on each image's ELBO, from the "
            f"encoder's; each ELBO from {JUDGES:,} samples"
        ),
    }


def fitted(
    vae: VariationalAutoencoder, image_NP: Float[Tensor, "images pixels"], start: Posterior
) -> Posterior:
    """Return the posterior of each image that Adam finds best, of the form of the model's own."""
    scale_N22 = start.scale_tril
    unit_N2 = scale_N22.diagonal(dim1=1, dim2=2)
    turn_N1 = scale_N22[:, 1, :1] / unit_N2[:, 1:]
    shapes = [start.mean, start.mean, *([turn_N1] if vae.correlated else [])]
    free = [torch.zeros_like(shape).requires_grad_() for shape in shapes]
    optimiser = torch.optim.Adam(free, RATE)
    rng = torch.Generator().manual_seed(SEED)

    def current() -> Posterior:
        """In units of the posterior at the start, so that one rate fits wide and narrow ones."""
        mean_N2 = start.mean + unit_N2 * free[0]
        log_diagonal_N2 = unit_N2.log() + free[1]
        if not vae.correlated:
            return DiagonalPosterior(mean_N2, 2 * log_diagonal_N2)
        below_N1 = log_diagonal_N2[:, 1:].exp() * (turn_N1 + free[2])
        return CholeskyPosterior(mean_N2, log_diagonal_N2, below_N1)

    for _ in range(STEPS):
        half_KN2 = torch.randn(SAMPLES // 2, *start.mean.shape, generator=rng).to(vae.device)
        loss = -_bound(vae, image_NP, current(), torch.cat([half_KN2, -half_KN2])).sum()
        gradients = torch.autograd.grad(loss, free)
        for parameter, gradient in zip(free, gradients, strict=True):
            parameter.grad = gradient
        optimiser.step()
    with torch.no_grad():
        return current()


def _bound(
    vae: VariationalAutoencoder, image_NP: Tensor, posterior: Posterior, noise_KN2: Tensor
) -> Float[Tensor, " images"]:
    z_KN2 = posterior.reparameterise(noise_KN2)
    repeated_RP = image_NP.repeat(len(noise_KN2), 1)
    log_prob_R = vae.likelihood.log_prob(repeated_RP, vae.decode(z_KN2.flatten(0, 1)))
    return log_prob_R.view(len(noise_KN2), -1).mean(0) - posterior.kl_to_prior().sum(-1)


@torch.inference_mode()
def _elbo(
    vae: VariationalAutoencoder, image_NP: Tensor, posterior: Posterior, samples: int
) -> Float[Tensor, " images"]:
    """Return each image's ELBO, float64."""
    rng = torch.Generator().manual_seed(SEED)
    total_N = torch.zeros(len(image_NP), dtype=torch.float64)
    for _ in range(samples // 10):
        noise_KN2 = torch.randn(10, *posterior.mean.shape, generator=rng).to(vae.device)
        total_N += _bound(vae, image_NP, posterior, noise_KN2).cpu().double()
    return total_N / (samples // 10)
