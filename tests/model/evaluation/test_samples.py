"""Second sources: SciPy's matrix root, the kernel distance written out, a slow loop."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from model.data import datasets
from model.evaluation import samples
from model.evaluation.classifier import FEATURES, load_classifier
from model.evaluation.samples import compare, measure_samples, neighbourhoods
from tests.model.evaluation import linear

CLASSIFIER = load_classifier("mnist")


def clouds() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(1000, FEATURES), 0.3 + 0.8 * torch.randn(1000, FEATURES)


@pytest.fixture(scope="module")
def compared() -> dict[str, float]:
    return compare(*clouds())


def slow_neighbourhoods(real: np.ndarray, drawn: np.ndarray, k: int) -> dict[str, float]:
    def radius(points: np.ndarray, i: int) -> float:
        return sorted(float(np.linalg.norm(points[i] - other)) for other in points)[k]

    def holds(points: np.ndarray, i: int, other: np.ndarray) -> bool:
        return float(np.linalg.norm(points[i] - other)) <= radius(points, i)

    in_real = [[holds(real, i, point) for i in range(len(real))] for point in drawn]
    in_drawn = [[holds(drawn, j, point) for j in range(len(drawn))] for point in real]
    return {
        "precision": float(np.mean([any(row) for row in in_real])),
        "recall": float(np.mean([any(row) for row in in_drawn])),
        "density": float(np.sum(in_real)) / (k * len(drawn)),
        "coverage": float(np.mean(np.any(in_real, axis=0))),
    }


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_the_neighbourhoods_are_those_of_a_slow_loop(shift: float) -> None:
    rng = np.random.default_rng(1)
    real, drawn = rng.normal(0, 1, (30, 3)), rng.normal(shift, 0.6, (25, 3))
    measured = neighbourhoods(torch.from_numpy(real), torch.from_numpy(drawn), neighbours=3)
    assert measured == pytest.approx(slow_neighbourhoods(real, drawn, k=3))


def test_samples_crowded_in_one_spot_are_precise_and_recall_little() -> None:
    torch.manual_seed(2)
    real, spot = torch.randn(300, 4), 0.05 * torch.randn(300, 4)
    measured = neighbourhoods(real, spot)
    assert measured["precision"] == 1
    assert measured["recall"] < 0.05
    assert measured["coverage"] < 0.3


def test_the_frechet_distance_is_that_of_the_two_fitted_gaussians(
    compared: dict[str, float],
) -> None:
    real, drawn = (points.double().numpy() for points in clouds())
    covariances = np.cov(real.T), np.cov(drawn.T)
    root = sqrtm(covariances[0] @ covariances[1]).real
    shift = real.mean(0) - drawn.mean(0)
    expected = shift @ shift + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert compared["fid"] == pytest.approx(expected, rel=1e-3)


def test_the_kernel_distance_is_the_unbiased_one_with_a_cubic_kernel(
    compared: dict[str, float],
) -> None:
    """With as many images as a subset takes, every subset is all of them."""
    real, drawn = (points.double().numpy() for points in clouds())
    n = samples.SUBSET_SIZE

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray((a @ b.T / FEATURES + 1) ** 3)

    squares = [kernel(points, points) for points in (real, drawn)]
    within = sum((square.sum() - np.trace(square)) / (n * (n - 1)) for square in squares)
    expected = within - 2 * kernel(real, drawn).mean()
    assert compared["kid"] == pytest.approx(expected, abs=1e-5)


def test_comparing_draws_nothing_from_the_callers_generator(compared: dict[str, float]) -> None:
    real, drawn = clouds()
    torch.manual_seed(7)
    before = torch.get_rng_state()
    assert compare(real, drawn) == compared
    assert torch.equal(before, torch.get_rng_state())


def test_a_set_compared_with_itself_has_no_distance_and_full_shares() -> None:
    real, _ = clouds()
    measured = compare(real, real)
    assert measured["fid"] == pytest.approx(0, abs=1e-3)
    assert (measured["precision"], measured["recall"], measured["coverage"]) == (1, 1, 1)


def test_a_model_that_draws_one_image_for_all_is_far_beyond_the_floor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(samples, "DRAWS", 1000)
    measured = measure_samples(linear.deaf(), datasets.test_set("mnist").images[:1000], CLASSIFIER)
    assert measured["fid"] > 10 * measured["floor"]["fid"]
    assert measured["recall"] == 0
    assert measured["coverage"] < 0.05
    assert "1,000 mean images at draws from the prior: the Gaussian" in measured["protocol"]


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
def test_the_floor_is_near_to_no_distance_at_all(dataset: str) -> None:
    floor = load_classifier(dataset).facts["floor"]
    assert 0 <= floor["fid"] < 2
    assert abs(floor["kid"]) < 0.01
    assert floor["coverage"] > 0.9
    assert "training images" in floor["protocol"]
