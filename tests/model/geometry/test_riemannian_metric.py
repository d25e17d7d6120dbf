"""Second sources: the divergence of neighbours, of which a Fisher-Rao length is the limit."""

import math

import numpy as np
import pytest
import torch
from torch import distributions, nn
from torch.nn.functional import logsigmoid

from model.geometry.computation import complete
from model.geometry.riemannian_metric import fit_metric
from model.vae.autoencoder import Autoencoder
from model.vae.likelihood import LIKELIHOODS, Gaussian, Likelihood

CODES = np.random.default_rng(0).normal(size=(3000, 2)).astype(np.float32)


def linear(scale: float = 3.0) -> Autoencoder:
    """A decoder that turns and stretches the plane, and whose pixels are exact numbers."""
    torch.manual_seed(0)
    decoder = nn.Linear(2, 784, bias=False)
    with torch.no_grad():
        decoder.weight.copy_(scale * torch.linalg.qr(torch.randn(784, 2)).Q)
    likelihood = Gaussian()
    nn.init.zeros_(likelihood.log_sigma)
    return Autoencoder(nn.Linear(784, 2), decoder, likelihood)


def logistic_divergence(here: torch.Tensor, there: torch.Tensor, scale: float) -> torch.Tensor:
    """Integrate log(p / q) p for two logistic densities of one scale, by the trapezoidal rule."""
    offset = torch.linspace(-40, 40, 40_001, dtype=torch.float64)

    def log_density(from_location: torch.Tensor) -> torch.Tensor:
        return logsigmoid(from_location) + logsigmoid(-from_location)

    moved = offset - ((there - here) / scale)[:, None]
    density = log_density(offset).exp()
    return torch.trapezoid(density * (log_density(offset) - log_density(moved)), offset, dim=-1)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_short_distance_squared_is_twice_the_divergence(name: str) -> None:
    """KL(p_l || p_{l + d}) = |phi(l + d) - phi(l)|^2 / 2 for small d (Kullback & Leibler)."""
    likelihood: Likelihood = LIKELIHOODS[name]()
    kinds = {
        "bernoulli": lambda logit: distributions.Bernoulli(logits=logit),
        "continuous-bernoulli": lambda logit: distributions.ContinuousBernoulli(logits=logit),
        "gaussian": lambda mean: distributions.Normal(mean, math.exp(-1)),
    }
    here = torch.linspace(-6.013, 6.013, 25, dtype=torch.float64)
    there = here + 0.02
    if name == "discretised-logistic":
        kl = logistic_divergence(here, there, math.exp(-2))
    else:
        near = [kinds[name](output) for output in (here, there)]  # type: ignore[no-untyped-call]
        kl = distributions.kl_divergence(*near)
    found = (likelihood.embed(there[:, None]) - likelihood.embed(here[:, None])).square()[:, 0] / 2
    torch.testing.assert_close(found, kl, rtol=0.02, atol=1e-9)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_pixels_beyond_all_doubt_have_a_place_and_a_gradient_that_is_finite(name: str) -> None:
    output = torch.tensor([[-1e4, -50.0, 0.0, 50.0, 1e4]], requires_grad=True)
    place = LIKELIHOODS[name]().embed(output)
    (gradient,) = torch.autograd.grad(place.sum(), output)
    assert place.isfinite().all()
    assert gradient.isfinite().all()
    assert (place.diff() >= 0).all()


def test_where_codes_are_dense_only_what_is_seen_counts() -> None:
    way = torch.tensor([[0.0, 0.0], [0.01, 0.02], [0.0, 0.03]])
    steps = way.diff(dim=0).square().sum(-1)
    torch.testing.assert_close(
        complete(fit_metric(linear(3.0), CODES)).squared_lengths(way), 9 * steps
    )


def test_far_from_all_codes_a_step_costs_more_with_every_nat() -> None:
    """A kernel density far out falls as the square of the distance to the nearest code."""
    found = complete(fit_metric(linear(3.0), CODES))
    far = torch.tensor([[20.0, 0.0], [20.1, 0.0], [40.0, 0.0], [40.1, 0.0]])
    lengths = found.squared_lengths(far)[[0, 2]]
    square = np.square(CODES[:1000, None] - CODES[None, :1000]).sum(-1)
    width = np.median(np.sort(square, axis=1)[:, 10])
    density = np.log(np.exp(-square / (2 * width)).sum(1))
    for length, place in zip(lengths.tolist(), (20.05, 40.05), strict=True):
        nearest = -np.square(CODES[:1000] - (place, 0)).sum(1) / (2 * width)
        log_density = nearest.max() + math.log(np.exp(nearest - nearest.max()).sum())
        expected = 9 * 0.01 * (1 + np.quantile(density, 0.1) - log_density)
        assert length == pytest.approx(expected, rel=1e-3)


def test_without_its_price_emptiness_costs_nothing() -> None:
    metric = complete(fit_metric(linear(), CODES, emptiness=0.0))
    assert metric.emptiness(torch.tensor([[50.0, 0.0]])).item() == 0
    assert metric.name == "fisher-rao"
