import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from app.settings import Settings
from model.__main__ import main
from model.atlas import Atlas
from model.checkpoint import read_checkpoint
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import serving

NPY = {"Accept": "application/x-npy"}
ADDRESS = "models/five/projections"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a model of five numbers with its projections, one of two, and one with a codebook."""
    folder = tmp_path_factory.mktemp("checkpoints")
    untrained.write(folder, "five", latent_dim=5)
    untrained.write(folder, "two")
    untrained.write(folder, "book", **untrained.CODEBOOK)
    assert main(["project", "five", "--checkpoints", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def atlas(checkpoints: Path) -> Atlas:
    return read_checkpoint(checkpoints / "five").atlas


@pytest.fixture(scope="module")
def own(checkpoints: Path) -> Iterator[httpx.Client]:
    """Yield a client of these models, whose paths start at /api/v1."""
    settings = Settings(checkpoints=checkpoints, default_model="two")
    with serving(settings) as running, running.client() as client:
        client.base_url = client.base_url.join("/api/v1/")
        yield client


def test_the_projections_of_the_atlas_are_listed(own: httpx.Client, atlas: Atlas) -> None:
    answer = own.get(ADDRESS).json()
    assert answer["model"] == "five"
    ids = [one["id"] for one in answer["projections"]]
    assert ids == [name for name in ("tsne", "umap", "pca") if name in atlas.projections]
    assert {"tsne", "pca"} <= set(ids)
    assert all(one["about"].endswith(".") for one in answer["projections"])


@pytest.mark.parametrize("projection", ["tsne", "pca"])
def test_each_form_holds_the_places_of_the_atlas(
    own: httpx.Client, atlas: Atlas, projection: str
) -> None:
    expected = atlas.projections[projection]
    address = f"{ADDRESS}/{projection}"
    npy = own.get(address, headers=NPY)
    np.testing.assert_array_equal(np.load(io.BytesIO(npy.content)), expected)
    bare = own.get(address, headers={"Accept": "application/octet-stream"})
    assert bare.content == expected.astype("<f4").tobytes()
    listed = own.get(address)
    assert listed.json()["model"] == "five"
    assert listed.json()["projection"] == projection
    np.testing.assert_array_equal(np.float32(listed.json()["places"]), expected)
    again = own.get(address, headers={"If-None-Match": listed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_principal_axes_are_the_places_on_the_first_plane(own: httpx.Client) -> None:
    codes = own.get("models/five/codes?plane=pca-0-1", headers=NPY).content
    places = own.get(f"{ADDRESS}/pca", headers=NPY).content
    on_plane = np.load(io.BytesIO(codes))
    np.testing.assert_allclose(np.load(io.BytesIO(places)), on_plane, atol=1e-5)


def test_a_plane_has_no_projection(own: httpx.Client, refused: Refused) -> None:
    assert own.get("models/two/projections").json()["projections"] == []
    assert "none" in refused(own.get("models/two/projections/tsne"), 404)


def test_an_unknown_projection_is_answered_by_those_there_are(
    own: httpx.Client, refused: Refused
) -> None:
    assert "did you mean tsne" in refused(own.get(f"{ADDRESS}/tsn"), 404)


def test_a_model_with_a_codebook_has_none(own: httpx.Client, refused: Refused) -> None:
    refused(own.get("models/book/projections"), 409)
    refused(own.get("models/book/projections/tsne"), 409)
