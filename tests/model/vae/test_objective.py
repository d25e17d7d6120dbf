"""Second sources: slow loops over a tiny model, and quadrature over its one latent."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal

from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.likelihood import Gaussian
from model.vae.objective import elbo, expected_elbo, reconstruction, sampled_elbo
from model.vae.posterior import DiagonalPosterior

IMAGES = torch.tensor([[0.0, 1.0, 0.3], [1.0, 0.5, 0.0], [0.2, 0.2, 0.9], [0.0, 0.0, 1.0]])


def tiny_vae(latent_dim: int = 2) -> VariationalAutoencoder:
    """Linear both ways, 3 pixels, in double precision."""
    torch.manual_seed(latent_dim)
    encoder, decoder = nn.Linear(3, 2 * latent_dim), nn.Linear(latent_dim, 3)
    nn.init.normal_(decoder.weight, std=2)
    return VariationalAutoencoder(encoder, decoder, latent_dim, correlated=False).double()


def log_bernoulli(x: list[float], logits: list[float]) -> float:
    total = 0.0
    for pixel, logit in zip(x, logits, strict=True):
        p = 1 / (1 + math.exp(-logit))
        total += pixel * math.log(p) + (1 - pixel) * math.log(1 - p)
    return total


def affine(layer: nn.Module, x: list[float]) -> list[float]:
    assert isinstance(layer, nn.Linear)
    rows, bias = layer.weight.tolist(), layer.bias.tolist()
    return [
        sum(w * v for w, v in zip(row, x, strict=True)) + b
        for row, b in zip(rows, bias, strict=True)
    ]


def test_the_elbo_of_a_tiny_model_is_that_of_a_slow_loop() -> None:
    vae = tiny_vae()
    noise = torch.randn(4, 2, generator=torch.Generator().manual_seed(1)).double()
    found = sampled_elbo(vae, IMAGES.double(), noise, beta=0.7)
    for b, image in enumerate(IMAGES.double().tolist()):
        m0, m1, v0, v1 = affine(vae.encoder, image)
        n0, n1 = noise[b].tolist()
        z = [m0 + math.exp(v0 / 2) * n0, m1 + math.exp(v1 / 2) * n1]
        likelihood = log_bernoulli(image, affine(vae.decoder, z))
        kl = [(m**2 + math.exp(v) - 1 - v) / 2 for m, v in ((m0, v0), (m1, v1))]
        assert found.reconstruction[b].item() == pytest.approx(likelihood)
        assert found.kl_per_dimension[b].tolist() == pytest.approx(kl)
        assert found.kl[b].item() == pytest.approx(sum(kl))
        assert found.total[b].item() == pytest.approx(likelihood - 0.7 * sum(kl))


def test_an_autoencoder_learns_from_the_likelihood_at_its_code_alone() -> None:
    torch.manual_seed(0)
    autoencoder = Autoencoder(nn.Linear(3, 2), nn.Linear(2, 3)).double()
    found = reconstruction(autoencoder, IMAGES.double())
    for b, image in enumerate(IMAGES.double().tolist()):
        logits = affine(autoencoder.decoder, affine(autoencoder.encoder, image))
        assert found[b].item() == pytest.approx(log_bernoulli(image, logits))


def test_an_autoencoder_learns_from_the_likelihood_of_its_own_kind() -> None:
    torch.manual_seed(0)
    autoencoder = Autoencoder(nn.Linear(3, 2), nn.Linear(2, 3), Gaussian()).double()
    output = autoencoder.decode(autoencoder.code(IMAGES.double()))
    expected = Normal(output, math.exp(-1)).log_prob(IMAGES.double())  # type: ignore[no-untyped-call]
    torch.testing.assert_close(reconstruction(autoencoder, IMAGES.double()), expected.sum(-1))


def test_a_bound_is_made_with_the_likelihood_of_the_model() -> None:
    """Of a decoder that ignores its latents the expectation over them is the likelihood itself."""
    vae = tiny_vae()
    assert isinstance(vae.decoder, nn.Linear)
    nn.init.zeros_(vae.decoder.weight)
    vae.likelihood = Gaussian().double()
    q = Normal(vae.decoder.bias, math.exp(-1))
    expected = q.log_prob(IMAGES.double()).sum(-1)  # type: ignore[no-untyped-call]
    noise = torch.randn(4, 4, 2).double()
    for bound in (
        sampled_elbo(vae, IMAGES.double(), noise[0]),
        expected_elbo(vae, IMAGES.double(), noise),
    ):
        torch.testing.assert_close(bound.reconstruction, expected)


def log_normal(z: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
    return np.asarray(-(((z - mean) / scale) ** 2) / 2 - math.log(scale * math.sqrt(2 * math.pi)))


def test_the_elbo_lies_below_the_evidence_by_the_kl_to_the_true_posterior() -> None:
    """The evidence log p(x) is ELBO + KL(q(z|x) || p(z|x)); here by quadrature over one latent."""
    vae = tiny_vae(latent_dim=1)
    image = [0.0, 1.0, 1.0]
    mean, log_variance = affine(vae.encoder, image)
    z, step = np.linspace(-12, 12, 2_401, retstep=True)
    log_q = log_normal(z, mean, math.exp(log_variance / 2))
    likelihood = np.array([log_bernoulli(image, affine(vae.decoder, [point])) for point in z])
    joint = likelihood + log_normal(z)
    evidence = math.log(np.exp(joint).sum() * step)
    gap = float((np.exp(log_q) * (log_q - (joint - evidence))).sum() * step)

    quantiles = (torch.arange(2_000).double() + 0.5) / 2_000
    noise = torch.special.ndtri(quantiles).reshape(-1, 1, 1)
    bound = expected_elbo(vae, torch.tensor([image]).double(), noise)
    assert gap > 0.1
    assert bound.total.item() == pytest.approx(evidence - gap, abs=3e-3)


def test_the_expected_elbo_of_an_image_does_not_depend_on_its_neighbours() -> None:
    vae = tiny_vae()
    noise = torch.randn(32, 1, 2).double()
    together = expected_elbo(vae, IMAGES.double(), noise)
    for b, image in enumerate(IMAGES.double()):
        alone = expected_elbo(vae, image[None], noise)
        torch.testing.assert_close(alone.total[0], together.total[b])


def test_a_kl_weight_of_zero_leaves_the_reconstruction() -> None:
    posterior = DiagonalPosterior(torch.ones(1, 2), torch.ones(1, 2))
    bound = elbo(IMAGES[:1], torch.zeros(1, 3), posterior, beta=0.0)
    assert bound.total.item() == pytest.approx(-3 * math.log(2))


def test_a_negative_kl_weight_is_refused() -> None:
    posterior = DiagonalPosterior(torch.zeros(1, 2), torch.zeros(1, 2))
    with pytest.raises(ValueError, match=r"beta is -0\.1; .* at least 0"):
        elbo(IMAGES[:1], torch.zeros(1, 3), posterior, beta=-0.1)
