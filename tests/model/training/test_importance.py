"""Second sources: closed forms where the decoder ignores its latents, and quadrature over one."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, MultivariateNormal

from model.data import datasets
from model.training import importance
from model.training.importance import ImportanceWeighted, weighted_samples
from model.training.stages import Images
from model.vae.autoencoder import VariationalAutoencoder, build_autoencoder
from tests.model import tiny

SHIPPED = datasets.test_set("mnist").images.reshape(-1, 784)
IMAGES = Images(torch.tensor(SHIPPED[:150]), torch.tensor(SHIPPED[150:200]), True)
BINARY = (torch.tensor(SHIPPED[:4]) > 127).float()


@pytest.fixture
def vae(tmp_path: Path) -> VariationalAutoencoder:
    torch.manual_seed(0)
    vae = build_autoencoder(tiny.recipe(tmp_path))
    assert isinstance(vae, VariationalAutoencoder)
    return vae


def wide(vae: VariationalAutoencoder) -> VariationalAutoencoder:
    """With posteriors about as wide as the prior, beside it, and correlated."""
    head = list(vae.encoder.children())[-1]
    assert isinstance(head, nn.Linear)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([0.3, -0.2, 0.2, 0.1, 0.4])
    return vae


def log_p(vae: VariationalAutoencoder, image: Tensor, z: Tensor) -> Tensor:
    p = Bernoulli(logits=vae.decode(z))
    return torch.as_tensor(p.log_prob(image).sum(-1))  # type: ignore[no-untyped-call]


def log_q(vae: VariationalAutoencoder, image: Tensor, z: Tensor) -> Tensor:
    posterior = vae.posterior(image)
    q = MultivariateNormal(posterior.mean, scale_tril=posterior.scale_tril)
    return torch.as_tensor(q.log_prob(z))  # type: ignore[no-untyped-call]


def test_a_weight_is_the_joint_density_over_that_of_the_posterior(
    vae: VariationalAutoencoder,
) -> None:
    with torch.no_grad():
        z, log_weight = weighted_samples(wide(vae), BINARY, 7)
        assert z.shape == (7, 4, 2)
        prior = MultivariateNormal(torch.zeros(2), torch.eye(2))
        for k in range(7):
            joint = log_p(vae, BINARY, z[k]) + prior.log_prob(z[k])  # type: ignore[no-untyped-call]
            expected = joint - log_q(vae, BINARY, z[k])
            torch.testing.assert_close(log_weight[k], expected, rtol=1e-5, atol=1e-3)


def test_the_mean_weight_estimates_the_probability_of_an_image(
    vae: VariationalAutoencoder,
) -> None:
    """A decoder that ignores z has p(x) = p(x|z) in closed form."""
    last = list(vae.decoder.children())[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    torch.manual_seed(1)
    with torch.no_grad():
        _, log_weight = weighted_samples(wide(vae), BINARY, 5000)
        expected = log_p(vae, BINARY, torch.zeros(4, 2))
        estimate = log_weight.logsumexp(0) - math.log(5000)
        spread = (log_weight - expected).exp().std(0)  # of the weights, in units of p(x)
    assert spread.min() > 0.1  # the posterior is not the prior: weighing is needed
    assert ((estimate - expected).abs() < 5 * spread / 5000**0.5).all()


def test_the_mean_weight_is_the_evidence_that_quadrature_gives() -> None:
    torch.manual_seed(0)
    vae = VariationalAutoencoder(nn.Linear(3, 2), nn.Linear(1, 3), 1, correlated=False).double()
    nn.init.normal_(vae.decoder.weight, std=2)  # type: ignore[arg-type]
    image = torch.tensor([[0.0, 1.0, 1.0]]).double()
    with torch.no_grad():
        z, step = np.linspace(-12, 12, 4801, retstep=True)
        likelihood = log_p(vae, image, torch.tensor(z)[:, None]).exp().numpy()
        evidence = (likelihood * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)).sum() * step
        vae.double()
        torch.manual_seed(1)
        log_weight = torch.cat([weighted_samples(vae, image, 5000)[1] for _ in range(8)])
    weight = log_weight.double().exp()
    margin = 5 * weight.std().item() / len(weight) ** 0.5
    assert weight.mean().item() == pytest.approx(evidence, abs=margin)
    assert margin < 0.1 * evidence


def test_the_kept_latent_is_the_weighty_one_and_draws_both_networks(
    vae: VariationalAutoencoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    z, winner = torch.randn(4, 50, 2), torch.randint(4, (50,))

    def one_outweighs_all(
        vae: VariationalAutoencoder, image: Tensor, samples: int
    ) -> tuple[Tensor, Tensor]:
        seen.append(image)
        log_weight = torch.full((samples, 50), -5000.0)
        log_weight[winner, torch.arange(50)] = -300.0
        return z, log_weight

    monkeypatch.setattr(importance, "weighted_samples", one_outweighs_all)
    stage = ImportanceWeighted(vae, IMAGES, tiny.recipe(tmp_path))
    loss = next(iter(stage.losses(0)))
    kept = z[winner, torch.arange(50)]
    expected = -(log_p(vae, seen[0], kept) + log_q(vae, seen[0], kept)).mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.autograd.backward(loss)
    for network in (vae.encoder, vae.decoder):
        assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_stage_raises_the_likelihood_that_it_weighs_by(
    vae: VariationalAutoencoder, tmp_path: Path
) -> None:
    """On grey images: binarised ones are drawn again for each measure, and cannot be compared."""
    stage = ImportanceWeighted(vae, replace(IMAGES, binarise=False), tiny.recipe(tmp_path))
    assert stage.trained is vae
    before = stage.follow()
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-2)
    torch.manual_seed(0)
    for epoch in range(10):
        for loss in stage.losses(epoch):
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    after = stage.follow()
    assert after["log_likelihood_16"] > before["log_likelihood_16"] + 50
    assert after["log_likelihood_16"] > after["elbo"] + 1


def test_what_is_followed_is_the_logarithm_of_the_mean_of_16_weights(
    vae: VariationalAutoencoder, tmp_path: Path
) -> None:
    """Where the posterior is the prior and the decoder ignores z, every weight is p(x)."""
    for network in (vae.encoder, vae.decoder):
        last = list(network.children())[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
    head = list(vae.encoder.children())[-1]
    assert isinstance(head, nn.Linear)
    nn.init.zeros_(head.bias)
    images = replace(IMAGES, binarise=False, followed_NP=(BINARY * 255).byte())
    stage = ImportanceWeighted(vae, images, tiny.recipe(tmp_path))
    expected = log_p(vae, BINARY, torch.zeros(4, 2)).mean().item()
    assert stage.follow()["log_likelihood_16"] == pytest.approx(expected, rel=1e-5)
