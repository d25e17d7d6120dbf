"""The second source for every cell is POST decode at the centre that the plane's JSON tells."""

import base64
import io
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.settings import Settings
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving

FIRST = f"models/{DEFAULT}/planes/latent/tiles"
TILTED = "at-" + base64.urlsafe_b64encode(
    np.array([[0.1, 0.2], [0.6, 0.8], [-0.8, 0.6]], "<f4").tobytes()
).decode("ascii")  # fmt: skip


def read(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.mode, image.size) == ("L", (224, 224))
        return np.asarray(image)


@pytest.mark.parametrize(
    ("model", "plane", "zoom", "x", "y"),
    [
        (DEFAULT, "latent", 0, 0, 0),
        (DEFAULT, "latent", 3, 5, 2),
        (DEFAULT, "latent", 8, 130, 77),
        (DEFAULT, TILTED, 2, 3, 0),
        ("mnist-ae-2d", "latent", 1, 1, 0),
        ("mnist-conv-vae-2d", "latent", 5, 16, 15),
        ("mnist-vae-2d-gaussian", "latent", 4, 8, 8),
        ("mnist-recurrent-ae-2d", "latent", 2, 1, 2),
        ("mnist-vae-20d", "pca-0-1", 2, 1, 2),
        ("mnist-vae-20d", "digits-3-8", 1, 0, 1),
        ("mnist-sparse-ae-20d", "dims-4-17", 6, 33, 30),
    ],
)
def test_every_cell_of_a_tile_is_the_decode_at_its_centre_byte_for_byte(
    api: httpx.Client, model: str, plane: str, zoom: int, x: int, y: int
) -> None:
    shown = api.get(f"models/{model}/planes/{plane}").json()
    (u0, _), (u1, v1) = shown["extent"]
    origin, (right, up) = np.array(shown["origin"]), np.array(shown["axes"])
    cell = (u1 - u0) / (8 * 2**zoom)
    u = [u0 + (8 * x + i + 0.5) * cell for i in range(8)]
    v = [v1 - (8 * y + j + 0.5) * cell for j in range(8)]
    latents = [origin + u[i] * right + v[j] * up for j in range(8) for i in range(8)]
    raw = {"accept": "application/octet-stream"}
    body = {"latents": [latent.tolist() for latent in latents]}
    content = api.post(f"models/{model}/decode", json=body, headers=raw).content
    images = np.frombuffer(content, np.uint8).reshape(8, 8, 28, 28)
    tile = read(api.get(f"models/{model}/planes/{plane}/tiles/{zoom}/{x}/{y}.png"))
    for j in range(8):
        for i in range(8):
            shown_cell = tile[28 * j : 28 * j + 28, 28 * i : 28 * i + 28]
            np.testing.assert_array_equal(shown_cell, images[j, i])


def test_a_tile_with_the_current_version_may_be_kept_for_ever_and_any_other_is_revalidated(
    api: httpx.Client,
) -> None:
    (plane,) = api.get(f"models/{DEFAULT}/planes").json()
    for query, expected in (
        (f"?v={plane['version']}", "public, max-age=31536000, immutable"),
        ("", "no-cache"),
        ("?v=", "no-cache"),
        ("?v=0", "no-cache"),
    ):
        answer = api.get(f"{FIRST}/2/1/1.png{query}")
        assert answer.headers["cache-control"] == expected
        known = {"if-none-match": answer.headers["etag"]}
        again = api.get(f"{FIRST}/2/1/1.png{query}", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == expected
        assert api.get(f"{FIRST}/2/1/0.png{query}", headers=known).status_code == 200


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("9/0/0.png", "zooms 0 to 8"),
        ("0/1/0.png", "At zoom 0 there are tiles 0 to 0"),
        ("3/0/8.png", "At zoom 3 there are tiles 0 to 7"),
        ("8/256/0.png", "0 to 255"),
        ("3/-1/0.png", "whole number"),
        ("1.0/0/0.png", "whole number"),
        ("0/0/9999999999.png", "whole number"),
        ("0/%D9%A0/0.png", "whole number"),
    ],
)
def test_a_tile_outside_the_extent_is_not_found(
    api: httpx.Client, refused: Refused, path: str, says: str
) -> None:
    assert says in refused(api.get(f"{FIRST}/{path}"), 404)


def test_a_tile_of_an_unknown_plane_or_model_is_refused_with_the_known_ones(
    api: httpx.Client, refused: Refused
) -> None:
    detail = refused(api.get(f"models/{DEFAULT}/planes/nowhere/tiles/0/0/0.png"), 404)
    assert "It has latent and at-" in detail
    assert DEFAULT in refused(api.get("models/none/planes/latent/tiles/0/0/0.png"), 404)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    untrained.write(tmp_path, "plain")
    untrained.write(tmp_path, "other", latent_dim=3)
    return tmp_path


def with_room(checkpoints: Path, tile_cache_bytes: int) -> Settings:
    return Settings(
        checkpoints=checkpoints, default_model="plain", tile_cache_bytes=tile_cache_bytes
    )


def count_tiles(running: Serving) -> list[object]:
    """Return a list to which every tile is added that the default model decodes from now on."""
    (served,) = running.registry.loaded
    asked: list[object] = []
    decode = served.engine.tile

    def noting(*place: Any) -> np.ndarray:
        asked.append(place)
        return decode(*place)

    served.engine.tile = noting  # type: ignore[assignment, method-assign]
    return asked


def test_the_first_tiles_of_the_default_model_are_in_memory_before_the_first_request(
    checkpoints: Path,
) -> None:
    with serving(with_room(checkpoints, 10**7)) as running, running.client() as client:
        asked = count_tiles(running)
        base = "/api/v1/models/plain/planes/latent/tiles"
        for place in ("0/0/0", "1/0/0", "1/1/0", "1/0/1", "1/1/1"):
            read(client.get(f"{base}/{place}.png"))
        assert asked == []
        read(client.get(f"{base}/2/0/0.png"))
        assert asked == [("latent", 2, 0, 0)]


def test_a_fresh_tile_is_decoded_once_for_many_requests_at_once(checkpoints: Path) -> None:
    with serving(with_room(checkpoints, 10**7)) as running, running.client() as client:
        asked = count_tiles(running)
        path = "/api/v1/models/plain/planes/latent/tiles/4/3/2.png"
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(client.get, [path] * 16))
        assert {answer.content for answer in answers} == {answers[0].content}
        assert len(asked) == 1


def test_a_tile_is_not_decoded_for_a_client_that_has_left(checkpoints: Path) -> None:
    base = "/api/v1/models/plain/planes/latent/tiles/4"
    with serving(with_room(checkpoints, 10**7)) as running, ExitStack() as staying:
        asked, gate, begun = count_tiles(running), Event(), Event()
        (served,) = running.registry.loaded
        decode = served.engine.tile

        def held(*place: Any) -> np.ndarray:
            begun.set()
            gate.wait()
            return decode(*place)

        def ask(opened: socket.socket, path: str) -> None:
            opened.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

        name, _, port = running.host.partition(":")
        *waiting, leaving = [
            staying.enter_context(socket.create_connection((name, int(port)), timeout=20))
            for _ in range(9)
        ]
        for opened in (*waiting, leaving):  # so that all of them are heard at once later
            ask(opened, "/healthz")
            healthy = b""
            while not healthy.endswith(b"}"):
                healthy += opened.recv(5000)
            assert healthy.startswith(b"HTTP/1.1 200")
        served.engine.tile = held  # type: ignore[assignment, method-assign]
        for x, opened in enumerate(waiting):
            ask(opened, f"{base}/{x}/0.png")
            begun.wait()
        ask(leaving, f"{base}/15/0.png")
        leaving.close()
        gate.set()
        for opened in waiting:
            assert opened.recv(100).startswith(b"HTTP/1.1 200")
        with running.client() as client:
            read(client.get(f"{base}/9/0.png"))
            counted = client.get("/metrics").text
            assert re.search(r'requests_total{.*/tiles/.*"4xx".*} 1\.0\n', counted)
            assert asked == [("latent", 4, x, 0) for x in (*range(8), 9)]
            read(client.get(f"{base}/15/0.png"))


def test_a_tile_that_a_client_has_needs_no_model_in_memory(checkpoints: Path) -> None:
    path = "/api/v1/models/other/planes/pca-0-1/tiles/1/0/0.png"
    with serving(with_room(checkpoints, 10**7)) as running, running.client() as client:
        tag = {"if-none-match": client.get(path).headers["etag"]}
    with serving(with_room(checkpoints, 10**7)) as running, running.client() as client:
        assert client.get(path, headers=tag).status_code == 304
        assert [served.card.id for served in running.registry.loaded] == ["plain"]


def test_a_tile_that_was_dropped_is_made_again_with_the_same_bytes(checkpoints: Path) -> None:
    with serving(with_room(checkpoints, 100_000)) as running, running.client() as client:
        asked = count_tiles(running)
        base = "/api/v1/models/plain/planes/latent/tiles/3"
        rounds = [[client.get(f"{base}/{x}/0.png").content for x in range(8)] for _ in range(2)]
        assert rounds[0] == rounds[1]
        assert len(asked) > 8
