"""Second sources: the closed form of the best Gaussian, and log p(x) by quadrature."""

import numpy as np
import pytest
import torch

from model.checkpoint import CHECKPOINTS, read_checkpoint
from model.data import datasets
from model.evaluation import gaps
from model.evaluation.gaps import fitted, measure_gaps
from model.vae.autoencoder import VariationalAutoencoder
from model.vae.dataset_elbo import binarise

IMAGES = datasets.test_set("mnist").images[:6]


def shipped(name: str) -> VariationalAutoencoder:
    autoencoder = read_checkpoint(CHECKPOINTS / name).autoencoder
    assert isinstance(autoencoder, VariationalAutoencoder)
    return autoencoder


def test_the_gaps_are_not_negative_and_add_up_to_what_the_encoder_misses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gaps, "IMAGES", 6)
    monkeypatch.setattr(gaps, "FINEST", 0.04)  # a quarter of the narrowest posterior's width
    measured = measure_gaps(shipped("mnist-vae-2d-beta-4"), IMAGES)
    assert measured
    assert measured["amortisation"] > 0
    assert measured["approximation"] > -0.05
    assert "first 6 test images" in measured["protocol"]


def test_where_the_decoder_ignores_its_code_the_best_posterior_is_the_prior() -> None:
    vae = shipped("mnist-vae-2d-beta-64")
    images = torch.from_numpy(binarise(IMAGES))
    with torch.no_grad():
        start = vae.guess(images)
    best = fitted(vae, images, start)
    assert best.kl_to_prior().sum(1).median() < 0.02


def test_what_has_no_plane_or_no_probability_has_no_gaps() -> None:
    assert measure_gaps(shipped("mnist-vae-20d"), IMAGES) is None
    assert measure_gaps(shipped("mnist-vae-2d-gaussian"), IMAGES) is None
    plain = read_checkpoint(CHECKPOINTS / "mnist-ae-2d").autoencoder
    assert measure_gaps(plain, np.asarray(IMAGES)) is None
