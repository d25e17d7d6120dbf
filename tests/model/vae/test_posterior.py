"""Second sources: torch.distributions, finite differences, and sums that are exact."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck
from torch.distributions import MultivariateNormal, kl_divergence

from model.vae.posterior import CholeskyPosterior, DiagonalPosterior, Posterior


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def cholesky(D: int) -> CholeskyPosterior:
    return CholeskyPosterior(
        random(5, D, seed=1), random(5, D, seed=2), random(5, D * (D - 1) // 2, seed=3)
    )


def diagonal(D: int) -> DiagonalPosterior:
    return DiagonalPosterior(random(5, D, seed=1), 2 * random(5, D, seed=2))


POSTERIORS = [diagonal(1), diagonal(20), cholesky(1), cholesky(2), cholesky(7)]
each_posterior = pytest.mark.parametrize(
    "posterior", POSTERIORS, ids=lambda q: f"{type(q).__name__} {q.mean.shape[1]}"
)


@each_posterior
def test_the_kl_is_that_of_torch_distributions(posterior: Posterior) -> None:
    D = posterior.mean.shape[1]
    prior = MultivariateNormal(torch.zeros(D).double(), torch.eye(D).double())
    q = MultivariateNormal(posterior.mean, scale_tril=posterior.scale_tril)
    torch.testing.assert_close(posterior.kl_to_prior().sum(-1), kl_divergence(q, prior))


@each_posterior
def test_the_kl_splits_over_the_latents_by_the_rows_of_the_scale(posterior: Posterior) -> None:
    for b, scale in enumerate(posterior.scale_tril.tolist()):
        for i, row in enumerate(scale):
            mean = posterior.mean[b, i].item()
            expected = (math.fsum(entry**2 for entry in row) + mean**2 - 1) / 2 - math.log(row[i])
            assert posterior.kl_to_prior()[b, i].item() == pytest.approx(expected, rel=1e-12)


@given(
    mean=st.floats(-10, 10),
    other=st.floats(-10, 10),
    log_scale=st.floats(-5, 2),
    slope=st.floats(-5, 5),
)
def test_the_kl_is_never_negative(
    mean: float, other: float, log_scale: float, slope: float
) -> None:
    posterior = CholeskyPosterior(
        torch.tensor([[mean, other]]).double(),
        torch.tensor([[log_scale, -log_scale]]).double(),
        torch.tensor([[slope]]).double(),
    )
    assert posterior.kl_to_prior().sum() >= 0


def test_the_prior_itself_costs_nothing() -> None:
    zeros = torch.zeros(3, 4)
    assert DiagonalPosterior(zeros, zeros).kl_to_prior().abs().max() == 0
    assert CholeskyPosterior(zeros, zeros, torch.zeros(3, 6)).kl_to_prior().abs().max() == 0


def test_the_scale_has_its_entries_row_by_row() -> None:
    zeros = torch.zeros(1, 3)
    posterior = CholeskyPosterior(zeros, zeros, torch.tensor([[10.0, 20.0, 21.0]]))
    assert posterior.scale_tril.tolist() == [[[1, 0, 0], [10, 1, 0], [20, 21, 1]]]


def test_a_diagonal_posterior_is_a_cholesky_one_with_nothing_below_its_diagonal() -> None:
    plain = diagonal(6)
    full = CholeskyPosterior(plain.mean, plain.log_variance / 2, torch.zeros(5, 15).double())
    noise = random(5, 6, seed=4)
    torch.testing.assert_close(plain.scale_tril, full.scale_tril)
    torch.testing.assert_close(plain.reparameterise(noise), full.reparameterise(noise))
    torch.testing.assert_close(plain.kl_to_prior(), full.kl_to_prior())


@each_posterior
def test_the_log_density_is_that_of_torch_distributions(posterior: Posterior) -> None:
    B, D = posterior.mean.shape
    z = 2 * random(9, B, D, seed=5)
    q = MultivariateNormal(posterior.mean, scale_tril=posterior.scale_tril)
    expected = q.log_prob(z)  # type: ignore[no-untyped-call]
    assert expected.shape == (9, B)
    torch.testing.assert_close(posterior.log_prob(z), expected)


def test_the_density_of_a_sample_is_that_of_its_noise_over_the_volume_of_the_scale() -> None:
    """The change of variables: q(mean + L noise) = N(noise; 0, I) / det L."""
    posterior, noise = cholesky(4), random(5, 4, seed=6)
    found = posterior.log_prob(posterior.reparameterise(noise)[None])[0]
    for b, row in enumerate(noise.tolist()):
        log_normal = math.fsum(-(entry**2) / 2 - math.log(2 * math.pi) / 2 for entry in row)
        volume = math.fsum(posterior.log_diagonal[b].tolist())
        assert found[b].item() == pytest.approx(log_normal - volume)


def sigma_points(D: int) -> Tensor:
    """2 D points of noise whose mean and covariance are exactly 0 and I."""
    return torch.cat([torch.eye(D), -torch.eye(D)]).double() * math.sqrt(D)


@each_posterior
def test_samples_have_the_mean_and_covariance_of_the_posterior(posterior: Posterior) -> None:
    B, D = posterior.mean.shape
    z = torch.stack([posterior.reparameterise(e.expand(B, D)) for e in sigma_points(D)], dim=1)
    torch.testing.assert_close(z.mean(1), posterior.mean)
    q = MultivariateNormal(posterior.mean, scale_tril=posterior.scale_tril)
    for sample, covariance in zip(z, q.covariance_matrix, strict=True):
        torch.testing.assert_close(torch.cov(sample.T, correction=0).view(D, D), covariance)


def test_the_gradient_of_an_expectation_flows_through_its_samples() -> None:
    """E |z|^2 = |mean|^2 + |L|^2, so its gradients are 2 mean and 2 L."""
    D = 3
    parameters = [p.requires_grad_() for p in (random(1, D), random(1, D), random(1, 3))]
    posterior = CholeskyPosterior(*parameters)
    noise = sigma_points(D)
    z = torch.cat([posterior.reparameterise(e.expand(1, D)) for e in noise])
    by_mean, by_log_diagonal, by_below = torch.autograd.grad(z.square().sum(-1).mean(), parameters)
    mean, log_diagonal, below = (p.detach() for p in parameters)
    torch.testing.assert_close(by_mean, 2 * mean)
    torch.testing.assert_close(by_below, 2 * below)
    torch.testing.assert_close(by_log_diagonal, 2 * (2 * log_diagonal).exp())


def test_the_gradients_of_samples_kl_and_density_are_those_of_finite_differences() -> None:
    noise = random(2, 3, seed=9)

    def parts(posterior: Posterior) -> tuple[Tensor, ...]:
        log_prob = posterior.log_prob(noise.unsqueeze(0))
        return posterior.reparameterise(noise), posterior.kl_to_prior(), log_prob

    def full(mean: Tensor, log_diagonal: Tensor, below: Tensor) -> tuple[Tensor, ...]:
        return parts(CholeskyPosterior(mean, log_diagonal, below))

    def plain(mean: Tensor, log_variance: Tensor) -> tuple[Tensor, ...]:
        return parts(DiagonalPosterior(mean, log_variance))

    inputs = [random(2, 3, seed=seed).requires_grad_() for seed in range(3)]
    assert gradcheck(full, inputs)
    assert gradcheck(plain, inputs[:2])
