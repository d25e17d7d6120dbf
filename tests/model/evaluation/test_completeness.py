"""Second sources: torch.distributions, quadrature, scikit-learn, closed forms, drawings."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KernelDensity
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from model.data import datasets
from model.evaluation import completeness
from model.evaluation.classifier import load_classifier
from model.evaluation.completeness import (
    RADIUS,
    SMOOTHING_WIDTHS,
    Mixture,
    exact_filling,
    filling,
    hole_sizes,
    in_circle,
    kl_to_prior,
    measure_completeness,
    pixel_entropy,
    recognised,
    smoothing,
    uncovered_mass,
)
from model.evaluation.space import intensities, standard_normal
from tests.model.evaluation import linear

CLASSIFIER = load_classifier("mnist")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completeness, "DRAWS", 300)
    monkeypatch.setattr(completeness, "GRID", 24)


def shapes(count: int, dimensions: int) -> Tensor:
    """Covariances of random ellipses."""
    noise = standard_normal(count * dimensions, dimensions, seed=4).view(count, dimensions, -1)
    return 0.01 * torch.eye(dimensions, dtype=torch.float64) + 0.05 * noise @ noise.mT


@pytest.mark.parametrize("dimensions", [2, 5])
def test_the_aggregate_posterior_is_the_mixture_that_torch_knows(dimensions: int) -> None:
    mean, covariance = standard_normal(40, dimensions, seed=3), shapes(40, dimensions)
    smooth = covariance + 0.2**2 * torch.eye(dimensions, dtype=torch.float64)
    u = standard_normal(600, dimensions, seed=5)
    measured = Mixture(mean, covariance, width=0.2).log_density(u)
    torch.testing.assert_close(measured, reference(mean, smooth, u))


def reference(mean: Tensor, covariance: Tensor, u: Tensor) -> Tensor:
    chances = Categorical(torch.ones(len(mean), dtype=torch.float64))
    mixed = MixtureSameFamily(chances, MultivariateNormal(mean, covariance))
    density: Tensor = mixed.log_prob(u)  # type: ignore[no-untyped-call]
    return density


def test_a_point_can_be_judged_by_all_gaussians_but_its_own() -> None:
    mean, covariance = standard_normal(700, 2, seed=3), shapes(700, 2)
    u = standard_normal(700, 2, seed=5)
    measured = Mixture(mean, covariance, width=0.0).log_density(u, leave_own_out=True)
    for i in (0, 1, 499, 500, 699):
        others = torch.arange(700) != i
        expected = reference(mean[others], covariance[others], u[i : i + 1])
        torch.testing.assert_close(measured[i : i + 1], expected)


def test_the_kl_of_codes_spread_normally_is_that_of_two_gaussians_and_never_above() -> None:
    """Means from N(m, s^2 I) and posteriors of width c make q = N(m, (s^2 + c^2) I)."""
    shift, s, c, N = 0.5, 0.8, 0.2, 4000
    mean = shift + s * standard_normal(N, 2, seed=1)
    covariance = (c**2 * torch.eye(2, dtype=torch.float64)).expand(N, 2, 2)
    draws = mean + c * standard_normal(N, 2, seed=2)
    width = smoothing(mean, covariance, draws)
    variance = s**2 + c**2
    expected = 0.5 * (2 * variance + 2 * shift**2 - 2 - 2 * math.log(variance))
    measured = kl_to_prior(Mixture(mean, covariance, width), draws)
    assert expected - 0.05 < measured < expected + 0.02


def test_the_uncovered_mass_is_that_of_quadrature() -> None:
    mixed = Mixture(0.7 * standard_normal(300, 2, seed=3), shapes(300, 2), width=0.05)
    axis = torch.arange(-6, 6, 0.04, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    log_q, log_p = mixed.log_density(grid), -grid.square().sum(1) / 2 - math.log(2 * math.pi)
    assert log_q.exp().sum() * 0.04**2 == pytest.approx(1, abs=1e-3)
    uncovered = (log_p.exp() * (log_q < log_p - math.log(10))).sum() * 0.04**2
    draws = standard_normal(20_000, 2, seed=6)
    assert uncovered_mass(mixed, draws) == pytest.approx(uncovered.item(), abs=0.01)


def test_codes_too_near_the_origin_leave_the_rim_of_the_prior_uncovered() -> None:
    """q = N(0, s^2 I) falls below p / 10 beyond a radius that has a closed form."""
    s = 0.5
    origin = torch.zeros(1, 2, dtype=torch.float64)
    squeezed = Mixture(origin, s**2 * torch.eye(2, dtype=torch.float64)[None], width=0.0)
    square = 2 * (math.log(10) - 2 * math.log(s)) / (1 / s**2 - 1)
    draws = standard_normal(20_000, 2, seed=6)
    assert uncovered_mass(squeezed, draws) == pytest.approx(math.exp(-square / 2), abs=0.012)


def test_a_kernel_is_as_wide_as_makes_codes_likeliest_that_it_has_not_seen() -> None:
    codes = torch.cat([standard_normal(15, 2, 1), 0.1 * standard_normal(15, 2, 2) + 2])
    scores = [
        cross_val_score(KernelDensity(bandwidth=float(h)), codes.numpy(), cv=LeaveOneOut()).mean()
        for h in SMOOTHING_WIDTHS
    ]
    points = torch.zeros(30, 2, 2, dtype=torch.float64)
    assert smoothing(codes, points, codes) == SMOOTHING_WIDTHS[int(np.argmax(scores))]


def test_the_circle_holds_95_percent_of_the_prior() -> None:
    assert stats.chi2.cdf(RADIUS**2, 2) == pytest.approx(0.95)
    assert in_circle(400).mean() == pytest.approx(math.pi / 4, abs=1e-3)


def test_a_hole_is_enough_doubtful_cells_that_share_sides_inside_the_circle() -> None:
    doubtful = np.zeros((40, 40), bool)
    doubtful[10:14, 10:14] = True  # 16 cells
    doubtful[20:23, 20:25] = True  # 15 cells: too few
    doubtful[23:27, 25:30] = True  # 20 cells, at a corner of the 15
    doubtful[:6, :6] = True  # in the corner, outside the circle
    assert sorted(hole_sizes(doubtful)) == [16, 20]


def test_real_images_are_recognised_as_often_as_the_classifier_says() -> None:
    share = recognised(CLASSIFIER, intensities(datasets.test_set("mnist").images[:2000]))
    stated = CLASSIFIER.facts["test"]["recognised"]
    assert share == pytest.approx(stated, abs=4 * math.sqrt(stated * (1 - stated) / 2000))


@pytest.mark.usefixtures("few")
def test_a_vae_whose_posteriors_are_the_prior_leaves_nothing_uncovered() -> None:
    measured = measure_completeness(linear.prior_vae(), linear.cloud(200).images, CLASSIFIER)
    assert measured["kl_to_prior"] == pytest.approx(0, abs=0.01)
    assert measured["uncovered_prior_mass"] == 0
    assert "N(0, I)" in measured["protocol"]


@pytest.mark.usefixtures("few")
def test_what_is_never_a_digit_is_one_hole_and_never_recognised() -> None:
    measured = measure_completeness(linear.deaf(), linear.cloud(200).images, CLASSIFIER)
    assert measured["recognised"] == 0
    assert measured["holes"] == 1
    assert measured["hole_area"] == 1


@pytest.mark.usefixtures("few")
def test_an_autoencoder_may_keep_its_codes_wherever_it_likes() -> None:
    images = linear.cloud(400).images
    near, far = (
        measure_completeness(each, images, CLASSIFIER)
        for each in (linear.autoencoder(), linear.autoencoder(scale=9, offset=70))
    )
    for name in ("kl_to_prior", "uncovered_prior_mass", "recognised", "hole_area"):
        assert near[name] == pytest.approx(far[name], abs=0.01)
    assert abs(near["kl_to_prior"]) < 0.15, "codes spread normally fill a normal prior"
    assert "Gaussian fitted to the test codes" in near["protocol"]


@pytest.mark.usefixtures("few")
def test_codes_on_a_line_leave_most_of_the_prior_uncovered() -> None:
    """A bent line: it has two dimensions to be spread in, and fills one."""
    share = np.linspace(-1, 1, 400)
    codes = 127 + 100 * np.stack([share, np.abs(share)], axis=1)
    images = linear.corner_images(codes, np.zeros(400)).images
    measured = measure_completeness(linear.autoencoder(), images, CLASSIFIER)
    assert measured["kl_to_prior"] > 1
    assert measured["uncovered_prior_mass"] > 0.5


@pytest.mark.usefixtures("few")
def test_holes_are_counted_in_two_dimensions_and_in_no_others() -> None:
    images = linear.cloud(200, latent_dim=5).images
    measured = measure_completeness(linear.autoencoder(5), images, CLASSIFIER)
    assert measured["holes"] is None
    assert measured["hole_area"] is None
    assert 0 <= measured["recognised"] <= 1


def test_gaussians_that_fill_the_prior_exactly_have_its_covariance() -> None:
    covariance = shapes(6000, 2).clamp(-0.4, 0.9)
    mean, kept = exact_filling(covariance)
    assert (kept == covariance).all()
    both = torch.cov(mean.T) + covariance.mean(0)
    torch.testing.assert_close(both, torch.eye(2, dtype=torch.float64), atol=0.08, rtol=0)


def test_the_floor_is_near_0_in_two_dimensions_and_not_in_twenty() -> None:
    in_two = filling(*exact_filling(0.01 * torch.eye(2, dtype=torch.float64).expand(2000, 2, 2)))
    assert abs(in_two[0]) < 0.05
    assert in_two[1] < 0.02
    twenty = torch.eye(20, dtype=torch.float64)
    in_twenty = filling(*exact_filling(0.3 * twenty.expand(2000, 20, 20)))
    assert in_twenty[0] < -0.5


def test_black_and_white_has_no_entropy_and_an_even_grey_the_most() -> None:
    assert pixel_entropy(torch.tensor([[0.0, 1.0, 1.0]])) == 0
    assert pixel_entropy(torch.full((2, 3), 0.5)) == pytest.approx(math.log(2))


@pytest.mark.usefixtures("few")
def test_both_kinds_of_model_are_drawn_from_both_distributions() -> None:
    measured = measure_completeness(linear.prior_vae(), linear.cloud(200).images, CLASSIFIER)
    assert measured["standard_recognised"] == measured["recognised"]
    assert measured["standard_uncovered"] == measured["uncovered_prior_mass"]
    assert 0 <= measured["fitted_recognised"] <= 1
    assert set(measured["floor"]) == {"kl_to_prior", "uncovered_prior_mass"}
