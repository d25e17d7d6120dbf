from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import nn

from model.autoencoder import VariationalAutoencoder, build_autoencoder
from model.posterior import CholeskyPosterior, DiagonalPosterior
from model.recipe import Recipe

IMAGES = torch.rand(5, 784, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["mnist-vae-2d", "mnist-ae-2d", "mnist-vae-20d"])
def test_a_shipped_recipe_builds_networks_between_its_latents_and_its_images(name: str) -> None:
    recipe = Recipe.load(name)
    autoencoder = build_autoencoder(recipe, recipe.decoder)
    codes = autoencoder.code(IMAGES)
    assert codes.shape == (5, recipe.latent_dim)
    assert autoencoder.decode(codes).shape == IMAGES.shape


def test_a_plain_autoencoder_has_no_posterior() -> None:
    recipe = Recipe.load("mnist-ae-2d")
    autoencoder = build_autoencoder(recipe, recipe.decoder)
    assert not isinstance(autoencoder, VariationalAutoencoder)
    assert torch.equal(autoencoder.code(IMAGES), autoencoder.encoder(IMAGES))


def test_the_code_of_a_variational_autoencoder_is_the_mean_of_its_posterior() -> None:
    recipe = Recipe.load("mnist-vae-2d")
    vae = build_autoencoder(recipe, recipe.decoder)
    assert isinstance(vae, VariationalAutoencoder)
    assert torch.equal(vae.code(IMAGES), vae.posterior(IMAGES).mean)


@pytest.mark.parametrize(
    ("form", "outputs", "posterior"),
    [("diagonal", 8, DiagonalPosterior), ("cholesky", 14, CholeskyPosterior)],
)
def test_the_encoder_gives_as_many_numbers_as_the_posterior_has_parameters(
    form: Literal["diagonal", "cholesky"], outputs: int, posterior: type
) -> None:
    recipe = replace(Recipe.load("mnist-vae-20d"), latent_dim=4, posterior=form)
    vae = build_autoencoder(recipe, recipe.decoder)
    assert isinstance(vae, VariationalAutoencoder)
    assert vae.encoder(IMAGES).shape == (5, outputs)
    assert isinstance(vae.posterior(IMAGES), posterior)


def test_a_posterior_takes_mean_scale_and_slope_from_the_encoder_in_this_order() -> None:
    encoder = nn.Linear(1, 5)
    nn.init.zeros_(encoder.weight)
    encoder.bias.data = torch.tensor([1.0, 2.0, 0.5, -0.5, 3.0])
    vae = VariationalAutoencoder(encoder, nn.Identity(), 2, correlated=True)
    posterior = vae.posterior(torch.zeros(1, 1))
    assert posterior.mean.tolist() == [[1, 2]]
    expected = torch.tensor([[[0.5, 0.0], [0.0, -0.5]]]).exp().tril()
    expected[0, 1, 0] = 3
    torch.testing.assert_close(posterior.scale_tril, expected)
