"""Second sources: the networks themselves, and brute force over a codebook."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import nn

from model.recipes.recipe import RECIPES, Recipe
from model.recipes.tables import Network
from model.vae.autoencoder import (
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
    build_autoencoder,
)
from model.vae.likelihood import ContinuousBernoulli, Gaussian, Likelihood
from model.vae.posterior import CholeskyPosterior, DiagonalPosterior
from tests.model import tiny

IMAGES = torch.rand(5, 784, generator=torch.Generator().manual_seed(0))
SHIPPED = sorted(path.stem for path in RECIPES.glob("*.toml"))


def test_a_shipped_recipe_builds_networks_between_its_latents_and_its_images() -> None:
    for name in SHIPPED:
        recipe = Recipe.load(name)
        autoencoder = build_autoencoder(recipe)
        assert autoencoder.reconstruct(IMAGES).shape == IMAGES.shape, name
        if isinstance(autoencoder, VectorQuantisedAutoencoder):
            assert autoencoder.indices(IMAGES).shape == (5, recipe.latent_dim), name
            continue
        codes = autoencoder.code(IMAGES)
        assert codes.shape == (5, recipe.latent_dim), name
        assert autoencoder.decode(codes).shape == IMAGES.shape, name


def test_fresh_weights_depend_on_nothing_but_the_seed() -> None:
    for name in SHIPPED:
        recipe = Recipe.load(name)
        once, again = (built(recipe).state_dict() for _ in range(2))
        assert all(torch.equal(again[key], tensor) for key, tensor in once.items()), name


def built(recipe: Recipe) -> nn.Module:
    torch.manual_seed(7)
    return build_autoencoder(recipe)


def test_a_plain_autoencoder_has_no_posterior(tmp_path: Path) -> None:
    autoencoder = build_autoencoder(tiny.recipe(tmp_path, tiny.AUTOENCODER))
    assert not isinstance(autoencoder, VariationalAutoencoder)
    assert torch.equal(autoencoder.code(IMAGES), autoencoder.encoder(IMAGES))


def test_the_code_of_a_variational_autoencoder_is_the_mean_of_its_posterior(
    tmp_path: Path,
) -> None:
    vae = build_autoencoder(tiny.recipe(tmp_path))
    assert isinstance(vae, VariationalAutoencoder)
    assert torch.equal(vae.code(IMAGES), vae.posterior(IMAGES).mean)


@pytest.mark.parametrize("text", [tiny.RECIPE, tiny.AUTOENCODER], ids=["vae", "autoencoder"])
def test_a_reconstruction_is_the_decode_of_the_code(tmp_path: Path, text: str) -> None:
    autoencoder = build_autoencoder(tiny.recipe(tmp_path, text))
    expected = autoencoder.decoder(autoencoder.code(IMAGES))
    assert torch.equal(autoencoder.reconstruct(IMAGES), expected)


@pytest.mark.parametrize(
    ("text", "likelihood"),
    [(tiny.GAUSSIAN, Gaussian), (tiny.CONTINUOUS_BERNOULLI, ContinuousBernoulli)],
    ids=["gaussian", "continuous-bernoulli"],
)
@pytest.mark.parametrize("family", ["vae", "ae", "vqvae"])
def test_every_family_has_the_likelihood_of_its_recipe(
    tmp_path: Path, text: str, likelihood: type[Likelihood], family: str
) -> None:
    head = text.splitlines()[0]
    texts = {
        "vae": text,
        "ae": f"{head}\n{tiny.AUTOENCODER}",
        "vqvae": f"{head}\n{tiny.CODEBOOK}",
    }
    autoencoder = build_autoencoder(tiny.recipe(tmp_path, texts[family]))
    assert isinstance(autoencoder.likelihood, likelihood)
    assert autoencoder.likelihood.log_prob(IMAGES, autoencoder.reconstruct(IMAGES)).shape == (5,)


@pytest.mark.parametrize(
    ("form", "outputs", "posterior"),
    [("diagonal", 8, DiagonalPosterior), ("cholesky", 14, CholeskyPosterior)],
)
def test_the_encoder_gives_as_many_numbers_as_the_posterior_has_parameters(
    tmp_path: Path, form: Literal["diagonal", "cholesky"], outputs: int, posterior: type
) -> None:
    recipe = replace(tiny.recipe(tmp_path, tiny.ARTICLE), latent_dim=4, posterior=form)
    vae = build_autoencoder(recipe)
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


@pytest.mark.parametrize(
    "network",
    [
        Network(kind="mlp", hidden=(16,)),
        Network(kind="residual", hidden=(16, 16)),
        Network(kind="conv", hidden=(16,), channels=(4, 4)),
        Network(kind="recurrent", hidden=(16,)),
    ],
    ids=lambda network: str(network.kind),
)
def test_correlated_posteriors_begin_narrow_and_round_in_every_kind_of_network(
    tmp_path: Path, network: Network
) -> None:
    vae = build_autoencoder(replace(tiny.recipe(tmp_path), encoder=network))
    assert isinstance(vae, VariationalAutoencoder)
    expected = math.exp(-2) * torch.eye(2).expand(5, 2, 2)
    torch.testing.assert_close(vae.posterior(IMAGES).scale_tril, expected)


@pytest.fixture
def codebook(tmp_path: Path) -> VectorQuantisedAutoencoder:
    torch.manual_seed(0)
    autoencoder = build_autoencoder(tiny.recipe(tmp_path, tiny.CODEBOOK))
    assert isinstance(autoencoder, VectorQuantisedAutoencoder)
    autoencoder.requires_grad_(False)
    autoencoder.codebook_EC[:] = autoencoder.vectors(IMAGES).flatten(0, 1)[::31]  # all are in use
    return autoencoder


def test_the_entry_of_each_place_is_the_nearest_by_brute_force(
    codebook: VectorQuantisedAutoencoder,
) -> None:
    vectors, entries = codebook.vectors(IMAGES).tolist(), codebook.codebook_EC.tolist()
    found = codebook.indices(IMAGES).tolist()
    assert len({index for row in found for index in row}) > 2
    for row, places in zip(found, vectors, strict=True):
        for index, vector in zip(row, places, strict=True):
            distances = [math.dist(vector, entry) for entry in entries]
            assert index == distances.index(min(distances))


def test_the_vectors_of_an_image_come_row_by_row_from_its_top(
    codebook: VectorQuantisedAutoencoder,
) -> None:
    grid = codebook.encoder(IMAGES).reshape(5, 3, 7, 7)  # dimensions of an entry, row, column
    vectors = codebook.vectors(IMAGES)
    assert vectors.shape == (5, 49, 3)
    for row, column in ((0, 0), (0, 6), (4, 2)):
        assert torch.equal(vectors[:, 7 * row + column], grid[:, :, row, column])


def test_what_is_drawn_of_an_image_is_made_of_entries_alone(
    codebook: VectorQuantisedAutoencoder,
) -> None:
    entries = codebook.codebook_EC[codebook.indices(IMAGES)]
    grid = torch.zeros(5, 3, 7, 7)
    for place in range(49):
        grid[:, :, place // 7, place % 7] = entries[:, place]
    expected = codebook.decoder(grid.flatten(1))
    torch.testing.assert_close(codebook.reconstruct(IMAGES), expected)
    codebook.codebook_EC[:] = 0.0
    alike = codebook.reconstruct(IMAGES)
    torch.testing.assert_close(alike, alike[:1].expand_as(alike))
