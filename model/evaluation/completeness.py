"""Completeness: what is drawn from the prior decodes to something sensible.

Everything is measured in coordinates in which the prior is N(0, I). For a VAE they are its latents,
for an autoencoder standard deviations of the Gaussian fitted to its codes. Draws from both
distributions are measured of both kinds of model as well, so that like can be held against like.

Shapes: N posteriors, M points, B of them at a time, R coordinates, Q = R (R + 3) / 2 + 1 monomials
up to squares, T of them squares and products, G cells a side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage
from torch import Tensor

from model.evaluation.classifier import RECOGNISED, Classifier
from model.evaluation.space import (
    CHUNK,
    Gaussian,
    encode,
    fit_gaussian,
    intensities,
    mean_images,
    prior,
    prior_name,
    standard,
    standard_normal,
)
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder

DRAWS = 10_000
UNCOVERED = 0.1
"""A place is uncovered where q(z) is below this share of p(z)."""
SMOOTHING_WIDTHS = np.geomspace(0.01, 1, 17)
SMOOTHING_POINTS = 1000
GRID = 128
RADIUS = math.sqrt(-2 * math.log(0.05))
"""Radius of the circle that holds 95 % of N(0, I) in the plane."""
HOLE_CONFIDENCE = 0.5
HOLE_CELLS = 16
"""Least number of connected cells that count as a hole."""
SEED, FILLING_SEED = 0, 1


def measure_completeness(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."], classifier: Classifier
) -> dict[str, Any]:
    """Measure how far the codes fill the prior, and what decodes where they do not.

    Returns:
        `kl_to_prior`, KL(q(z) || p(z)) in nats; `uncovered_prior_mass`; `recognised`, the share of
        prior draws whose image the classifier recognises; `holes` and `hole_area`, the number of
        holes and their share of the prior's 95 % circle, None unless the codes fill two dimensions;
        `grey`, the mean entropy of a pixel of those images in nats. `standard_uncovered` and
        `standard_recognised` are of draws from N(0, I) in the latents themselves,
        `fitted_recognised` is of draws from the Gaussian fitted to the codes.
        `floor` has what `kl_to_prior` and `uncovered_prior_mass` come to for codes that fill
        N(0, I) exactly (see `exact_filling`).

    Source: Hoffman & Johnson 2016, "ELBO surgery" (the aggregate posterior and its KL).
    """
    image_NP = intensities(images)
    code_ND = encode(autoencoder, image_NP)
    base = prior(autoencoder, code_ND)
    mean_NR, covariance_NRR = _posteriors(autoencoder, image_NP, code_ND, base)
    divergence, uncovered, width = filling(mean_NR, covariance_NRR)
    ideal_divergence, ideal_uncovered, _ = filling(*exact_filling(covariance_NRR))
    drawn_MP = mean_images(autoencoder, base.draw(DRAWS, SEED))
    fitted_MP = mean_images(autoencoder, fit_gaussian(code_ND).draw(DRAWS, SEED))
    standard_MP, standard_uncovered = drawn_MP, uncovered
    if not isinstance(autoencoder, VariationalAutoencoder):
        unit = standard(code_ND.shape[1])
        standard_MP = mean_images(autoencoder, unit.draw(DRAWS, SEED))
        _, standard_uncovered, _ = filling(*_posteriors(autoencoder, image_NP, code_ND, unit))
    holes, area = None, None
    if base.rank == 2:
        sizes = hole_sizes(_confidence_map(autoencoder, base, classifier) < HOLE_CONFIDENCE)
        holes, area = len(sizes), round(sum(sizes) / int(in_circle(GRID).sum()), 4)
    return {
        "kl_to_prior": round(divergence, 3),
        "uncovered_prior_mass": round(uncovered, 4),
        "recognised": round(recognised(classifier, drawn_MP), 4),
        "holes": holes,
        "hole_area": area,
        "grey": round(pixel_entropy(drawn_MP), 4),
        "standard_uncovered": round(standard_uncovered, 4),
        "standard_recognised": round(recognised(classifier, standard_MP), 4),
        "fitted_recognised": round(recognised(classifier, fitted_MP), 4),
        "floor": {
            "kl_to_prior": round(ideal_divergence, 3),
            "uncovered_prior_mass": round(ideal_uncovered, 4),
        },
        "protocol": (
            f"{prior_name(autoencoder)}; q(z): the mixture of the {len(images):,} test images' "
            f"{'posteriors' if isinstance(autoencoder, VariationalAutoencoder) else 'codes'}, "
            f"smoothed by a Gaussian of {width:.3f} prior standard deviations, which makes a draw "
            f"from each likeliest by the others; KL: of these, a lower bound; "
            f"{DRAWS:,} prior draws, seed {SEED}; uncovered: q(z) < p(z) / {1 / UNCOVERED:.0f}; "
            f"recognised: confidence at least {RECOGNISED} of a classifier of accuracy "
            f"{classifier.facts['test']['accuracy']}, which so recognises "
            f"{recognised(classifier, image_NP):.4f} of the test images; holes: at least "
            f"{HOLE_CELLS} connected cells of a {GRID} x {GRID} grid over the prior's 95 % "
            f"circle with confidence below {HOLE_CONFIDENCE}; hole_area: their share of it; floor: "
            f"the same measures of means redrawn so that q(z) is N(0, I)"
        ),
    }


def filling(
    mean_NR: Float[Tensor, "count rank"], covariance_NRR: Float[Tensor, "count rank rank"]
) -> tuple[float, float, float]:
    """Measure how these Gaussians fill N(0, I): KL, uncovered mass, and the width of smoothing."""
    draw_NR = _one_each(mean_NR, covariance_NRR)
    width = smoothing(mean_NR, covariance_NRR, draw_NR)
    mixture = Mixture(mean_NR, covariance_NRR, width)
    u_MR = standard_normal(DRAWS, mean_NR.shape[1], SEED)
    return kl_to_prior(mixture, draw_NR), uncovered_mass(mixture, u_MR), width


def exact_filling(
    covariance_NRR: Float[Tensor, "count rank rank"],
) -> tuple[Float[Tensor, "count rank"], Float[Tensor, "count rank rank"]]:
    """Return Gaussians of these covariances S whose mixture is N(0, I): means from N(0, I - S).

    In many dimensions some thousand Gaussians are too few to be seen to fill anything, and the
    measures do not come to 0 even here. What they come to is their floor. Directions in which S
    exceeds I get no spread of means and keep their own.
    """
    value_NR, vector_NRR = torch.linalg.eigh(covariance_NRR)
    left_NR = (1 - value_NR).clamp(min=0).sqrt()
    N, R = value_NR.shape
    noise_NR1 = standard_normal(N, R, FILLING_SEED)[:, :, None]
    mean_NR: Tensor = ((vector_NRR * left_NR[:, None]) @ noise_NR1)[:, :, 0]
    return mean_NR, covariance_NRR


def pixel_entropy(image_NP: Float[Tensor, "images pixels"]) -> float:
    """Return the mean entropy of pixels that are ink with the probability of their grey level.

    It is 0 for images of black and white, and greatest, ln 2, for an even grey: a measure of blur.
    """
    level_NP = image_NP.double().clamp(0, 1)
    return float(
        -(torch.xlogy(level_NP, level_NP) + torch.xlogy(1 - level_NP, 1 - level_NP)).mean()
    )


class Mixture:
    """The aggregate posterior: a mixture of N Gaussians of equal weight.

    A Gaussian's log density is a quadratic polynomial, so those of all Gaussians at many points are
    one matrix product, of the points' monomials and the Gaussians' coefficients.

    Args:
        mean_NR: Means.
        covariance_NRR: Covariances, without the smoothing.
        width: Standard deviation of the kernel that smooths each of them.
    """

    def __init__(
        self,
        mean_NR: Float[Tensor, "count rank"],
        covariance_NRR: Float[Tensor, "count rank rank"],
        width: float,
    ) -> None:
        R = mean_NR.shape[1]
        smooth_NRR = covariance_NRR + width**2 * torch.eye(R, dtype=mean_NR.dtype)
        scale_tril_NRR = torch.linalg.cholesky(smooth_NRR)
        precision_NRR = torch.cholesky_inverse(scale_tril_NRR)
        pull_NR = (precision_NRR @ mean_NR[:, :, None])[:, :, 0]
        log_peak_N = -scale_tril_NRR.diagonal(dim1=1, dim2=2).log().sum(1)
        log_peak_N -= 0.5 * R * math.log(2 * math.pi)
        row_T, column_T = torch.tril_indices(R, R)
        twice_T = torch.where(row_T == column_T, 0.5, 1.0)
        self._coefficients_NQ = torch.cat(
            [
                (log_peak_N - 0.5 * (pull_NR * mean_NR).sum(1))[:, None],
                pull_NR,
                -twice_T * precision_NRR[:, row_T, column_T],
            ],
            dim=1,
        )
        self._pairs = row_T, column_T

    def log_density(
        self, u_MR: Float[Tensor, "points rank"], *, leave_own_out: bool = False
    ) -> Float[Tensor, " points"]:
        """Return log q(u) in nats, optionally without the Gaussian of the point's own index."""
        row_T, column_T = self._pairs
        densities = []
        for start, u_BR in enumerate(torch.split(u_MR, CHUNK)):
            squares_BT = u_BR[:, row_T] * u_BR[:, column_T]
            monomials_BQ = torch.cat([torch.ones_like(u_BR[:, :1]), u_BR, squares_BT], dim=1)
            log_density_BN = monomials_BQ @ self._coefficients_NQ.T
            if leave_own_out:
                log_density_BN.diagonal(start * CHUNK).fill_(-math.inf)
            densities.append(log_density_BN.logsumexp(1))
        return torch.cat(densities) - math.log(len(self._coefficients_NQ) - leave_own_out)


def smoothing(
    mean_NR: Float[Tensor, "count rank"],
    covariance_NRR: Float[Tensor, "count rank rank"],
    u_NR: Float[Tensor, "count rank"],
) -> float:
    """Return the kernel's width that makes a draw of each Gaussian likeliest under the others.

    Some thousand images stand for all possible ones, so the true q(z) is smoother than a sum over
    them. An autoencoder's codes are points, which have no density without a kernel.

    Source: Duin 1976, "On the choice of smoothing parameters for Parzen estimators".
    """
    few_MR = u_NR[:SMOOTHING_POINTS]
    scores = [
        Mixture(mean_NR, covariance_NRR, width)
        .log_density(few_MR, leave_own_out=True)
        .mean()
        .item()
        for width in SMOOTHING_WIDTHS
    ]
    return float(SMOOTHING_WIDTHS[int(np.argmax(scores))])


def kl_to_prior(mixture: Mixture, u_NR: Float[Tensor, "count rank"]) -> float:
    """Return KL(q || N(0, I)) in nats: the mean of log q - log p over a draw from each Gaussian.

    The density at each draw is that of the other Gaussians, so that the expectation is a lower
    bound of the KL. With its own Gaussian it could exceed the KL by up to log N.
    """
    log_q_N = mixture.log_density(u_NR, leave_own_out=True)
    return (log_q_N - _log_prior(u_NR)).mean().item()


def uncovered_mass(mixture: Mixture, u_MR: Float[Tensor, "draws rank"]) -> float:
    """Return the share of prior draws at which q is below a tenth of the prior."""
    log_ratio_M = mixture.log_density(u_MR) - _log_prior(u_MR)
    return (log_ratio_M < math.log(UNCOVERED)).double().mean().item()


def recognised(classifier: Classifier, image_NP: Float[Tensor, "images pixels"]) -> float:
    """Return the share of images that the classifier names with confidence."""
    confidence_N = classifier.probabilities(image_NP).amax(-1)
    return (confidence_N >= RECOGNISED).double().mean().item()


def in_circle(cells: int) -> Bool[np.ndarray, "cells cells"]:
    """Return which cells of a square grid have their centre within its inscribed circle."""
    centre = (2 * np.arange(cells) + 1) / cells - 1
    return np.asarray(centre[:, None] ** 2 + centre**2 <= 1)


def hole_sizes(doubtful: Bool[np.ndarray, "cells cells"]) -> list[int]:
    """Return the size of each hole: enough doubtful cells in the circle that share sides."""
    regions, _ = ndimage.label(doubtful & in_circle(len(doubtful)))
    sizes = np.bincount(regions.ravel())[1:]
    return [int(size) for size in sizes if size >= HOLE_CELLS]


def _confidence_map(
    autoencoder: Autoencoder, base: Gaussian, classifier: Classifier
) -> Float[np.ndarray, "128 128"]:
    centre_G = RADIUS * ((2 * torch.arange(GRID, dtype=torch.float64) + 1) / GRID - 1)
    u_NR = torch.cartesian_prod(centre_G, centre_G)
    confidence_N = classifier.probabilities(mean_images(autoencoder, base.place(u_NR))).amax(-1)
    return np.asarray(confidence_N.reshape(GRID, GRID).numpy())


@torch.inference_mode()
def _posteriors(
    autoencoder: Autoencoder,
    image_NP: Float[Tensor, "images pixels"],
    code_ND: Float[Tensor, "images latent"],
    base: Gaussian,
) -> tuple[Float[Tensor, "images rank"], Float[Tensor, "images rank rank"]]:
    """Return means and covariances of q(z|x) in a Gaussian's coordinates; points have no spread."""
    mean_NR = base.coordinates(code_ND)
    if not isinstance(autoencoder, VariationalAutoencoder):
        return mean_NR, torch.zeros(len(mean_NR), base.rank, base.rank, dtype=mean_NR.dtype)
    device = autoencoder.device
    scales = [
        autoencoder.posterior(part.to(device)).scale_tril.cpu()
        for part in torch.split(image_NP, CHUNK)
    ]
    scale_NRD = torch.linalg.pinv(base.scale_DR) @ torch.cat(scales).double()
    return mean_NR, scale_NRD @ scale_NRD.mT


def _one_each(
    mean_NR: Float[Tensor, "count rank"], covariance_NRR: Float[Tensor, "count rank rank"]
) -> Float[Tensor, "count rank"]:
    """Draw once from every Gaussian."""
    N, R = mean_NR.shape
    noise_NR1 = standard_normal(N, R, SEED)[:, :, None]
    value_NR, vector_NRR = torch.linalg.eigh(covariance_NRR)
    spread_NRR = vector_NRR * value_NR.clamp(min=0).sqrt()[:, None]
    draw_NR: Tensor = mean_NR + (spread_NRR @ noise_NR1)[:, :, 0]
    return draw_NR


def _log_prior(u_NR: Float[Tensor, "count rank"]) -> Float[Tensor, " count"]:
    return -0.5 * (u_NR.square() + math.log(2 * math.pi)).sum(1)
