"""Second sources: the likelihood in NumPy, torch.distributions, and Monte Carlo of our own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from model.data import datasets
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder, build_autoencoder
from model.vae.dataset_elbo import best_reconstruction, measure_bound
from tests.model import tiny

IMAGES = datasets.test_set("mnist").images[:30]
GREY = IMAGES.reshape(30, -1) / 255.0


def built(folder: Path, text: str) -> Autoencoder:
    torch.manual_seed(0)
    recipe = tiny.recipe(folder, text)
    wavy = replace(recipe, decoder=replace(recipe.decoder, fourier_scale=3.0))
    return build_autoencoder(wavy).requires_grad_(False)


def log_likelihood(images: np.ndarray, logits: torch.Tensor) -> np.ndarray:
    p = 1 / (1 + np.exp(-logits.double().numpy()))
    return np.asarray((images * np.log(p) + (1 - images) * np.log(1 - p)).sum(1))


def test_an_autoencoder_has_a_reconstruction_and_neither_kl_nor_bound(tmp_path: Path) -> None:
    autoencoder = built(tmp_path, tiny.AUTOENCODER)
    measured = measure_bound(autoencoder, IMAGES)["grey"]
    code = autoencoder.code(torch.from_numpy(GREY).float())
    expected = log_likelihood(GREY, autoencoder.decode(code)).mean()
    assert measured["reconstruction"] == pytest.approx(expected, abs=2e-3)
    assert measured["kl"] is None
    assert measured["elbo"] is None


@pytest.mark.parametrize("text", [tiny.RECIPE, tiny.ARTICLE], ids=["cholesky", "diagonal"])
def test_the_bound_on_grey_images_is_their_expected_likelihood_less_the_kl(
    tmp_path: Path, text: str
) -> None:
    vae = built(tmp_path, text)
    assert isinstance(vae, VariationalAutoencoder)
    measured = measure_bound(vae, IMAGES)["grey"]
    posterior = vae.posterior(torch.from_numpy(GREY).float())
    q = MultivariateNormal(posterior.mean, scale_tril=posterior.scale_tril)
    D = posterior.mean.shape[1]
    prior = MultivariateNormal(torch.zeros(D), torch.eye(D))
    kl = kl_divergence(q, prior).mean().item()
    torch.manual_seed(5)
    draws = [log_likelihood(GREY, vae.decode(q.sample())) for _ in range(500)]
    margin = 5 * np.std(draws) / (30 * 32) ** 0.5 + 2e-3
    assert measured["kl"] == pytest.approx(kl, rel=1e-3, abs=1e-3)
    assert measured["reconstruction"] == pytest.approx(np.mean(draws), abs=margin)
    assert measured["elbo"] == pytest.approx(measured["reconstruction"] - measured["kl"], abs=1e-3)


def test_binarised_images_cost_in_expectation_what_grey_ones_do(tmp_path: Path) -> None:
    """The likelihood is linear in the image, so only the draw of its pixels is between them."""
    autoencoder = built(tmp_path, tiny.AUTOENCODER)
    for parameter in autoencoder.encoder.parameters():
        parameter.zero_()  # now the reconstruction does not depend on the image
    measured = measure_bound(autoencoder, IMAGES)
    logits = autoencoder.decode(torch.zeros(1, 2)).double()
    noise = (GREY * (1 - GREY) * logits.numpy() ** 2).sum() ** 0.5 / 30
    assert measured["binarised"]["reconstruction"] != measured["grey"]["reconstruction"]
    assert measured["binarised"]["reconstruction"] == pytest.approx(
        measured["grey"]["reconstruction"], abs=4 * noise
    )


def test_every_measure_says_how_it_was_taken(tmp_path: Path) -> None:
    for measure in measure_bound(built(tmp_path, tiny.RECIPE), IMAGES).values():
        assert "30 test images" in measure["protocol"]
        assert "32 posterior samples" in measure["protocol"]


def test_the_same_model_measures_the_same_every_time(tmp_path: Path) -> None:
    vae = built(tmp_path, tiny.RECIPE)
    assert measure_bound(vae, IMAGES) == measure_bound(vae, IMAGES)


def test_no_decoder_of_grey_pixels_is_nearer_to_0_than_one_that_gives_each_its_own_level() -> None:
    level = np.clip(GREY, 1e-12, 1 - 1e-12)
    own = log_likelihood(GREY, torch.from_numpy(np.log(level) - np.log1p(-level))).mean()
    assert best_reconstruction(GREY) == pytest.approx(own, abs=1e-3)
    assert best_reconstruction(np.round(GREY)) == 0


def test_the_encoder_alone_has_a_bound_of_its_own_where_the_decoder_refines_it(
    tmp_path: Path,
) -> None:
    vae = built(tmp_path, tiny.RECIPE)
    assert isinstance(vae, VariationalAutoencoder)
    alone = measure_bound(vae, IMAGES)["grey"]
    assert alone["encoder_elbo"] == alone["elbo"]
    vae.refinements = 2
    refined = measure_bound(vae, IMAGES)["grey"]
    assert refined["encoder_elbo"] == alone["elbo"]
    assert refined["elbo"] > refined["encoder_elbo"]
    assert "2 rounds of refinement" in refined["protocol"]
    assert vae.refinements == 2


def test_a_codebook_has_the_kl_of_a_uniform_prior_and_so_a_bound(tmp_path: Path) -> None:
    measured = measure_bound(built(tmp_path, tiny.CODEBOOK), IMAGES)["grey"]
    entries = tiny.recipe(tmp_path, tiny.CODEBOOK).codebook
    assert entries
    assert measured["kl"] == pytest.approx(49 * np.log(entries.entries), abs=1e-3)
    assert measured["elbo"] == pytest.approx(measured["reconstruction"] - measured["kl"], abs=2e-3)
