"""Places of a plane that lessons show: the seam between two classes.

Shapes: N images, G places, P pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from model.data.datasets import LabelledImages
from model.evaluation.classifier import Classifier
from model.evaluation.space import encode, intensities, mean_images
from model.vae.autoencoder import Autoencoder

SEAM = (4, 9)
"""The two labels; of digits, those that are most alike."""
CELLS = 160
"""Places on a side of the grid that is searched, over the range of both labels' codes."""
NEAREST = 8
LEAST_EACH = 3
"""At a seam, of the nearest codes at least so many are of either label."""
SURE = 0.8
"""At a seam, the classifier gives the two labels together at least this probability."""


def measure_places(
    autoencoder: Autoencoder, examples: LabelledImages, classifier: Classifier
) -> dict[str, Any] | None:
    """Find where two labels meet.

    Returns:
        `seam`, with its `labels`; its `latent`, the place where the classifier's confidence is
        least, of those between the two whose nearest codes are of both; and `images`, the test
        images with those codes, the nearest first. None unless there are two latents and a seam.
    """
    code_N2 = encode(autoencoder, intensities(examples.images))
    if code_N2.shape[1] != 2:
        return None
    is_either_N = np.isin(examples.labels, SEAM)
    low_2, high_2 = np.quantile(code_N2[is_either_N].numpy(), (0.01, 0.99), axis=0)
    axes = [np.linspace(low_2[i], high_2[i], CELLS) for i in range(2)]
    place_G2 = torch.cartesian_prod(*(torch.from_numpy(axis) for axis in axes))
    share_GC = classifier.probabilities(mean_images(autoencoder, place_G2))
    between_G = (share_GC[:, SEAM].sum(1) >= SURE).nonzero()[:, 0]
    for g in between_G[share_GC[between_G].amax(1).argsort()].tolist():
        nearest_K = (code_N2 - place_G2[g]).square().sum(1).argsort()[:NEAREST].numpy()
        counts = [int((examples.labels[nearest_K] == label).sum()) for label in SEAM]
        if min(counts) >= LEAST_EACH and sum(counts) == NEAREST:
            return {
                "seam": {
                    "labels": list(SEAM),
                    "latent": [round(z, 4) for z in place_G2[g].tolist()],
                    "confidence": round(share_GC[g].max().item(), 4),
                    "images": nearest_K.tolist(),
                },
                "protocol": (
                    f"of {CELLS} x {CELLS} places over the codes of both labels: the one where the "
                    f"classifier is least sure, of those where it gives the two together at least "
                    f"{SURE} and the {NEAREST} nearest codes are of the two, at least "
                    f"{LEAST_EACH} of each"
                ),
            }
    return None
