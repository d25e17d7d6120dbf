"""Second sources: torch.distributions, quadrature, definitions in slow loops, exact fractions."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, distributions

from model.vae.likelihood import (
    LIKELIHOODS,
    Bernoulli,
    ContinuousBernoulli,
    DiscretisedLogistic,
    Gaussian,
    Likelihood,
    bernoulli_log_prob,
    bernoulli_mean,
    grey_levels,
)

LOGITS = torch.cat(
    [torch.linspace(-14, 14, 57), torch.tensor([1e-9, -1e-4, 0.003, 0.0499, 0.0501, -0.05])]
).double()
"""Among them 0 and its neighbours, where the continuous Bernoulli is 0 / 0."""


def exact(numbers: object) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def test_the_log_probability_of_a_binary_image_is_that_of_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(4, 784, dtype=torch.float64, generator=generator)
    image = (torch.rand(4, 784, generator=generator) < 0.3).double()
    q = distributions.Bernoulli(logits=logits)
    expected = q.log_prob(image).sum(-1)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(bernoulli_log_prob(image, logits), expected)


def test_the_log_probability_of_a_grey_image_is_the_sum_of_its_definition() -> None:
    image = [0.0, 0.2, 0.5, 1.0]
    logits = [-3.0, 0.5, 2.0, 7.0]
    expected = 0.0
    for x, logit in zip(image, logits, strict=True):
        p = 1 / (1 + math.exp(-logit))
        expected += x * math.log(p) + (1 - x) * math.log(1 - p)
    found = bernoulli_log_prob(exact([image]), exact([logits]))
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_a_grey_image_gives_the_expectation_over_all_of_its_binarisations() -> None:
    grey = exact([0.1, 0.5, 0.8])
    logits = exact([[-1.0, 0.3, 2.0]])
    expected = torch.zeros(1).double()
    for bits in product([0.0, 1.0], repeat=3):
        binary = exact(bits)
        odds = torch.where(binary == 1, grey, 1 - grey).prod()
        expected += odds * bernoulli_log_prob(binary[None], logits)
    torch.testing.assert_close(bernoulli_log_prob(grey[None], logits), expected)


def test_sure_logits_cost_what_they_say_and_stay_finite() -> None:
    logits = torch.tensor([[1000.0, -1000.0]])
    assert bernoulli_log_prob(torch.tensor([[1.0, 0.0]]), logits).item() == 0
    assert bernoulli_log_prob(torch.tensor([[0.0, 1.0]]), logits).item() == -2000


def test_the_mean_image_is_the_mean_of_the_distribution() -> None:
    logits = torch.linspace(-20, 20, 101).double()[None]
    torch.testing.assert_close(bernoulli_mean(logits), distributions.Bernoulli(logits=logits).mean)


def test_the_bernoulli_of_a_recipe_is_the_bernoulli() -> None:
    image, logits = torch.rand(5, len(LOGITS)).double(), LOGITS.expand(5, -1)
    assert torch.equal(Bernoulli().log_prob(image, logits), bernoulli_log_prob(image, logits))
    assert torch.equal(Bernoulli().mean(logits), bernoulli_mean(logits))


def test_the_continuous_bernoulli_is_that_of_torch_distributions() -> None:
    torch.manual_seed(0)
    image = torch.rand(5, len(LOGITS)).double()
    q = distributions.ContinuousBernoulli(logits=LOGITS)
    expected = q.log_prob(image).sum(-1)  # type: ignore[no-untyped-call]
    found = ContinuousBernoulli().log_prob(image, LOGITS.expand(5, -1))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    found_mean = ContinuousBernoulli().mean(LOGITS[None])[0]
    torch.testing.assert_close(found_mean, q.mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("logit", [-30.0, -3.0, -0.051, -0.049, 0.0, 1e-6, 0.02, 0.06, 2.0, 40.0])
def test_the_continuous_bernoulli_integrates_to_1_and_has_its_mean_in_single_precision(
    logit: float,
) -> None:
    nodes, odds = np.polynomial.legendre.leggauss(80)  # exact for such smooth functions
    image, weight = torch.tensor(nodes + 1).float() / 2, torch.tensor(odds) / 2
    output = torch.full((80, 1), logit)
    density = ContinuousBernoulli().log_prob(image[:, None], output).double().exp()
    assert (weight * density).sum().item() == pytest.approx(1, abs=2e-5)
    mean = (weight * density * image).sum().item()
    assert ContinuousBernoulli().mean(output)[0].item() == pytest.approx(mean, abs=2e-5)


def test_the_mean_of_a_continuous_bernoulli_is_greyer_than_lambda() -> None:
    """Source: Loaiza-Ganem & Cunningham 2019: its mean is lambda at 1/2 alone."""
    logits = LOGITS[LOGITS.abs() > 1e-3]
    mean, lamb = ContinuousBernoulli().mean(logits[None])[0], logits.sigmoid()
    assert ((mean - 0.5).abs() < (lamb - 0.5).abs()).all()
    assert ContinuousBernoulli().mean(torch.zeros(1, 1)).item() == 0.5


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_gradients_are_those_of_finite_differences_and_finite_at_0(name: str) -> None:
    likelihood = LIKELIHOODS[name]().double()
    image = torch.linspace(0, 1, 8).double()[None]
    # None of them is within a step of 0.05, where a series gives way to the formula.
    output = torch.tensor([[0.0, -0.0, 1e-7, -1e-3, 0.03, 0.06, -2.0, 9.0]]).double()
    output.requires_grad_()
    assert torch.autograd.gradcheck(lambda o: likelihood.log_prob(image, o), (output,), atol=1e-5)
    for extreme in (0.0, 1000.0, -1000.0):
        flat = torch.full((1, 8), extreme, requires_grad=True)
        torch.autograd.backward(likelihood.float().log_prob(image.float(), flat))
        assert flat.grad is not None
        assert flat.grad.isfinite().all()


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_every_mean_image_lies_between_background_and_ink(name: str) -> None:
    likelihood: Likelihood = LIKELIHOODS[name]()
    output = torch.cat([LOGITS.float(), torch.tensor([-1e4, 1e4])])[None]
    mean = likelihood.mean(output)[0]
    assert mean.min() >= 0
    assert mean.max() <= 1
    assert mean[-2] < 0.001 < 0.999 < mean[-1]


def gaussian(sigma: float) -> Gaussian:
    likelihood = Gaussian().double()
    torch.nn.init.constant_(likelihood.log_sigma, math.log(sigma))
    return likelihood


@pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
def test_the_gaussian_is_that_of_torch_distributions(sigma: float) -> None:
    torch.manual_seed(0)
    image, output = torch.rand(5, 784).double(), torch.randn(5, 784).double()
    q = distributions.Normal(output, sigma)
    expected = q.log_prob(image).sum(-1)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(gaussian(sigma).log_prob(image, output), expected)


def test_the_mean_image_of_a_gaussian_is_its_mean_where_that_is_an_intensity() -> None:
    output = torch.tensor([[-0.5, 0.0, 0.25, 1.0, 1.5]])
    assert Gaussian().mean(output).tolist() == [[0.0, 0.0, 0.25, 1.0, 1.0]]


def test_sigma_learns_the_standard_deviation_of_the_residual() -> None:
    torch.manual_seed(0)
    output = torch.rand(20, 784)
    image = output + 0.17 * torch.randn(20, 784)
    likelihood = Gaussian()
    optimiser = torch.optim.Adam(likelihood.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        torch.autograd.backward(-likelihood.log_prob(image, output).mean())
        optimiser.step()
    residual = (image - output).square().mean().sqrt().item()
    assert likelihood.log_sigma.exp().item() == pytest.approx(residual, rel=1e-3)


@pytest.mark.parametrize("log_scale", [-5.0, -2.0, 0.5])
def test_the_discretised_logistic_gives_256_levels_their_share_of_a_logistic(
    log_scale: float,
) -> None:
    likelihood = DiscretisedLogistic().double()
    torch.nn.init.constant_(likelihood.log_scale, log_scale)
    scale = math.exp(log_scale)
    level = torch.arange(256).double() / 255
    for location in (-0.3, 0.0, 0.41, 1.2):
        output = torch.full((256, 1), location).double()
        share = likelihood.log_prob(level[:, None], output).exp()
        edges = torch.cat(
            [torch.tensor([-math.inf]), level[:-1] + 1 / 510, torch.tensor([math.inf])]
        )
        expected = torch.sigmoid((edges.double() - location) / scale).diff()
        torch.testing.assert_close(share, expected, atol=1e-12, rtol=1e-6)
        assert share.sum().item() == pytest.approx(1)
        mean = likelihood.mean(output[:1]).item()
        assert mean == pytest.approx((share * level).sum().item(), abs=2e-4)


def test_each_grey_level_is_rounded_half_up() -> None:
    for level in range(256):
        halves = [level + Fraction(n, 4) for n in (-2, -1, 0, 1)]
        inside = [half for half in halves if 0 <= half <= 255]
        # Doubles one part in 10^12 above the fractions: on the fraction or just above it.
        means = exact([[float(half / 255) * (1 + 1e-12) for half in inside]])
        assert grey_levels(means.clamp(max=1)).tolist() == [[level] * len(inside)]
