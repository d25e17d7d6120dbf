"""A model with a codebook encodes images, and refuses whatever needs a latent vector."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import InvalidStatus

from app.formats import png
from app.settings import Settings
from model.engine import Engine, LabelledImages
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import Serving, serving

NAME = "codebook"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    untrained.write(folder, "plain")
    untrained.write(folder, NAME, **untrained.CODEBOOK)
    return folder


@pytest.fixture(scope="module")
def server(checkpoints: Path) -> Iterator[Serving]:
    with serving(Settings(checkpoints=checkpoints, default_model="plain")) as running:
        yield running


@pytest.fixture(scope="module")
def api(server: Serving) -> Iterator[httpx.Client]:
    with server.client() as client:
        client.base_url = client.base_url.join(f"/api/v1/models/{NAME}/")
        yield client


PATHS: list[tuple[str, str, object]] = [
    ("POST", "decode", {"latents": [[0.0] * 49]}),
    ("POST", "decode", {"latents": [[0, 0]]}),
    ("POST", "sample", {"count": 1}),
    ("POST", "interpolate", {"start": {"latent": [0, 0]}, "end": {"latent": [1, 1]}}),
    ("GET", "decode.png?z=0,0", None),
    ("GET", "planes", None),
    ("GET", "planes/latent", None),
    ("GET", "planes/latent/tiles/0/0/0.png", None),
    ("GET", "planes/latent/fields/label.png", None),
    ("GET", "codes", None),
    ("GET", "neighbours?z=0,0", None),
    ("GET", "codes?plane=latent", None),
]


@pytest.mark.parametrize(("method", "path", "body"), PATHS)
def test_a_request_that_needs_a_point_is_refused_with_what_can_be_done_instead(
    api: httpx.Client, refused: Refused, method: str, path: str, body: object
) -> None:
    detail = refused(api.request(method, path, json=body), 409)
    assert detail.startswith(NAME)
    assert f"POST /api/v1/models/{NAME}/encode" in detail


def test_a_stream_is_refused_before_it_opens(server: Serving) -> None:
    with pytest.raises(InvalidStatus) as refusal, server.stream(NAME):
        pass
    response = refusal.value.response
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert NAME.encode() in (response.body or b"")


def test_the_history_of_a_codebook_model_has_no_moments(api: httpx.Client) -> None:
    assert api.get("history").json()["moments"] == []


def test_the_card_of_a_codebook_model_has_no_plane(server: Serving) -> None:
    with server.client() as client:
        card = client.get(f"/api/v1/models/{NAME}").json()
    assert card["planes"] == []
    assert card["family"] == "vqvae"


def test_a_codebook_model_encodes_into_a_grid_of_entries(
    api: httpx.Client, checkpoints: Path, mnist: LabelledImages
) -> None:
    engine = Engine.load(checkpoints / NAME, "cpu")
    expected = engine.encode(mnist.images[:20].astype(np.float32) / 255)
    assert expected.indices is not None
    uploads = [("file", ("x.png", png.encode(image))) for image in mnist.images[:20]]
    codes = api.post("encode", files=uploads, headers={"accept": "application/x-npy"}).content
    np.testing.assert_array_equal(np.load(io.BytesIO(codes)), expected.indices)
    items = api.post("encode", files=uploads).json()["items"]
    assert len(items) == 20
    for index, item in enumerate(items):
        assert item["indices"] == expected.indices[index].tolist()
        assert np.shape(item["indices"]) == (7, 7)
        assert item["mean"] is None
        assert item["covariance"] is None
        elbo = item["elbo"]
        assert elbo["reconstruction"] == pytest.approx(expected.reconstruction[index], rel=1e-4)
        assert [elbo[name] for name in ("kl", "kl_per_dimension", "total")] == [None] * 3
        picture = Image.open(io.BytesIO(base64.b64decode(item["reconstruction"]["png"])))
        assert (np.asarray(picture) == expected.reconstruction_image[index]).all()


def test_a_codebook_model_may_be_the_default_and_is_ready(checkpoints: Path) -> None:
    settings = Settings(checkpoints=checkpoints, default_model=NAME, models=(NAME,))
    with serving(settings) as server, server.client() as client:
        assert client.get("/readyz").json()["loaded"] == [NAME]
