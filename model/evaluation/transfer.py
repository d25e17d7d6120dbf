"""Attribute transfer: whether a direction of the latent space changes one factor and no other.

Shapes: N images, D latent dimensions, F factors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from model.data.datasets import FACES, LabelledImages, factors_of_tests
from model.data.faces import CHOICES, FACTORS, factor_distance, factor_values
from model.evaluation.disentanglement import mutual_information_gaps
from model.evaluation.factor_reader import FactorReader
from model.geometry.attributes import Attributes
from model.vae.autoencoder import Autoencoder
from model.vae.dataset_elbo import intensities

ADDED = "moustache"
"""The factor that is given to portraits that have none."""
CHUNK = 500
SAME = 0.1
"""Of a number's range: what has moved less has stayed."""


def measure_factors(
    autoencoder: Autoencoder, tests: LabelledImages, reader: FactorReader
) -> dict[str, Any]:
    """Measure what a code's numbers and directions have to do with the factors of portraits.

    The direction of a moustache is found from the first half of the test images. It is added once
    to the code of each portrait of the other half that has none. The reader judges the decoded
    image before and after.

    Returns:
        `mig`, the mean mutual information gap of all factors, `mig_of` by factor; `before` and
        `appears`, the shares that are read as with a moustache; `stays`, the mean share of the
        other factors that are read as before, and `stays_of` by factor.

    Source: Larsen et al. 2016, arXiv:1512.09300, section 4 (attributes added as vectors).
    """
    code_ND, levels = _codes(autoencoder, tests.images), factors_of_tests(FACES.id)
    value_NF = np.stack([factor_values(levels, name) for name in FACTORS], axis=1)
    gap_F = mutual_information_gaps(code_ND, value_NF)
    half, added = len(code_ND) // 2, FACTORS.index(ADDED)
    (find,) = Attributes(FACES.id, code_ND[:half], tests.labels).of_factor(ADDED)
    direction = find()
    assert direction is not None
    plain_ND = code_ND[half:][value_NF[half:, added] == 0]
    before_NF, after_NF = (
        reader.read(_drawn(autoencoder, part)) for part in (plain_ND, plain_ND + direction.vector)
    )
    stays_of = {
        name: round(float(_alike(name, before_NF[:, column], after_NF[:, column]).mean()), 4)
        for column, name in enumerate(FACTORS)
        if name != ADDED
    }
    return {
        "mig": round(float(gap_F.mean()), 4),
        "mig_of": {name: round(gap, 4) for name, gap in zip(FACTORS, gap_F.tolist(), strict=True)},
        "before": round(float(before_NF[:, added].mean()), 4),
        "appears": round(float(after_NF[:, added].mean()), 4),
        "stays": round(float(np.mean(list(stays_of.values()))), 4),
        "stays_of": stays_of,
        "protocol": (
            f"a moustache added to the codes of {len(plain_ND):,} test portraits without one, by "
            f"the direction of {half:,} others; judged by a network that reads factors, which is "
            f"right on {reader.facts['test'][ADDED]:.1%} of moustaches; a number has stayed if it "
            f"moved by less than {SAME:.0%} of its range"
        ),
    }


@torch.inference_mode()
def _codes(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."]
) -> Float[np.ndarray, "images latent"]:
    image_NP = torch.from_numpy(intensities(images)).to(autoencoder.device)
    codes = torch.cat([autoencoder.code(part) for part in torch.split(image_NP, CHUNK)])
    return codes.double().cpu().numpy()


@torch.inference_mode()
def _drawn(
    autoencoder: Autoencoder, code_ND: Float[np.ndarray, "images latent"]
) -> Float[Tensor, "images pixels"]:
    z_ND = torch.from_numpy(code_ND.astype(np.float32)).to(autoencoder.device)
    parts = [autoencoder.decode(part) for part in torch.split(z_ND, CHUNK)]
    return torch.cat([autoencoder.likelihood.mean(part) for part in parts]).cpu()


def _alike(
    name: str, before_N: Float[np.ndarray, " images"], after_N: Float[np.ndarray, " images"]
) -> np.ndarray:
    """Return where a factor was read alike twice."""
    if name in CHOICES:
        return np.asarray(before_N == after_N)
    return factor_distance(name, after_N, before_N) < SAME
