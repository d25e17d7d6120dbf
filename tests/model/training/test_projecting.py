"""Second sources: a singular value decomposition, and who is whose neighbour in latent space."""

import dataclasses
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from model.__main__ import main
from model.card import Card
from model.checkpoint import read_checkpoint
from model.training import projecting
from model.training.projecting import project
from tests.app import untrained

WANTED = {"pca", "tsne", "umap"} if find_spec("umap") else {"pca", "tsne"}
HEAPS, OF_EACH = 4, 40


@pytest.fixture
def heaps() -> np.ndarray:
    """Codes in four heaps far apart, in five dimensions, heap by heap."""
    random = np.random.default_rng(3)
    middles = 10 * random.standard_normal((HEAPS, 1, 5))
    codes = middles + 0.3 * random.standard_normal((HEAPS, OF_EACH, 5))
    return codes.reshape(-1, 5).astype(np.float32)


def test_the_principal_axes_are_those_of_the_singular_values(heaps: np.ndarray) -> None:
    places = project(heaps)["pca"]
    centred = heaps - heaps.mean(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(places), np.abs(left[:, :2] * values[:2]), atol=1e-3)


@pytest.mark.parametrize("name", sorted(WANTED - {"pca"}))
def test_codes_that_lie_together_stay_together(heaps: np.ndarray, name: str) -> None:
    places = project(heaps)[name]
    assert places.shape == (HEAPS * OF_EACH, 2)
    assert places.dtype == np.float32
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    heap = np.arange(HEAPS * OF_EACH) // OF_EACH
    assert (heap[apart.argmin(1)] == heap).mean() > 0.95


def test_the_same_codes_have_the_same_places(heaps: np.ndarray) -> None:
    once, again = project(heaps), project(heaps)
    assert once.keys() == again.keys() == WANTED
    for name in once:
        np.testing.assert_array_equal(once[name], again[name])


def test_a_plane_is_its_own_projection_and_a_codebook_has_none() -> None:
    assert project(np.ones((50, 2), np.float32)) == {}
    assert project(np.ones((0, 49), np.float32)) == {}


@pytest.mark.parametrize(
    "codes", [np.eye(5, dtype=np.float32), np.ones((100, 5), np.float32)], ids=["few", "one place"]
)
def test_few_codes_and_codes_in_one_place_have_principal_axes_alone(codes: np.ndarray) -> None:
    found = project(codes)
    assert found.keys() == {"pca"}
    assert np.isfinite(found["pca"]).all()


def test_the_command_adds_them_and_leaves_weights_and_codes_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    untrained.write(tmp_path, "five", latent_dim=5)
    untrained.write(tmp_path, "two")
    before = read_checkpoint(tmp_path / "five")
    weights = (tmp_path / "five" / "model.safetensors").read_bytes()
    plane = (tmp_path / "two" / "atlas.npz").read_bytes()
    assert before.atlas.projections == {}
    assert main(["project", "all", "--checkpoints", str(tmp_path)]) == 0
    after = read_checkpoint(tmp_path / "five")
    assert after.atlas.projections.keys() == WANTED
    np.testing.assert_array_equal(after.atlas.codes, before.atlas.codes)
    assert (tmp_path / "five" / "model.safetensors").read_bytes() == weights
    assert (tmp_path / "two" / "atlas.npz").read_bytes() == plane
    card = Card.load(tmp_path / "five")
    assert card.atlas_sha256 != before.card.atlas_sha256
    assert dataclasses.replace(card, atlas_sha256=before.card.atlas_sha256) == before.card
    told = capsys.readouterr().out
    assert "five: pca, tsne" in told
    assert "two: its latents have two dimensions" in told


def test_the_command_keeps_a_projection_that_it_cannot_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrained.write(tmp_path, "five", latent_dim=5)
    codes = read_checkpoint(tmp_path / "five").atlas.codes
    made = np.ones((len(codes), 2), np.float32)
    for found in ({"umap": made}, {"pca": made}):
        monkeypatch.setattr(projecting, "project", lambda codes, found=found: found)
        assert main(["project", "five", "--checkpoints", str(tmp_path)]) == 0
    assert read_checkpoint(tmp_path / "five").atlas.projections.keys() == {"umap", "pca"}


def test_the_command_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    untrained.write(tmp_path, "five", latent_dim=5)
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert main(["project", "five", "--checkpoints", str(tmp_path)]) == 2
    assert "pip install --group train" in capsys.readouterr().err
