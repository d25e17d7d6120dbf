"""Samples: how near the images drawn from a model come to real ones.

The distances are taken between features of our own classifier of digits or clothes. They compare
with each other and with their floor, never with figures over other features.

Shapes: N real images, M drawn ones, B at a time, F features, k neighbours.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from model.evaluation.classifier import FEATURES, Classifier
from model.evaluation.space import encode, intensities, mean_images, prior, prior_name
from model.vae.autoencoder import Autoencoder

DRAWS = 10_000
NEIGHBOURS = 5
SUBSETS, SUBSET_SIZE = 50, 1000
"""Of the kernel distance, which is unbiased, so that small subsets save time at no cost."""
CHUNK = 1000
SEED = 0


def measure_samples(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."], classifier: Classifier
) -> dict[str, Any]:
    """Measure how near mean images at draws from the prior come to the test images.

    Returns:
        The figures of `compare`, and as `floor` the same for training images in their place, which
        a perfect model would reach. The floor was measured when the classifier was trained,
        because only then are the training images at hand.
    """
    image_NP = intensities(images)
    base = prior(autoencoder, encode(autoencoder, image_NP))
    drawn_MP = mean_images(autoencoder, base.draw(DRAWS, SEED))
    return {
        **compare(classifier.features(image_NP), classifier.features(drawn_MP)),
        "floor": classifier.facts["floor"],
        "protocol": (
            f"{DRAWS:,} mean images at draws from the {prior_name(autoencoder)}, seed {SEED}, "
            f"against {len(images):,} test images, by the {FEATURES} features of our own "
            f"classifier; kid: {SUBSETS} subsets of {SUBSET_SIZE:,}, cubic kernel; "
            f"precision, recall, density, coverage: {NEIGHBOURS} neighbours"
        ),
    }


def compare(
    real_NF: Float[Tensor, "real features"], drawn_MF: Float[Tensor, "drawn features"]
) -> dict[str, float]:
    """Measure distances between two sets of features.

    Returns:
        `fid` and `kid`, the Fréchet and the kernel distance, 0 between equal distributions;
        `precision`, `recall`, `density` and `coverage` of `neighbourhoods`.
    """
    device = real_NF.device
    fid = FrechetInceptionDistance(feature=_Features()).to(device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        kid = KernelInceptionDistance(_Features(), SUBSETS, SUBSET_SIZE).to(device)
    for metric in (fid, kid):
        metric.update(real_NF, real=True)
        metric.update(drawn_MF, real=False)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        kernel_distance, _ = kid.compute()
    return {
        "fid": round(fid.compute().item(), 3),
        "kid": round(kernel_distance.item(), 5),
        **{name: round(value, 4) for name, value in neighbourhoods(real_NF, drawn_MF).items()},
    }


class _Features(nn.Module):
    """Takes the place of the metrics' network from images to features; its inputs are features."""

    num_features = FEATURES

    def forward(self, features_BF: Tensor) -> Tensor:
        return features_BF.double()


def neighbourhoods(
    real_NF: Float[Tensor, "real features"],
    drawn_MF: Float[Tensor, "drawn features"],
    neighbours: int = NEIGHBOURS,
) -> dict[str, float]:
    """Measure four shares of images in the neighbourhoods of images of the other kind.

    An image's neighbourhood is the ball to the k-th nearest image of its own kind.

    Returns:
        `precision`, the share of drawn images in the neighbourhood of any real one; `recall`, the
        share of real images in the neighbourhood of any drawn one; `density`, the mean number of
        real neighbourhoods that hold a drawn image, divided by k, which may exceed 1; `coverage`,
        the share of real neighbourhoods that hold a drawn image.

    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991 (precision, recall);
    Naeem et al. 2020, arXiv:2002.09797 (density, coverage).
    """
    real_radius_N, drawn_radius_M = _radii(real_NF, neighbours), _radii(drawn_MF, neighbours)
    holders_M = torch.zeros(len(drawn_MF), dtype=torch.long)
    covered, recalled = 0, 0
    for real_BF, radius_B in zip(
        torch.split(real_NF, CHUNK), torch.split(real_radius_N, CHUNK), strict=True
    ):
        distance_BM = torch.cdist(real_BF, drawn_MF)
        held_BM: Bool[Tensor, "batch drawn"] = distance_BM <= radius_B[:, None]
        holders_M += held_BM.sum(0)
        covered += int(held_BM.any(1).sum())
        recalled += int((distance_BM <= drawn_radius_M).any(1).sum())
    return {
        "precision": (holders_M > 0).double().mean().item(),
        "recall": recalled / len(real_NF),
        "density": holders_M.double().mean().item() / neighbours,
        "coverage": covered / len(real_NF),
    }


def _radii(features_NF: Float[Tensor, "count features"], k: int) -> Float[Tensor, " count"]:
    """Return each row's distance to its k-th nearest other row."""
    nearest = [
        torch.cdist(part, features_NF).kthvalue(k + 1).values  # the nearest of all is itself
        for part in torch.split(features_NF, CHUNK)
    ]
    return torch.cat(nearest)
