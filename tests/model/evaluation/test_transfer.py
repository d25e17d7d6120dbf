"""Transfer measured on an autoencoder that knows the factors, and on one that mixes them."""

from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from model.data import datasets
from model.data.datasets import LabelledImages, factors_of_tests
from model.data.faces import FACTORS, face_of
from model.data.portraits import portrait
from model.evaluation.factor_reader import load_reader
from model.evaluation.transfer import measure_factors
from model.vae.autoencoder import Autoencoder

MOUSTACHE = FACTORS.index("moustache")


class Painter:
    """Its codes are the factors of a portrait, one number each, and it draws by the program."""

    device = torch.device("cpu")

    def __init__(self, tests: LabelledImages) -> None:
        self.factors = {
            image.tobytes(): row
            for image, row in zip(tests.images, factors_of_tests("faces"), strict=True)
        }
        self.likelihood = self

    def code(self, image_NP: Tensor) -> Tensor:
        images = (image_NP.numpy() * 255 + 0.5).astype(np.uint8)
        return torch.tensor(np.array([self.factors[image.tobytes()] for image in images]) / 255.0)

    def decode(self, z_ND: Tensor) -> Tensor:
        levels = (z_ND.numpy() * 255 + 0.5).clip(0, 255).astype(np.uint8)
        return torch.tensor(np.stack([portrait(face_of(row)).ravel() for row in levels])) / 255

    def mean(self, output_NP: Tensor) -> Tensor:
        return output_NP


class Mixer(Painter):
    """A moustache brings glasses with it, and the other way round."""

    def code(self, image_NP: Tensor) -> Tensor:
        code_ND = super().code(image_NP)
        code_ND[:, MOUSTACHE] += code_ND[:, FACTORS.index("glasses")]
        code_ND[:, FACTORS.index("glasses")] = code_ND[:, MOUSTACHE]
        return code_ND


@pytest.fixture(scope="module")
def tests() -> LabelledImages:
    return datasets.test_set("faces")


def test_who_draws_by_the_factors_adds_a_moustache_and_changes_nothing_else(
    tests: LabelledImages,
) -> None:
    found = measure_factors(cast(Autoencoder, Painter(tests)), tests, load_reader())
    assert found["before"] < 0.02
    assert found["appears"] > 0.95
    assert found["stays"] > 0.95
    assert found["mig"] > 0.85


def test_factors_that_are_mixed_up_do_not_stay(tests: LabelledImages) -> None:
    found = measure_factors(cast(Autoencoder, Mixer(tests)), tests, load_reader())
    assert found["stays_of"]["glasses"] == pytest.approx(1 / 3, abs=0.05), "who wore them before"
    assert found["stays_of"]["beard"] > 0.9
    assert found["mig_of"]["moustache"] < 0.2
