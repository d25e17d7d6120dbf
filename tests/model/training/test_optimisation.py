"""Second sources: the formulas, and a slow loop."""

import math

import pytest
import torch

from model.training.optimisation import Average, products, schedule


def test_the_learning_rate_rises_in_the_warm_up_and_falls_as_a_cosine() -> None:
    assert [schedule(p, 0.1, "cosine") for p in (0, 0.05, 0.1)] == pytest.approx([0, 0.5, 1])
    for share in (0, 0.25, 0.5, 0.75, 1):
        expected = math.cos(math.pi * share / 2) ** 2
        assert schedule(0.1 + 0.9 * share, 0.1, "cosine") == pytest.approx(expected)


def test_without_decay_the_learning_rate_stays_at_its_peak() -> None:
    assert [schedule(p, 0.0, "none") for p in (0, 0.3, 1)] == [1, 1, 1]


def test_the_average_of_the_weights_is_that_of_a_slow_loop() -> None:
    parameter = torch.nn.Parameter(torch.tensor([3.0]))
    average = Average([parameter], decay=0.6)
    expected = 3.0
    for step, value in enumerate([5.0, -1.0, 2.0, 8.0, 1.0, 1.0, 4.0, 2.0, 9.0]):
        parameter.data.fill_(value)
        average.update(step)
        kept = min(0.6, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * value
    with average.applied():
        assert parameter.item() == pytest.approx(expected)
    assert parameter.item() == 9
    average.keep()
    assert parameter.item() == pytest.approx(expected)


def test_products_are_quick_within_and_as_before_after() -> None:
    before = torch.get_float32_matmul_precision()
    with products():
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before


def test_quick_products_round_the_factors_and_no_more() -> None:
    generator = torch.Generator().manual_seed(1)
    a_IJ, b_JK = (torch.randn(256, 256, generator=generator) for _ in range(2))
    exact_IK = a_IJ.double() @ b_JK.double()
    with products():
        found_IK = a_IJ @ b_JK
    rounded_IK = a_IJ.bfloat16().double() @ b_JK.bfloat16().double()
    error, bound = ((other - exact_IK).abs().max() for other in (found_IK.double(), rounded_IK))
    assert error <= 1.01 * bound
