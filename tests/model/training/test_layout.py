"""Second sources: NumPy's singular vectors and a slow loop, SciPy's distributions."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import manifold
from sklearn.manifold import TSNE
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from model.data import datasets
from model.recipes.recipe import Recipe
from model.training.layout import COMPONENTS, NARROW, Layout, lay_out
from model.training.stages import Images
from model.vae.autoencoder import VariationalAutoencoder, build_autoencoder
from tests.model import tiny

SHIPPED = datasets.test_set("mnist")
MAPPED, COUNT = 200, 300
GREY = SHIPPED.images[:COUNT].reshape(COUNT, 784)


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    return lay_out(GREY, MAPPED, seed=0).astype(np.float64)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return tiny.recipe(tmp_path, tiny.LAID_OUT)


@pytest.fixture
def vae(recipe: Recipe) -> VariationalAutoencoder:
    torch.manual_seed(0)
    vae = build_autoencoder(recipe)
    assert isinstance(vae, VariationalAutoencoder)
    return vae


@pytest.fixture
def stage(vae: VariationalAutoencoder, recipe: Recipe) -> Layout:
    grey = torch.from_numpy(GREY.copy())
    return Layout(vae, Images(grey, grey[:10], False), recipe)


@pytest.fixture
def laid_out(recipe: Recipe) -> np.ndarray:
    """The places that the stage asks for."""
    assert recipe.layout
    return lay_out(GREY, recipe.layout.images, recipe.seed)


def test_places_are_as_far_from_the_centre_as_draws_from_the_prior(
    places: np.ndarray,
) -> None:
    assert places.shape == (COUNT, 2)
    assert stats.kstest(np.linalg.norm(places, axis=1), "rayleigh").pvalue > 0.99
    assert np.abs(places.mean(axis=0)).max() < 0.3


def test_neighbours_on_the_map_show_the_same_digit(places: np.ndarray) -> None:
    """Of 300 images, with one chance in ten; t-SNE was told no labels."""
    labels = SHIPPED.labels[:COUNT]
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    np.fill_diagonal(apart, math.inf)
    assert (labels[apart.argmin(axis=1)] == labels).mean() > 0.6


def test_an_image_that_is_not_mapped_lies_in_the_midst_of_those_like_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the five mapped images most like it, at the one that is nearest to the other four."""
    spots = np.random.default_rng(0).normal(size=(MAPPED, 2))

    class Known(TSNE):  # type: ignore[misc]
        def fit_transform(self, points: np.ndarray) -> np.ndarray:
            assert points.shape == (MAPPED, COMPONENTS)
            return spots

    monkeypatch.setattr(manifold, "TSNE", Known)
    found = lay_out(GREY, MAPPED, seed=0)
    centred = GREY / 255 - GREY[:MAPPED].mean(axis=0) / 255
    axes = np.linalg.svd(centred[:MAPPED], full_matrices=False)[2][:COMPONENTS]
    reduced = centred @ axes.T
    expected = list(spots)
    for image in reduced[MAPPED:]:
        like = [spots[i] for i in np.linalg.norm(reduced[:MAPPED] - image, axis=1).argsort()[:5]]
        expected.append(min(like, key=lambda spot: sum(math.dist(spot, other) for other in like)))
    offset = np.array(expected) - np.mean(expected, axis=0)
    direction = offset / np.linalg.norm(offset, axis=1, keepdims=True)
    right = np.linalg.norm(found / np.linalg.norm(found, axis=1, keepdims=True) - direction, axis=1)
    assert (right < 0.05).mean() > 0.95, "scikit-learn's components are randomised, and differ"


def test_the_encoder_learns_the_places_and_the_decoder_what_lies_about_them(
    vae: VariationalAutoencoder, stage: Layout, laid_out: np.ndarray
) -> None:
    seen: list[Tensor] = []
    read: list[Tensor] = []
    drawn: list[Tensor] = []
    vae.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    vae.decoder.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    vae.decoder.register_forward_hook(lambda _, inputs, output: drawn.append(output))
    losses = list(stage.losses(0))
    images = tuple(seen)  # there will be more
    assert len(losses) == stage.steps_per_epoch == COUNT // 50

    places = {row.tobytes(): place for row, place in zip(GREY, laid_out, strict=True)}
    assert len(places) == COUNT
    strayed = []
    for loss, image, z, logits in zip(losses, images, read, drawn, strict=True):
        rows = (image * 255).round().byte().numpy()
        place = torch.tensor(np.array([places[row.tobytes()] for row in rows]))
        q = Normal(place, NARROW)
        at_place = q.log_prob(vae.code(image)) - q.log_prob(place)  # type: ignore[no-untyped-call]
        p = Bernoulli(logits=logits)
        ink, none = (p.log_prob(torch.full((784,), x)) for x in (1.0, 0.0))  # type: ignore[no-untyped-call]
        log_prob = image * ink + (1 - image) * none
        expected = -(at_place.sum(-1) + log_prob.sum(-1)).mean()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
        strayed.append((z - place) / NARROW)
    assert stats.kstest(torch.cat(strayed).flatten().numpy(), "norm").pvalue > 0.001


def test_codes_come_nearer_to_their_places_and_places_to_their_images(
    vae: VariationalAutoencoder, stage: Layout
) -> None:
    assert stage.trained is vae
    before = stage.follow()
    optimiser = torch.optim.Adam(vae.parameters(), lr=3e-3)
    torch.manual_seed(0)
    for epoch in range(8):
        for loss in stage.losses(epoch):
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    after = stage.follow()
    assert after["distance"] < 0.7 * before["distance"]
    assert after["reconstruction"] > before["reconstruction"] + 100


def test_what_is_followed_is_the_mean_way_from_code_to_place(
    vae: VariationalAutoencoder, stage: Layout, laid_out: np.ndarray
) -> None:
    codes = vae.code(torch.from_numpy(GREY.copy()).float() / 255).tolist()
    ways = [math.dist(code, place) for code, place in zip(codes, laid_out, strict=True)]
    assert stage.follow()["distance"] == pytest.approx(sum(ways) / COUNT, rel=1e-4)
