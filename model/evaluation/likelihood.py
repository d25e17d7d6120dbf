"""log p(x), which the ELBO only bounds: by quadrature in two dimensions, or by sampling.

Shapes: N images, B a block of them, P pixels, K samples, D latent dimensions, M cells a side, G a
block of cells.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.dataset_elbo import BINARISATION_SEED, SAMPLES, binarise, mean_bound, unrefined
from model.vae.likelihood import Bernoulli

STEP = 0.04
"""Side of a cell. It is halved until half of it changes the mean by at most `CHANGE`: a decoder
that changes its handwriting every 0.01 needs finer cells than one that draws ten digits."""
CHANGE, MOST_CELLS = 0.005, 2_000_000
"""In nats per image; and the most cells to sum for all images, which takes minutes."""
HALF_WIDTH, WIDEST = 5.5, 24.0
"""The least and the greatest extent of the grid; beyond 24 the prior is below e^-288."""
CHECKED_IMAGES = 1000
IMPORTANCE_SEED = 0

CELLS_AT_ONCE, IMAGES_AT_ONCE = 2048, 1000
IMAGES_SAMPLED_AT_ONCE, ROWS_AT_ONCE = 100, 500
"""Few rows, because decodes that do not fit into a CPU's cache take five times as long."""


def measure_likelihood(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."], *, samples: int = 500
) -> dict[str, Any] | None:
    """Measure the mean log p(x) of dynamically binarised images, in nats per image.

    Returns:
        `exact`, `exact_check` and `inference_gap`, which are None unless the model has two
        dimensions; `importance_weighted`, and `encoder_importance_weighted` by the encoder alone,
        the one to compare with others; `protocol`. None unless the model is a VAE with a
        Bernoulli likelihood: grey levels have only a density, and an autoencoder has no prior.

    Source of `importance_weighted` and of its protocol: Davidson et al. 2018, arXiv:1804.00891.
    """
    if not isinstance(autoencoder, VariationalAutoencoder):
        return None
    if not isinstance(autoencoder.likelihood, Bernoulli):
        return None
    binary_NP = binarise(images)
    weighted_N = alone_N = importance_weighted(autoencoder, binary_NP, samples)
    if autoencoder.refinements:
        with unrefined(autoencoder):
            alone_N = importance_weighted(autoencoder, binary_NP[:CHECKED_IMAGES], samples)
        alone = f"the first {len(alone_N):,} images"
    else:
        alone = "the same, for this model does not refine its posteriors"
    measured: dict[str, Any] = {"exact": None, "exact_check": None, "inference_gap": None}
    about = [
        f"all {len(images):,} test images, pixels drawn 0 or 1 once, seed {BINARISATION_SEED}",
        f"importance-weighted: {samples:,} posterior samples, seed {IMPORTANCE_SEED}; "
        f"by the encoder alone: {alone}",
    ]
    if autoencoder.latent_dim == 2:
        exact, protocol = _measure_exact(autoencoder, binary_NP)
        measured.update(exact)
        about.append(protocol)
    measured["importance_weighted"] = round(float(weighted_N.mean()), 3)
    measured["encoder_importance_weighted"] = round(float(alone_N.mean()), 3)
    return {**measured, "protocol": "; ".join(about)}


def exact_log_likelihood(
    vae: VariationalAutoencoder,
    binary_NP: Float[np.ndarray, "images pixels"],
    step: float = STEP,
    half_width: float = HALF_WIDTH,
) -> Float[np.ndarray, " images"]:
    """Return log p(x) of each image in nats: the integral of p(x|z) p(z) over the latent plane.

    For pixels of 0 and 1, log p(x|z) is x . l - sum log(1 + e^l), l the decoder's logits. So all
    images at a block of the plane are one matrix product, and the integral is a sum over cells by
    the midpoint rule, which converges faster than any power of the step for Gaussian bumps.

    Args:
        vae: It has two latent dimensions and a Bernoulli likelihood.
        binary_NP: Pixels of 0 or 1, float32.
        step: Side of a cell, in latent units; reduced a little if it must fit the width.
        half_width: The grid covers [-half_width, half_width]^2.

    Raises:
        ValueError: The model has other dimensions or another likelihood.
    """
    if vae.latent_dim != 2 or not isinstance(vae.likelihood, Bernoulli):
        kind = type(vae.likelihood).__name__
        raise ValueError(f"the model has {vae.latent_dim} latents and {kind} pixels; 2, Bernoulli")
    with torch.inference_mode():
        device = vae.device
        image_NP = torch.from_numpy(binary_NP).to(device)
        total_N = torch.full((len(image_NP),), -math.inf, dtype=torch.float64)
        z_cells, log_area = _cells(step, half_width)
        for z_GD in torch.split(z_cells, CELLS_AT_ONCE):
            logits_GP = vae.decode(z_GD.float().to(device))
            log_prior_G = -0.5 * z_GD.square().sum(-1) - math.log(2 * math.pi)
            rest_G = (log_prior_G + log_area).float().to(device) - F.softplus(logits_GP).sum(-1)
            block_N = [
                torch.addmm(rest_G, image_BP, logits_GP.T).logsumexp(1).cpu()
                for image_BP in torch.split(image_NP, IMAGES_AT_ONCE)
            ]
            total_N = torch.logaddexp(total_N, torch.cat(block_N).double())
        return total_N.numpy()


def importance_weighted(
    vae: VariationalAutoencoder,
    binary_NP: Float[np.ndarray, "images pixels"],
    samples: int,
    seed: int = IMPORTANCE_SEED,
) -> Float[np.ndarray, " images"]:
    """Estimate log p(x) of each image in nats: log of the mean of p(x, z) / q(z|x), z from q.

    With one sample its expectation is the ELBO; with more it rises towards log p(x).

    Args:
        vae: It may have any latent dimension and posterior.
        binary_NP: Pixels of 0 or 1, float32.
        samples: K, for each image.
        seed: The same seed gives the same noise.

    Source: Burda et al. 2016, arXiv:1509.00519, equation 8.
    """
    rng = torch.Generator().manual_seed(seed)
    blocks = [
        _log_weights(vae, image_BP, samples, rng).logsumexp(0) - math.log(samples)
        for image_BP in torch.split(torch.from_numpy(binary_NP), IMAGES_SAMPLED_AT_ONCE)
    ]
    return torch.cat(blocks).numpy()


def _measure_exact(
    vae: VariationalAutoencoder, binary_NP: Float[np.ndarray, "images pixels"]
) -> tuple[dict[str, float], str]:
    """The figures that only a plane has, and how they were taken."""
    half_width = extent_of(vae, binary_NP)
    checked_NP, step = binary_NP[:CHECKED_IMAGES], STEP
    coarse_N = exact_log_likelihood(vae, checked_NP, step, half_width)
    finer_N = exact_log_likelihood(vae, checked_NP, step / 2, half_width)
    while abs((finer_N - coarse_N).mean()) > CHANGE and (4 * half_width / step) ** 2 <= MOST_CELLS:
        step /= 2
        coarse_N = finer_N
        finer_N = exact_log_likelihood(vae, checked_NP, step / 2, half_width)
    change_N = finer_N - coarse_N
    exact = round(float(exact_log_likelihood(vae, binary_NP, step, half_width).mean()), 3)
    elbo = mean_bound(vae, binary_NP)["elbo"]
    assert elbo is not None
    figures = {
        "exact": exact,
        "exact_check": round(abs(float(change_N.mean())), 4),
        "inference_gap": round(exact - elbo, 3),
    }
    return figures, (
        f"exact: midpoint rule over [-{half_width:g}, {half_width:g}]^2 in steps of {step:g}; "
        f"check: change of the mean of the first {len(checked_NP):,} images at half the step "
        f"(of any one image at most {np.abs(change_N).max():.2f}); "
        f"gap: exact less the ELBO of the same images from {SAMPLES} posterior samples"
    )


@torch.inference_mode()
def extent_of(vae: VariationalAutoencoder, binary_NP: Float[np.ndarray, "images pixels"]) -> float:
    """Return half the side of a grid that holds every posterior to five standard deviations."""
    device = vae.device
    reach = HALF_WIDTH
    for image_BP in torch.split(torch.from_numpy(binary_NP), IMAGES_AT_ONCE):
        posterior = vae.posterior(image_BP.to(device))
        deviation_BD = posterior.scale_tril.square().sum(-1).sqrt()
        reach = max(reach, (posterior.mean.abs() + 5 * deviation_BD).max().item())
    return min(math.ceil(2 * reach) / 2, WIDEST)


def _cells(step: float, half_width: float) -> tuple[Float[Tensor, "cells 2"], float]:
    """Return the centres of the cells, and the logarithm of a cell's area."""
    M = math.ceil(2 * half_width / step - 1e-9)
    side = 2 * half_width / M
    axis_M = (torch.arange(M, dtype=torch.float64) + 0.5) * side - half_width
    return torch.cartesian_prod(axis_M, axis_M), 2 * math.log(side)


@torch.inference_mode()
def _log_weights(
    vae: VariationalAutoencoder,
    image_BP: Float[Tensor, "block pixels"],
    samples: int,
    rng: torch.Generator,
) -> Float[Tensor, "samples block"]:
    """Return log p(x|z) + log p(z) - log q(z|x) in nats, float64.

    With z = mean + L noise, the normalisers of the two Gaussians differ only by log |L|.
    """
    device = vae.device
    posterior = vae.posterior(image_BP.to(device))
    log_det_B = posterior.scale_tril.diagonal(dim1=1, dim2=2).log().sum(-1)
    rows = []
    repeats = max(1, ROWS_AT_ONCE // len(image_BP))
    for start in range(0, samples, repeats):
        K = min(repeats, samples - start)
        noise_KBD = torch.randn(K, *posterior.mean.shape, generator=rng).to(device)
        z_KBD = torch.stack([posterior.reparameterise(noise_BD) for noise_BD in noise_KBD])
        repeated_RP = image_BP.to(device).repeat(K, 1)
        log_prob_R = vae.likelihood.log_prob(repeated_RP, vae.decode(z_KBD.flatten(0, 1)))
        log_ratio_KB = 0.5 * (noise_KBD.square() - z_KBD.square()).sum(-1) + log_det_B
        rows.append((log_prob_R.view(K, -1) + log_ratio_KB).cpu().double())
    return torch.cat(rows)
