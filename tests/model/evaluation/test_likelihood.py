"""Second sources: closed forms, Gauss-Hermite quadrature, and the same integral by sampling."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, kl_divergence

from model.checkpoint import CHECKPOINTS, read_checkpoint
from model.data.datasets import test_set as shipped_test_set
from model.evaluation import likelihood
from model.evaluation.likelihood import (
    exact_log_likelihood,
    importance_weighted,
    measure_likelihood,
)
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.dataset_elbo import binarise, mean_bound
from model.vae.likelihood import Gaussian
from model.vae.networks import FourierFeatures

IMAGES = shipped_test_set("mnist").images[:12]
BINARY = binarise(IMAGES)


@pytest.fixture(autouse=True)
def random_but_the_same() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        yield


class Constant(nn.Module):
    """A decoder that draws the same picture everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.logits_P = nn.Parameter(torch.randn(784))

    def forward(self, z_BD: Tensor) -> Tensor:
        return self.logits_P.expand(len(z_BD), -1)


def built(decoder: nn.Module, latent_dim: int = 2, *, correlated: bool = True) -> Autoencoder:
    """A VAE with a random encoder, its posteriors wider than the true ones.

    Were they narrower, a rare sample would weigh as much as all others, and no margin would hold.
    """
    below = latent_dim * (latent_dim - 1) // 2 if correlated else 0
    encoder = nn.Linear(784, 2 * latent_dim + below)
    with torch.no_grad():
        encoder.bias[latent_dim : 2 * latent_dim] += 0.4
    vae = VariationalAutoencoder(encoder, decoder, latent_dim, correlated=correlated)
    return vae.requires_grad_(False).eval()


def wavy() -> nn.Module:
    """A decoder that draws another picture at every place."""
    last = nn.Linear(16, 784)
    with torch.no_grad():
        last.weight.mul_(0.4)
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), last)


def log_probability(images: np.ndarray, logits: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return np.asarray(images @ np.log(p).T + (1 - images) @ np.log(1 - p).T)


def by_hermite(decoder: nn.Module, images: np.ndarray, nodes: int = 60) -> np.ndarray:
    """log p(x) by Gauss-Hermite quadrature in float64: other points, other weights."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    z = np.stack(np.meshgrid(points, points), -1).reshape(-1, 2)
    log_weight = np.log(np.outer(weights, weights).ravel() / (2 * math.pi))
    logits = decoder(torch.from_numpy(z).float()).numpy()
    joint = log_probability(images, logits) + log_weight
    peak = joint.max(1)
    return np.asarray(peak + np.log(np.exp(joint - peak[:, None]).sum(1)))


def test_a_decoder_that_ignores_its_latents_leaves_the_probability_of_the_pixels() -> None:
    vae = built(Constant())
    assert isinstance(vae, VariationalAutoencoder)
    logits = vae.decode(torch.zeros(1, 2)).numpy()
    assert exact_log_likelihood(vae, BINARY, step=0.1) == pytest.approx(
        log_probability(BINARY, logits)[:, 0], abs=2e-3
    )


def test_the_sum_over_cells_is_the_integral_by_another_rule() -> None:
    vae = built(wavy())
    assert isinstance(vae, VariationalAutoencoder)
    expected = by_hermite(vae.decoder, BINARY)
    assert np.ptp(expected) > 3
    assert exact_log_likelihood(vae, BINARY, step=0.1) == pytest.approx(expected, abs=2e-3)


def test_an_image_has_the_same_likelihood_in_any_company() -> None:
    vae = built(wavy())
    assert isinstance(vae, VariationalAutoencoder)
    together = exact_log_likelihood(vae, BINARY, step=0.1)
    alone = exact_log_likelihood(vae, BINARY[7:8], step=0.1)
    assert alone[0] == pytest.approx(together[7], abs=1e-3)


def test_a_grid_that_misses_half_of_the_plane_finds_less() -> None:
    vae = built(Constant())
    assert isinstance(vae, VariationalAutoencoder)
    whole = exact_log_likelihood(vae, BINARY, step=0.1)
    part = exact_log_likelihood(vae, BINARY, step=0.1, half_width=0.5)
    inside = math.erf(0.5 / math.sqrt(2)) ** 2
    assert part - whole == pytest.approx(math.log(inside), abs=2e-3)


def test_three_latents_are_refused_by_name() -> None:
    vae = built(nn.Linear(3, 784), latent_dim=3)
    assert isinstance(vae, VariationalAutoencoder)
    with pytest.raises(ValueError, match="3 latents"):
        exact_log_likelihood(vae, BINARY)


@pytest.mark.parametrize("correlated", [True, False], ids=["cholesky", "diagonal"])
def test_importance_weighting_finds_the_probability_of_the_pixels_in_five_dimensions(
    *, correlated: bool
) -> None:
    vae = built(Constant(), latent_dim=5, correlated=correlated)
    assert isinstance(vae, VariationalAutoencoder)
    expected = log_probability(BINARY, vae.decode(torch.zeros(1, 5)).numpy())[:, 0]
    error = importance_weighted(vae, BINARY, 2000) - expected
    assert np.abs(error).max() < 0.5
    assert error.mean() == pytest.approx(0, abs=0.1)


def test_one_sample_is_the_bound_in_expectation() -> None:
    """Where the decoder ignores z, log p(x) less the ELBO is KL(q(z|x) || p(z)), in closed form."""
    vae = built(Constant())
    assert isinstance(vae, VariationalAutoencoder)
    posterior = vae.posterior(torch.from_numpy(BINARY))
    q = MultivariateNormal(posterior.mean, scale_tril=posterior.scale_tril)
    kl = kl_divergence(q, MultivariateNormal(torch.zeros(2), torch.eye(2))).numpy()
    expected = log_probability(BINARY, vae.decode(torch.zeros(1, 2)).numpy())[:, 0] - kl
    draws = np.array([importance_weighted(vae, BINARY, 1, seed) for seed in range(200)])
    error = draws.std(0) / math.sqrt(len(draws))
    assert (np.abs(draws.mean(0) - expected) < 4.5 * error + 1e-3).all()


def test_more_samples_come_nearer_to_the_likelihood_from_below() -> None:
    vae = built(wavy())
    assert isinstance(vae, VariationalAutoencoder)
    exact = exact_log_likelihood(vae, BINARY, step=0.1).mean()
    means = [
        np.mean([importance_weighted(vae, BINARY, samples, seed) for seed in range(40)])
        for samples in (1, 5, 50)
    ]
    assert means == sorted(means)
    assert means[0] < exact - 0.2
    assert means[-1] == pytest.approx(exact, abs=0.05)


def test_the_same_seed_gives_the_same_estimate_and_another_seed_another() -> None:
    vae = built(wavy())
    assert isinstance(vae, VariationalAutoencoder)
    first = importance_weighted(vae, BINARY, 20, seed=1)
    assert (importance_weighted(vae, BINARY, 20, seed=1) == first).all()
    assert (importance_weighted(vae, BINARY, 20, seed=2) != first).all()


def test_sampling_finds_the_likelihood_of_the_shipped_map_where_its_encoder_looks() -> None:
    """Some images have a second place to be, which no sample of the encoder ever visits."""
    vae = read_checkpoint(CHECKPOINTS / "mnist-vae-2d").autoencoder
    assert isinstance(vae, VariationalAutoencoder)
    # Some posteriors are 0.01 wide.
    exact = exact_log_likelihood(vae, BINARY, step=0.02, half_width=4)
    missed = exact - importance_weighted(vae, BINARY, 500)
    assert np.median(missed) == pytest.approx(0, abs=0.1)
    assert missed.min() > -0.5


def test_a_plane_has_all_figures_and_they_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood, "STEP", 0.2)
    vae = built(wavy())
    measured = measure_likelihood(vae, IMAGES, samples=50)
    assert measured
    bound = mean_bound(vae, BINARY)["elbo"]
    assert bound is not None
    assert measured["exact"] == pytest.approx(by_hermite(vae.decoder, BINARY).mean(), abs=2e-3)
    assert measured["exact_check"] < 1e-3
    assert measured["inference_gap"] == pytest.approx(measured["exact"] - bound, abs=1e-3)
    assert bound < measured["importance_weighted"] < measured["exact"] + 0.1
    for said in ("12 test images", "steps of 0.2", "50 posterior samples"):
        assert said in measured["protocol"]


def test_other_than_two_dimensions_have_the_sampled_figure_alone() -> None:
    measured = measure_likelihood(built(Constant(), latent_dim=3), IMAGES, samples=5)
    assert measured
    assert measured["importance_weighted"] < 0
    assert measured["exact"] is measured["exact_check"] is measured["inference_gap"] is None
    assert "exact" not in measured["protocol"]


def test_codes_far_out_widen_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    vae = built(Constant())
    assert isinstance(vae.encoder, nn.Linear)
    vae.encoder.weight.zero_()
    vae.encoder.bias.copy_(torch.tensor([0.0, -9.0, -3.0, -3.0, 0.0]))
    monkeypatch.setattr(likelihood, "STEP", 0.5)
    measured = measure_likelihood(vae, IMAGES, samples=1)
    assert measured
    assert "[-9.5, 9.5]^2" in measured["protocol"]


def test_cells_are_halved_until_that_changes_little_or_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A decoder that draws another picture every fifth needs finer cells than a calm one."""
    monkeypatch.setattr(likelihood, "STEP", 0.4)
    vae = built(nn.Sequential(FourierFeatures(2, 8, scale=4.0), nn.Linear(18, 784)))
    assert isinstance(vae, VariationalAutoencoder)
    measured = measure_likelihood(vae, IMAGES, samples=1)
    assert measured
    assert measured["exact_check"] <= likelihood.CHANGE
    assert "steps of 0.4" not in measured["protocol"]
    finest = exact_log_likelihood(vae, BINARY, step=0.025).mean()
    assert measured["exact"] == pytest.approx(finest, abs=2 * likelihood.CHANGE)

    monkeypatch.setattr(likelihood, "MOST_CELLS", 1000)
    rough = measure_likelihood(vae, IMAGES, samples=1)
    assert rough
    assert "steps of 0.4" in rough["protocol"]
    assert rough["exact_check"] > likelihood.CHANGE


def test_what_has_no_prior_or_no_probability_has_no_likelihood() -> None:
    plain = Autoencoder(nn.Linear(784, 2), nn.Linear(2, 784))
    grey = VariationalAutoencoder(
        nn.Linear(784, 4), nn.Linear(2, 784), 2, correlated=False, likelihood=Gaussian()
    )
    assert measure_likelihood(plain, IMAGES) is None
    assert measure_likelihood(grey, IMAGES) is None
