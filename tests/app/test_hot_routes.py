"""The hot routes: matched before FastAPI, and the same endpoints as behind it."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.types import Receive, Scope, Send

from app import main
from app.formats import png
from app.settings import Settings
from model.engine import test_set as images_of
from tests.app.live_server import DEFAULT, Serving, serving
from tests.app.pictures import drawing, file

MODEL = f"/api/v1/models/{DEFAULT}"
TILE = f"{MODEL}/planes/latent/tiles/3/2/5.png"
IMAGE = f"{MODEL}/decode.png?z=0.25,-1&size=140"
ONE = b'{"latents": [[0.5, -1.25]]}'
JSON = {"content-type": "application/json"}
NPY = "application/x-npy"
FOREIGN = {"origin": "https://elsewhere.example"}
DRAWN = file(drawing((150, 150)))


def upload(content: bytes) -> dict[str, tuple[str, bytes]]:
    return {"file": ("drawing.png", content)}


@pytest.fixture(params=[{}, {"http": "httptools"}], ids=["our protocol", "uvicorn's own"])
def fresh(request: pytest.FixtureRequest) -> Iterator[Serving]:
    with serving(Settings(models=(DEFAULT,)), **request.param) as running:
        yield running


@pytest.fixture(scope="module")
def by_fastapi() -> Iterator[Serving]:
    """A server whose table of hot routes is empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "HOT_ROUTES", ())
        with serving(Settings()) as running:
            yield running


def shown(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """Return all of an answer but what differs between any two."""
    passing = ("date", "x-request-id")
    headers = {name: value for name, value in answer.headers.items() if name not in passing}
    return answer.status_code, headers, answer.content


def test_the_routes_that_are_asked_for_most_do_not_reach_fastapi(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached: list[str] = []
    ordinary = FastAPI.__call__

    async def note(app: FastAPI, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            reached.append(scope["path"])
        await ordinary(app, scope, receive, send)

    monkeypatch.setattr(FastAPI, "__call__", note)
    with serving(Settings(models=(DEFAULT,))) as running, running.client() as client:
        client.get(TILE)
        client.get(IMAGE)
        client.post(f"{MODEL}/decode", content=ONE, headers=JSON)
        client.post(f"{MODEL}/encode", files=upload(DRAWN))
        assert reached == []
        client.get("/healthz")
    assert reached == ["/healthz"]


def _array(rows: int) -> bytes:
    content = io.BytesIO()
    np.save(content, np.random.default_rng(rows).normal(size=(rows, 2)))
    return content.getvalue()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", TILE, None, {}),
        ("GET", f"{TILE}?v=other", None, {}),
        ("GET", TILE.replace("latent", "nope"), None, {}),
        ("GET", TILE.replace("/3/", "/a/"), None, {}),
        ("HEAD", TILE, None, {}),
        ("GET", IMAGE, None, {}),
        ("GET", f"{MODEL}/decode.png?z=NaN,0", None, {}),
        ("POST", f"{MODEL}/decode", ONE, JSON),
        ("POST", f"{MODEL}/decode", ONE, {**JSON, "accept": "image/png"}),
        ("POST", f"{MODEL}/decode", ONE, {**JSON, "accept": "text/html"}),
        ("POST", f"{MODEL}/decode", ONE, {"content-type": "text/plain"}),
        ("POST", f"{MODEL}/decode", b'{"latents": [[0]]}', JSON),
        ("POST", f"{MODEL}/decode", b'{"latents": [[0, 0]], "size": 28}', JSON),
        ("POST", f"{MODEL}/decode", b'{"latents": ' + b"[" * 900, JSON),
        ("POST", f"{MODEL}/decode", _array(9), {"content-type": NPY, "accept": NPY}),
        ("POST", "/api/v1/models/none/decode", ONE, JSON),
        ("POST", "/api/v1/models/mnist-vqvae/decode", ONE, JSON),
        ("POST", f"{MODEL}/encode", b"", {"content-type": "multipart/form-data"}),
        ("PUT", f"{MODEL}/encode", b"", {}),
    ],
)
def test_an_endpoint_answers_the_same_behind_fastapi(
    server: Serving,
    by_fastapi: Serving,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
) -> None:
    with server.client() as one, by_fastapi.client() as other:
        hot = one.request(method, path, content=body, headers=headers)
        ordinary = other.request(method, path, content=body, headers=headers)
    assert shown(hot) == shown(ordinary)


@pytest.mark.parametrize("accept", ["*/*", NPY])
def test_an_upload_is_answered_the_same_behind_fastapi(
    server: Serving, by_fastapi: Serving, accept: str
) -> None:
    for content in (DRAWN, DRAWN[:200], file(Image.new("L", (100, 100))), file(drawing())):
        answers = []
        for one in (server, by_fastapi):
            with one.client() as client:
                asked = {"accept": accept}
                answers.append(client.post(f"{MODEL}/encode", files=upload(content), headers=asked))
        assert shown(answers[0]) == shown(answers[1])


@pytest.mark.parametrize("path", [TILE, f"{TILE}?v=other", IMAGE])
def test_a_cached_answer_is_the_whole_answer_that_was_made(fresh: Serving, path: str) -> None:
    with fresh.client() as client:
        made = client.get(path)
        misses = fresh.app.state.images.misses
        assert shown(client.get(path)) == shown(made)
        tag = made.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = client.get(path, headers={"if-none-match": known})
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
            assert answer.headers["cache-control"] == made.headers["cache-control"]
        assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
        assert fresh.app.state.images.misses == misses


def test_an_image_that_is_no_longer_kept_is_made_again() -> None:
    settings = Settings(models=(DEFAULT,), tile_cache_bytes=40_000)
    with serving(settings) as small, small.client() as client:
        first = client.get(TILE)
        for x in range(4):
            client.get(f"{MODEL}/planes/latent/tiles/3/{x}/1.png")
        misses = small.app.state.images.misses
        assert shown(client.get(TILE)) == shown(first)
        assert small.app.state.images.misses == misses + 1


def test_a_page_of_another_origin_that_may_read_is_told_so_each_time() -> None:
    settings = Settings(models=(DEFAULT,), cors_origins=(FOREIGN["origin"],))
    with serving(settings) as open_to, open_to.client() as client:
        for _ in range(2):
            answer = client.get(TILE, headers=FOREIGN)
            assert answer.headers["access-control-allow-origin"] == FOREIGN["origin"]
        assert "access-control-allow-origin" not in client.get(TILE).headers
        refused = client.post(f"{MODEL}/decode", content=b"{", headers={**JSON, **FOREIGN})
        assert refused.headers["access-control-allow-origin"] == FOREIGN["origin"]


def test_hot_routes_answer_under_a_root_path_with_and_without_it() -> None:
    settings = Settings(models=(DEFAULT,), root_path="/explorer")
    with serving(settings) as under, under.client() as client:
        answers = [client.get(path) for path in (TILE, f"/explorer{TILE}") for _ in range(2)]
        assert len({answer.content for answer in answers}) == 1
        assert {answer.status_code for answer in answers} == {200}
        decoded = [
            client.post(f"{path}{MODEL}/decode", content=ONE, headers=JSON)
            for path in ("", "/explorer")
        ]
        assert shown(decoded[0]) == shown(decoded[1])


def test_a_defect_is_answered_without_its_innards(
    fresh: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a defect")

    (served,) = fresh.registry.loaded
    served.batcher._forward = fail  # type: ignore[assignment]
    with fresh.client() as client:
        answers = [
            client.get(f"{MODEL}/decode.png?z=0.1,0.2"),
            client.post(f"{MODEL}/decode", content=ONE, headers=JSON),
            client.get(f"{MODEL}/planes/latent/tiles/8/3/3.png"),
        ]
    for answer in answers[:2]:
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "a defect" not in answer.text
    assert caplog.text.count("RuntimeError: a defect") == 2


def test_uploads_that_come_together_are_each_answered_for_itself(fresh: Serving) -> None:
    pictures = [png.encode(image) for image in images_of("mnist").images[:12]]
    pictures[5] = file(Image.new("L", (100, 100)))
    with fresh.client() as client, ThreadPoolExecutor(12) as threads:

        def ask(picture: bytes) -> httpx.Response:
            return client.post(f"{MODEL}/encode", files=upload(picture))

        alone = [ask(picture) for picture in pictures]
        together = list(threads.map(ask, pictures))
    assert [answer.status_code for answer in alone] == 5 * [200] + [422] + 6 * [200]
    for one, other in zip(alone, together, strict=True):
        assert one.content == other.content


def test_a_body_in_two_pieces_is_read_whole(server: Serving) -> None:
    answered = Event()

    def pieces() -> Iterator[bytes]:
        yield ONE[:9]
        with server.client() as other:
            assert other.get("/healthz").status_code == 200  # the server has turned since
        answered.set()
        yield ONE[9:]

    headers = {**JSON, "content-length": str(len(ONE))}
    with server.client() as client:
        whole = client.post(f"{MODEL}/decode", content=ONE, headers=JSON)
        parted = client.post(f"{MODEL}/decode", content=pieces(), headers=headers)
    assert answered.is_set()
    assert shown(parted) == shown(whole)


def test_the_log_names_the_client_of_a_trusted_proxy(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"x-forwarded-for": "203.0.113.7, 127.0.0.1", "x-request-id": "of-this-test"}
    for proxies, client_of in ((("127.0.0.1",), "203.0.113.7"), ((), "127.0.0.1")):
        caplog.clear()
        settings = Settings(models=(DEFAULT,), trusted_proxies=proxies)
        with caplog.at_level("INFO"), serving(settings) as behind, behind.client() as client:
            for path in (TILE, TILE, IMAGE):
                client.get(path, headers=headers)
            client.post(f"{MODEL}/decode", content=ONE, headers={**JSON, **headers})
        lines = [line for line in caplog.text.splitlines() if line.endswith("of-this-test")]
        assert len(lines) == 4
        assert all(f" {client_of} " in line for line in lines)


@pytest.mark.parametrize("forwarded", ["1.2.3.4 GET / 200", "<script>"])
def test_the_log_shows_nothing_of_a_forwarded_address_that_is_none(
    caplog: pytest.LogCaptureFixture, forwarded: str
) -> None:
    settings = Settings(models=(DEFAULT,))
    with caplog.at_level("INFO"), serving(settings) as behind, behind.client() as client:
        client.get(TILE, headers={"x-forwarded-for": forwarded, "x-request-id": "of-this-test"})
    (line,) = [line for line in caplog.text.splitlines() if line.endswith("of-this-test")]
    assert forwarded not in line
