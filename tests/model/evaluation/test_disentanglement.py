import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from model.evaluation.disentanglement import mutual_information_gaps

COUNT = 4000


@pytest.fixture
def factors() -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.stack([rng.uniform(-1, 1, COUNT), rng.integers(0, 3, COUNT).astype(float)], axis=1)


def test_a_number_for_each_factor_has_the_whole_gap(factors: np.ndarray) -> None:
    unused = np.random.default_rng(4).standard_normal((COUNT, 1))
    codes = np.concatenate([3 * factors + 1, unused], axis=1)
    numeric, choice = mutual_information_gaps(codes, factors)
    assert choice == pytest.approx(1, abs=0.02)
    assert numeric > 0.85, "cells of equal width and cells of equal count do not quite agree"


def test_two_numbers_that_tell_equally_much_have_no_gap(factors: np.ndarray) -> None:
    turned = factors @ np.array([[1.0, 1.0], [-0.5, 0.5]])
    assert mutual_information_gaps(turned, factors)[0] < 0.05
    doubled = np.concatenate([factors, factors], axis=1)
    assert mutual_information_gaps(doubled, factors) == pytest.approx([0, 0])


def test_noise_tells_of_no_factor(factors: np.ndarray) -> None:
    noise = np.random.default_rng(5).standard_normal((COUNT, 4))
    assert mutual_information_gaps(noise, factors).max() < 0.02


def test_of_one_number_the_gap_is_the_part_of_the_entropy_that_it_tells(
    factors: np.ndarray,
) -> None:
    choice = factors[:, 1:].copy()
    codes = choice.copy()
    codes[: COUNT // 2] = 1  # half of the images tell nothing
    told = mutual_info_score(codes[:, 0], choice[:, 0])
    whole = mutual_info_score(choice[:, 0], choice[:, 0])
    assert mutual_information_gaps(codes, choice) == pytest.approx([told / whole])
