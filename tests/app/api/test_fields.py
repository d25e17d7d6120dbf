"""How fields are sent; their numbers are tested in tests/model/geometry/test_fields.py."""

import io
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.settings import Settings
from model.data import datasets
from model.engine import Engine
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, serving
from tests.waiting import until

FIELDS = f"models/{DEFAULT}/planes/latent/fields"
LEGEND = r"low=(\S+); high=(\S+); unit=([a-z ]+); scale=(linear|log|index)"


def whole(api: httpx.Client, path: str) -> httpx.Response:
    """Ask until the field is there: on a busy machine it takes longer than a request may."""

    def asked() -> list[httpx.Response]:
        answer = api.get(path)
        return [answer] if answer.status_code != 503 else []

    (answer,) = until(asked, "the field", seconds=300)
    return answer


@pytest.mark.parametrize(
    ("kind", "unit", "scale"),
    [
        ("density", "per squared unit", "log"),
        pytest.param("entropy", "nats per pixel", "linear", marks=pytest.mark.slow),
        pytest.param("label", "label", "index", marks=pytest.mark.slow),
    ],
)
def test_a_field_is_its_levels_and_a_legend_that_says_how_to_read_them(
    api: httpx.Client, engine: Engine, kind: str, unit: str, scale: str
) -> None:
    work, field = engine.field("latent", kind), None
    while field is None:
        field = work.advance()
    answer = whole(api, f"{FIELDS}/{kind}.png")
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (128, 128)
        assert image.mode == ("L" if kind == "label" else "I;16")
        assert (np.asarray(image) == field.levels).all()
    told = re.fullmatch(LEGEND, answer.headers["explorer-field"])
    assert told
    assert told.groups()[2:] == (unit, scale)
    assert float(told[1]) == pytest.approx(field.low, rel=1e-5)
    assert float(told[2]) == pytest.approx(field.high, rel=1e-5)


def test_a_field_is_cached_by_its_version_and_not_sent_again(api: httpx.Client) -> None:
    (plane,) = api.get(f"models/{DEFAULT}/planes").json()
    first = whole(api, f"{FIELDS}/density.png")
    assert first.headers["cache-control"] == "no-cache"
    known = {"if-none-match": first.headers["etag"]}
    again = api.get(f"{FIELDS}/density.png?v={plane['version']}", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again.headers["cache-control"]
    whole(api, f"{FIELDS}/label.png")
    assert api.get(f"{FIELDS}/label.png", headers=known).status_code == 200


@pytest.mark.slow
def test_every_plane_has_fields_and_an_unknown_one_is_refused(
    api: httpx.Client, refused: Refused
) -> None:
    other = whole(api, "models/mnist-vae-20d/planes/digits-4-9/fields/density.png")
    assert other.status_code == 200
    detail = refused(api.get("models/mnist-vae-20d/planes/nowhere/fields/density.png"), 404)
    assert "pca-i-j" in detail
    detail = refused(api.get(f"{FIELDS}/beauty.png"), 404)
    assert "'density', 'magnification', 'entropy' or 'label'" in detail
    refused(api.get("models/none/planes/latent/fields/label.png"), 404)


@pytest.mark.slow
def test_a_field_that_takes_longer_than_a_request_may_is_answered_when_asked_again() -> None:
    """Each request does at least one of the 1,025 pieces, and the next goes on from there."""
    settings = Settings(models=(DEFAULT,), request_timeout_seconds=0.05)
    with serving(settings) as server, server.client() as client:
        answers = []
        for _ in range(1025):
            answer = client.get(f"/api/v1/{FIELDS}/magnification.png")
            answers.append(answer.status_code)
            if answers[-1] == 200:
                break
    assert len(answers) > 1
    assert set(answers[:-1]) == {503}
    assert answers[-1] == 200
    assert "unit=per squared unit; scale=log" in answer.headers["explorer-field"]


def test_a_density_whose_test_images_cannot_be_read_is_unavailable(
    tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrained.write(tmp_path, "deep", latent_dim=3)
    settings = Settings(checkpoints=tmp_path, default_model="deep")
    with serving(settings) as server, server.client() as client:
        _, other, *_ = client.get("/api/v1/models/deep/planes").json()
        path = f"/api/v1/models/deep/planes/{other['id']}/fields/density.png"
        datasets._shipped.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(datasets, "SHIPPED_FOLDER", tmp_path / "lost")
            for _ in range(2):
                assert "server's log says" in refused(client.get(path), 503)
        assert client.get(path).status_code == 200
