"""Second sources: torch.distributions for the density, the networks themselves for the rest."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from model.atlas import Atlas, make_atlas, make_moment
from model.data import datasets
from model.errors import CheckpointError
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder, build_autoencoder
from tests.model import tiny

IMAGES = datasets.test_set("mnist").images[:60]
INTENSITIES = torch.from_numpy(IMAGES.reshape(60, -1).copy()).float() / 255


def built(folder: Path, text: str, **changes: object) -> Autoencoder:
    torch.manual_seed(0)
    recipe = replace(tiny.recipe(folder, text), **changes)  # type: ignore[arg-type]
    autoencoder = build_autoencoder(recipe)
    for parameter in autoencoder.encoder.parameters():
        parameter.data *= 1.5  # fresh networks put all their codes into one heap
    return autoencoder


@pytest.fixture
def vae(tmp_path: Path) -> Autoencoder:
    return built(tmp_path, tiny.RECIPE)


@pytest.fixture
def article(tmp_path: Path) -> Autoencoder:
    return built(tmp_path, tiny.ARTICLE)


def expected_density(autoencoder: Autoencoder, atlas: Atlas) -> torch.Tensor:
    """The mean of all posteriors on the plane, each widened by one cell, at the cell centres."""
    plane = atlas.planes[0]
    (u0, _), (u1, _) = plane.extent
    widening = ((u1 - u0) / 128) ** 2 * torch.eye(2).double()
    axes = torch.from_numpy(plane.axes)
    with torch.no_grad():
        mean = autoencoder.code(INTENSITIES).double()
        covariance = torch.zeros(60, mean.shape[1], mean.shape[1]).double()
        if isinstance(autoencoder, VariationalAutoencoder):
            scale = autoencoder.posterior(INTENSITIES).scale_tril.double()
            covariance = scale @ scale.mT
    on_plane = (mean - torch.from_numpy(plane.origin)) @ axes.T
    q = MultivariateNormal(on_plane, axes @ covariance @ axes.T + widening)
    points = torch.from_numpy(plane.grid(128))
    density = q.log_prob(points[:, None]).exp().mean(1)  # type: ignore[no-untyped-call]
    return torch.as_tensor(density).reshape(128, 128)


@pytest.mark.parametrize("text", [tiny.RECIPE, tiny.AUTOENCODER, tiny.ARTICLE])
def test_the_density_of_a_plane_is_the_mixture_of_its_posteriors(tmp_path: Path, text: str) -> None:
    autoencoder = built(tmp_path, text)
    atlas = make_atlas(autoencoder, IMAGES, ())
    expected = expected_density(autoencoder, atlas)
    np.testing.assert_allclose(atlas.density[0], expected, rtol=1e-3, atol=1e-6)
    (u0, _), (u1, _) = atlas.planes[0].extent
    assert atlas.density[0].sum() * ((u1 - u0) / 128) ** 2 == pytest.approx(1, abs=0.02)


def test_codes_are_posterior_means_in_the_order_of_the_images(vae: Autoencoder) -> None:
    codes = make_atlas(vae, IMAGES, ()).codes
    assert codes.dtype == np.float32
    with torch.no_grad():
        for i in (0, 17, 59):
            expected = vae.code(INTENSITIES[i : i + 1])[0].numpy()
            np.testing.assert_allclose(codes[i], expected, rtol=1e-4, atol=1e-5)


def test_the_grid_of_a_moment_has_the_image_of_its_upper_left_cell_first(vae: Autoencoder) -> None:
    moment = make_moment(vae, IMAGES, epoch=3)
    (u0, v0), (u1, v1) = moment.extent.tolist()
    assert moment.grid.shape == (12, 12, 28, 28)
    with torch.no_grad():
        for row, column in ((0, 0), (0, 11), (7, 2)):
            u = u0 + (column + 0.5) * (u1 - u0) / 12
            v = v1 - (row + 0.5) * (v1 - v0) / 12
            z = moment.origin + u * moment.axes[0] + v * moment.axes[1]
            levels = 255 * vae.decode(torch.tensor(np.array([z]), dtype=torch.float32)).sigmoid()
            difference = moment.grid[row, column].ravel() - levels.numpy()
            assert np.abs(difference).max() < 0.501


def test_an_atlas_survives_being_written_and_read(article: Autoencoder) -> None:
    atlas = make_atlas(article, IMAGES, (make_moment(article, IMAGES, 0),))
    again = Atlas.from_bytes(atlas.to_bytes(), "atlas.npz")
    np.testing.assert_array_equal(again.codes, atlas.codes)
    np.testing.assert_allclose(again.density, atlas.density, rtol=1e-3, atol=1e-6)
    assert [plane.id for plane in again.planes] == ["pca-0-1"]
    assert again.planes[0].extent == atlas.planes[0].extent
    np.testing.assert_array_equal(again.planes[0].axes, atlas.planes[0].axes)
    assert again.moments[0].epoch == 0
    np.testing.assert_array_equal(again.moments[0].grid, atlas.moments[0].grid)


def test_an_atlas_keeps_the_projections_of_its_codes(article: Autoencoder) -> None:
    bare = make_atlas(article, IMAGES, ())
    places = np.arange(120, dtype=np.float32).reshape(60, 2)
    atlas = replace(bare, projections={"tsne": places})
    again = Atlas.from_bytes(atlas.to_bytes(), "atlas.npz")
    assert again.projections.keys() == {"tsne"}
    np.testing.assert_array_equal(again.projections["tsne"], places)
    assert atlas.nbytes == bare.nbytes + places.nbytes
    assert Atlas.from_bytes(bare.to_bytes(), "atlas.npz").projections == {}


@pytest.mark.parametrize(
    "places",
    [
        np.zeros((59, 2), np.float32),
        np.zeros((60, 3), np.float32),
        np.zeros((60, 2), np.float64),
        np.full((60, 2), np.nan, np.float32),
    ],
)
def test_a_projection_of_another_shape_is_refused_by_name(
    article: Autoencoder, places: np.ndarray
) -> None:
    content = replace(make_atlas(article, IMAGES, ()), projections={"pca": places}).to_bytes()
    with pytest.raises(CheckpointError, match=r"projections\.pca"):
        Atlas.from_bytes(content, "atlas.npz")


def test_the_grid_of_a_moment_shows_the_mean_image_of_the_likelihood(tmp_path: Path) -> None:
    vae = built(tmp_path, tiny.GAUSSIAN, latent_dim=2)
    nn.init.constant_(list(vae.decoder.parameters())[-1], 0.25)  # the last layer's bias
    nn.init.zeros_(list(vae.decoder.parameters())[-2])
    assert (make_moment(vae, IMAGES, epoch=0).grid == 64).all()  # 255 / 4 = 63.75


def test_the_atlas_of_a_codebook_is_empty_and_survives_being_written_and_read(
    tmp_path: Path,
) -> None:
    atlas = make_atlas(built(tmp_path, tiny.CODEBOOK), IMAGES, ())
    again = Atlas.from_bytes(atlas.to_bytes(), "atlas.npz")
    for empty in (atlas, again):
        assert empty.codes.shape == (0, 49)
        assert empty.planes == ()
        assert empty.moments == ()
        assert empty.density.shape == (0, 128, 128)


def test_an_atlas_weighs_what_its_arrays_do(vae: Autoencoder) -> None:
    moment = make_moment(vae, IMAGES, 0)
    atlas = make_atlas(vae, IMAGES, (moment, moment))
    codes, density, grid = 60 * 2 * 4, 128 * 128 * 8, 12 * 12 * 28 * 28
    frame = 8 + 60 * 2 * 2 + 2 * 8 + 4 * 8 + 4 * 8  # epoch, codes, origin, axes, extent
    assert atlas.nbytes == codes + density + 2 * (grid + frame)


def test_the_same_atlas_gives_the_same_bytes(vae: Autoencoder) -> None:
    once, again = (make_atlas(vae, IMAGES, ()).to_bytes() for _ in range(2))
    assert once == again


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def without(content: bytes, name: str) -> bytes:
    with np.load(io.BytesIO(content)) as arrays:
        kept = {key: arrays[key] for key in arrays if key != name}
    file = io.BytesIO()
    np.savez(file, **kept)
    return file.getvalue()


@pytest.mark.parametrize("lost", ["codes", "density", "planes.axes", "moments.grid"])
def test_an_atlas_that_lacks_a_part_is_refused_by_name(vae: Autoencoder, lost: str) -> None:
    content = make_atlas(vae, IMAGES, (make_moment(vae, IMAGES, 0),)).to_bytes()
    with pytest.raises(CheckpointError, match=rf"here/atlas\.npz is not an atlas: .*{lost}"):
        Atlas.from_bytes(without(content, lost), "here/atlas.npz")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"not an archive", b"PK\3\4" + bytes(100), npy(np.zeros(3))],
    ids=["empty", "two letters", "text", "a head alone", "an array"],
)
def test_what_is_no_archive_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"here/atlas\.npz is not an atlas"):
        Atlas.from_bytes(content, "here/atlas.npz")
