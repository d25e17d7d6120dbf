"""Second sources: torch.distributions, the definition in a slow loop, exact fractions."""

import math
from fractions import Fraction
from itertools import product

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli

from model.likelihood import bernoulli_log_prob, bernoulli_mean, grey_levels


def exact(numbers: object) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def test_the_log_probability_of_a_binary_image_is_that_of_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(4, 784, dtype=torch.float64, generator=generator)
    image = (torch.rand(4, 784, generator=generator) < 0.3).double()
    q = Bernoulli(logits=logits)
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
    torch.testing.assert_close(bernoulli_mean(logits), Bernoulli(logits=logits).mean)


def test_each_grey_level_is_rounded_half_up() -> None:
    for level in range(256):
        halves = [level + Fraction(n, 4) for n in (-2, -1, 0, 1)]
        inside = [half for half in halves if 0 <= half <= 255]
        # Doubles one part in 10^12 above the fractions: on the fraction or just above it.
        means = exact([[float(half / 255) * (1 + 1e-12) for half in inside]])
        assert grey_levels(means.clamp(max=1)).tolist() == [[level] * len(inside)]
