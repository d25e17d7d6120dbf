"""Second sources: torch.distributions, and encoders whose variance is known."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from model.checkpoint import CHECKPOINTS, read_checkpoint
from model.data.datasets import test_set as shipped_test_set
from model.evaluation.latents import measure_latents, mutual_information
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder

IMAGES = shipped_test_set("mnist").images[:50]
GREY = torch.from_numpy(IMAGES.reshape(50, -1) / 255.0)
INK = (GREY.mean(1) - GREY.mean()) / GREY.mean(1).std(correction=0)


def built(deviations: list[float]) -> VariationalAutoencoder:
    """A VAE whose means have these standard deviations over the images; all scales are a half."""
    D = len(deviations)
    encoder = nn.Linear(784, 2 * D)
    with torch.no_grad():
        encoder.weight.zero_()
        per_ink = torch.tensor(deviations) / GREY.mean(1).std(correction=0).float()
        encoder.weight[:D] = per_ink[:, None] / 784
        encoder.bias[:D] = -per_ink * GREY.mean().float()
        encoder.bias[D:] = 2 * np.log(0.5)
    vae = VariationalAutoencoder(encoder, nn.Linear(D, 784), D, correlated=False)
    return vae.requires_grad_(False)


def test_a_latent_whose_mean_stays_within_a_tenth_is_not_active() -> None:
    measured = measure_latents(built([0.0, 0.09, 0.11, 1.0]), IMAGES)
    assert measured
    assert measured["active_units"] == 2


def test_each_latent_has_the_kl_of_its_own_gaussian() -> None:
    measured = measure_latents(built([0.0, 2.0]), IMAGES)
    assert measured
    expected = [
        kl_divergence(Normal(deviation * INK, 0.5), Normal(0.0, 1.0)).mean().item()
        for deviation in (0.0, 2.0)
    ]
    assert measured["kl_per_dimension"] == pytest.approx(expected, abs=1e-3)


def test_the_parts_of_a_shipped_model_add_up_to_the_kl_in_its_card() -> None:
    checkpoint = read_checkpoint(CHECKPOINTS / "mnist-vae-2d-beta-1")
    measured = measure_latents(checkpoint.autoencoder, shipped_test_set("mnist").images)
    assert measured
    assert sum(measured["kl_per_dimension"]) == pytest.approx(
        checkpoint.card.metrics["grey"]["kl"], abs=2e-3
    )
    assert measured["active_units"] == 2
    assert "10,000 test images" in measured["protocol"]


def test_what_has_no_posterior_has_no_such_figures() -> None:
    plain = Autoencoder(nn.Linear(784, 2), nn.Linear(2, 784))
    assert measure_latents(plain, IMAGES) is None


def test_codes_far_apart_tell_all_and_codes_in_one_place_nothing() -> None:
    narrow = 0.01 * torch.eye(2, dtype=torch.float64).expand(200, 2, 2)
    apart = torch.arange(400, dtype=torch.float64).view(200, 2)
    assert mutual_information(apart, narrow) == pytest.approx(np.log(200), abs=1e-6)
    assert mutual_information(torch.zeros_like(apart), narrow) == pytest.approx(0, abs=1e-6)


def test_the_information_of_two_overlapping_codes_is_that_of_quadrature() -> None:
    means = torch.tensor([[0.0], [1.5]], dtype=torch.float64).repeat(4000, 1)
    scales = torch.ones(8000, 1, 1, dtype=torch.float64)
    z = torch.arange(-9, 11, 0.001, dtype=torch.float64)
    q = [torch.exp(-((z - mean) ** 2) / 2) / np.sqrt(2 * np.pi) for mean in (0.0, 1.5)]
    mixture = (q[0] + q[1]) / 2
    expected = sum((one * (one / mixture).log()).sum() * 0.001 / 2 for one in q)
    assert mutual_information(means, scales) == pytest.approx(float(expected), abs=0.02)
