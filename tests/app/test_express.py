"""The express lane: to a client there is no difference."""

import gc
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.types import Receive, Scope, Send

from app.formats import png
from app.server import http_protocol
from app.settings import Settings
from model.engine import test_set as images_of
from tests.app.live_server import DEFAULT, Serving, serving
from tests.app.pictures import bomb, drawing, file

MODEL = f"/api/v1/models/{DEFAULT}"
TILE = f"{MODEL}/planes/latent/tiles/3/2/5.png"
IMAGE = f"{MODEL}/decode.png?z=0.25,-1&size=140"
ONE = b'{"latents": [[0.5, -1.25]]}'
JSON = {"content-type": "application/json"}
FOREIGN = {"origin": "https://elsewhere.example"}
"""Which makes a request go the ordinary way."""


DRAWN = file(drawing((150, 150)))


def upload(content: bytes) -> dict[str, tuple[str, bytes]]:
    return {"file": ("drawing.png", content)}


@pytest.fixture(params=[{}, {"http": "httptools"}], ids=["ours", "another server"])
def fresh(request: pytest.FixtureRequest) -> Iterator[Serving]:
    with serving(Settings(models=(DEFAULT,)), **request.param) as running:
        yield running


def test_few_requests_reach_fastapi(fresh: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[str] = []
    ordinary = FastAPI.__call__

    async def note(app: FastAPI, scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])
        await ordinary(app, scope, receive, send)

    monkeypatch.setattr(FastAPI, "__call__", note)
    many = {"latents": [[0, 0]] * 100}
    file = io.BytesIO()
    np.save(file, np.zeros((100, 2)))
    npy = {"content-type": "application/x-npy", "accept": "application/x-npy"}
    form = httpx.Request("POST", "http://any", files=upload(DRAWN))
    form.read()  # lest it goes in pieces
    with fresh.client() as client:
        for _ in range(3):
            client.get(TILE)
            client.get(IMAGE)
            client.post(f"{MODEL}/decode", content=ONE, headers=JSON)
            client.post(f"{MODEL}/decode", json=many, headers={"accept": "application/x-npy"})
            client.post(f"{MODEL}/decode", content=file.getvalue(), headers=npy)
            few = client.post(f"{MODEL}/decode", json={"latents": [[0, 0]] * 5})
            assert few.headers["content-encoding"] == "gzip"
            for accept in ("*/*", "application/x-npy"):
                kind = {"content-type": form.headers["content-type"], "accept": accept}
                client.post(f"{MODEL}/encode", content=form.content, headers=kind)
        assert reached == []
        client.get("/healthz")
    assert reached == ["/healthz"]


def shown(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """All of an answer but what differs between any two."""
    passing = ("date", "x-request-id")
    headers = {name: value for name, value in answer.headers.items() if name not in passing}
    return answer.status_code, headers, answer.content


def express(serving: Serving) -> int:
    """How many answers are on the rack."""
    return len(serving.app.state.rack.answers)


@pytest.mark.parametrize("path", [TILE, f"{TILE}?v=other", IMAGE])
def test_what_is_at_hand_is_the_whole_answer_that_was_made(fresh: Serving, path: str) -> None:
    with fresh.client() as client:
        made = client.get(path)
        assert shown(client.get(path)) == shown(made)
        assert express(fresh) == 1
        assert shown(client.get(path)) == shown(made)
        assert shown(client.get(path, headers=FOREIGN)) == shown(made)


def test_what_has_not_changed_is_said_in_the_same_way(fresh: Serving) -> None:
    with fresh.client() as client:
        client.get(TILE)
        tag = client.get(TILE).headers["etag"]
        assert express(fresh) == 1
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            asked = {"if-none-match": known}
            quick = client.get(TILE, headers=asked)
            assert quick.status_code == 304
            assert shown(quick) == shown(client.get(TILE, headers={**asked, **FOREIGN}))
        assert client.get(TILE, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_picture_that_is_no_longer_kept_is_made_again() -> None:
    settings = Settings(models=(DEFAULT,), tile_cache_bytes=40_000)
    with serving(settings) as small, small.client() as client:
        first = client.get(TILE)
        client.get(TILE)
        assert express(small) == 1
        for x in range(4):
            client.get(f"{MODEL}/planes/latent/tiles/3/{x}/1.png")
        assert shown(client.get(TILE)) == shown(first)


def test_a_head_has_the_headers_and_no_body(fresh: Serving) -> None:
    with fresh.client() as client:
        client.get(TILE)
        head = client.head(TILE)
        assert (head.status_code, head.content) == (200, b"")
        assert shown(head)[1] == shown(client.get(TILE))[1]


def test_a_host_that_is_not_ours_is_refused_there_too() -> None:
    settings = Settings(models=(DEFAULT,), allowed_hosts=("127.0.0.1",))
    with serving(settings) as strict, strict.client() as client:
        assert client.get(TILE).status_code == client.get(TILE).status_code == 200
        for path in (TILE, IMAGE):
            assert client.get(path, headers={"host": "evil.example"}).status_code == 421
        asked = {**JSON, "host": "evil.example"}
        assert client.post(f"{MODEL}/decode", content=ONE, headers=asked).status_code == 421


def test_another_site_that_may_read_is_told_so_each_time() -> None:
    settings = Settings(models=(DEFAULT,), cors_origins=(FOREIGN["origin"],))
    with serving(settings) as open_to, open_to.client() as client:
        for _ in range(2):
            answer = client.get(TILE, headers=FOREIGN)
            assert answer.headers["access-control-allow-origin"] == FOREIGN["origin"]
        assert "access-control-allow-origin" not in client.get(TILE).headers


def test_under_a_sub_path_it_works_with_and_without_the_path() -> None:
    settings = Settings(models=(DEFAULT,), root_path="/explorer")
    with serving(settings) as under, under.client() as client:
        answers = [client.get(path) for path in (TILE, f"/explorer{TILE}") for _ in range(2)]
        assert len({answer.content for answer in answers}) == 1
        decoded = [
            client.post(f"{path}{MODEL}/decode", content=ONE, headers=JSON)
            for path in ("", "/explorer")
        ]
        assert shown(decoded[0]) == shown(decoded[1])


@pytest.mark.parametrize(
    "query",
    ["z=0.75,-0.5", "z=1e2,0&size=28", "z=NaN,0", "z=1", "", "z=0,0&size=5", "size=100&z=9999,-3"],
)
def test_a_picture_of_a_new_latent_is_the_same_either_way(fresh: Serving, query: str) -> None:
    path = f"{MODEL}/decode.png?{query}"
    with fresh.client() as client:
        quick = client.get(path)
        assert shown(quick) == shown(client.get(path, headers=FOREIGN))
        assert shown(quick) == shown(client.get(path))
        assert express(fresh) == (quick.status_code == 200)


def test_a_defect_is_told_of_there_too(fresh: Serving) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a defect")

    (served,) = fresh.registry.loaded
    served.batcher._forward = fail  # type: ignore[assignment]
    with fresh.client() as client:
        answers = [
            client.get(f"{MODEL}/decode.png?z=0.1,0.2"),
            client.post(f"{MODEL}/decode", content=ONE, headers=JSON),
        ]
    for answer in answers:
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "a defect" not in answer.text


@pytest.mark.parametrize("number", ["0.5", "-3", "1e3", "5e-324", "9999.5"])
def test_a_decode_of_one_latent_is_the_same_either_way(server: Serving, number: str) -> None:
    body = f'{{"latents": [[{number}, 0.25]]}}'.encode()
    with server.client() as client:
        quick = client.post(f"{MODEL}/decode", content=body, headers=JSON)
        ordinary = client.post(f"{MODEL}/decode", content=body, headers={**JSON, **FOREIGN})
    assert quick.status_code == 200
    assert shown(quick) == shown(ordinary)


@pytest.mark.parametrize("count", [2, 8, 9, 200])
@pytest.mark.parametrize("accept", ["*/*", "application/x-npy", "application/octet-stream"])
def test_a_decode_of_several_is_the_same_either_way(
    server: Serving, count: int, accept: str
) -> None:
    latents = np.random.default_rng(count).normal(size=(count, 2)).tolist()
    for encoding in ("gzip", "identity"):
        asked = {"accept": accept, "accept-encoding": encoding}
        with server.client() as client:
            quick, ordinary = (
                client.post(f"{MODEL}/decode", json={"latents": latents}, headers=asked | more)
                for more in ({}, FOREIGN)
            )
        assert quick.status_code == 200
        assert shown(quick) == shown(ordinary)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[[0, 0]]",
        b'{"latents": []}',
        b'{"latents": [[0]]}',
        b'{"latents": [[0, 0, 0]]}',
        b'{"latents": [[true, 0]]}',
        b'{"latents": [["0", 0]]}',
        b'{"latents": [[NaN, 0]]}',
        b'{"latents": [[1e999, 0]]}',
        b'{"latents": [[20000, 0]]}',
        b'{"latents": [[1' + b"0" * 400 + b", 0]]}",
        b'{"latents": [[0, 0]], "size": 28}',
        b'{"latents": [[0, 0]]} x',
        b"\xff" + ONE,
        b'{"latents": ' + b"[" * 900,
    ],
)
def test_what_would_be_refused_is_refused_in_the_same_words(server: Serving, body: bytes) -> None:
    with server.client() as client:
        quick = client.post(f"{MODEL}/decode", content=body, headers=JSON)
        ordinary = client.post(f"{MODEL}/decode", content=body, headers={**JSON, **FOREIGN})
    assert 400 <= quick.status_code < 500
    assert shown(quick) == shown(ordinary)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({**JSON, "accept": "image/png"}, 200),
        ({**JSON, "accept": "text/html"}, 406),
    ],
)
def test_a_decode_that_asks_for_something_else_goes_the_ordinary_way(
    server: Serving, headers: dict[str, str], status: int
) -> None:
    with server.client() as client:
        answer = client.post(f"{MODEL}/decode", content=ONE, headers=headers)
    assert answer.status_code == status
    if headers.get("accept") == "image/png":
        assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("model", ["none", "mnist-vqvae"])
def test_a_model_that_cannot_decode_is_refused_as_ever(server: Serving, model: str) -> None:
    with server.client() as client:
        answer = client.post(f"/api/v1/models/{model}/decode", content=ONE, headers=JSON)
    assert answer.status_code in (404, 409)


@pytest.mark.parametrize("accept", ["*/*", "application/x-npy"])
@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(DRAWN, 200, id="light on dark"),
        pytest.param(file(drawing((150, 150), ink=0, paper=255)), 200, id="dark on light"),
        pytest.param(file(drawing((150, 150), (0, 255), (0, 0), "LA")), 200, id="transparent"),
        pytest.param(png.encode(images_of("mnist").images[7]), 200, id="of the data set"),
        pytest.param(file(drawing()), 200, id="large"),
        pytest.param(file(drawing((150, 150)), "JPEG"), 200, id="JPEG"),
        pytest.param(file(Image.new("L", (100, 100))), 422, id="blank"),
        pytest.param(DRAWN[:200], 422, id="cut"),
        pytest.param(DRAWN[:20], 422, id="cut in its head"),
        pytest.param(b"", 422, id="empty"),
        pytest.param(bomb(), 422, id="bomb"),
    ],
)
def test_an_upload_is_answered_the_same_either_way(
    server: Serving, content: bytes, status: int, accept: str
) -> None:
    for encoding in ("gzip", "identity"):
        asked = {"accept": accept, "accept-encoding": encoding}
        with server.client() as client:
            quick, ordinary = (
                client.post(f"{MODEL}/encode", files=upload(content), headers=asked | more)
                for more in ({}, FOREIGN)
            )
        assert quick.status_code == status
        assert shown(quick) == shown(ordinary)


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


@pytest.mark.parametrize(
    ("content", "max_queue", "statuses"),
    [
        pytest.param(DRAWN, 8192, {200}, id="well"),
        pytest.param(file(Image.new("L", (100, 100))), 8192, {422}, id="blank"),
        pytest.param(DRAWN, 1, {200, 503}, id="too much"),
    ],
)
def test_nothing_is_left_of_an_upload_that_was_answered(
    content: bytes, max_queue: int, statuses: set[int]
) -> None:
    form = httpx.Request("POST", "http://any", files=upload(content))
    body, kind = form.read(), {"content-type": form.headers["content-type"]}
    settings = Settings(models=(DEFAULT,), max_queue=max_queue)
    with (
        serving(settings) as server,
        server.client() as client,
        ThreadPoolExecutor(16) as threads,
    ):

        def ask(_: int) -> int:
            return client.post(f"{MODEL}/encode", content=body, headers=kind).status_code

        gc.collect()
        gc.disable()
        try:
            assert set(threads.map(ask, range(120))) == statuses
            client.post(f"{MODEL}/encode", files=upload(DRAWN))
            left = [one for one in gc.get_objects() if type(one).__name__ == "_Upload"]
            assert len(left) <= 1
        finally:
            gc.enable()


@pytest.mark.parametrize("pause", [0, 0.1])
def test_a_body_in_two_pieces_is_read_whole(
    server: Serving, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    """With a pause, the second comes when the express lane waits for it no longer."""
    monkeypatch.setattr(http_protocol, "BODY_SECONDS", 0.01)

    def pieces() -> Iterator[bytes]:
        yield ONE[:9]
        sleep(pause)
        yield ONE[9:]

    headers = {**JSON, "content-length": str(len(ONE))}
    with server.client() as client:
        whole = client.post(f"{MODEL}/decode", content=ONE, headers=JSON)
        parted = client.post(f"{MODEL}/decode", content=pieces(), headers=headers)
    assert shown(parted) == shown(whole)


def test_what_waits_for_too_long_is_refused_there_too() -> None:
    settings = Settings(models=(DEFAULT,), max_queue=1)
    many = {"latents": [[0, 0]] * 1024}
    npy = {"accept": "application/x-npy"}
    with serving(settings) as small, small.client() as client, ThreadPoolExecutor(8) as threads:

        def ask(_: int) -> httpx.Response:
            return client.post(f"{MODEL}/decode", json=many, headers=npy)

        statuses = [answer.status_code for answer in threads.map(ask, range(64))]
        assert set(statuses) == {200, 503}
        assert ask(0).status_code == 200


def test_what_is_not_ready_in_time_is_refused_in_the_same_words() -> None:
    settings = Settings(models=(DEFAULT,), request_timeout_seconds=1.0)
    begun, let_go = Event(), Event()

    def encode(_: object) -> None:
        begun.set()
        let_go.wait()
        raise ValueError("enough")

    with serving(settings) as slow, slow.client() as client, ThreadPoolExecutor(1) as thread:
        (served,) = slow.registry.loaded
        served.engine.encode = encode  # type: ignore[assignment, method-assign]
        blank = {"images": [[[0.0] * 28] * 28]}
        busy = thread.submit(client.post, f"{MODEL}/encode", json=blank)
        begun.wait()
        answers = [
            client.post(f"{MODEL}/decode", content=ONE, headers={**JSON, **more})
            for more in ({}, FOREIGN)
        ]
        let_go.set()
        assert busy.result().status_code == 503
        assert [answer.status_code for answer in answers] == [503, 503]
        assert shown(answers[0]) == shown(answers[1])
        assert client.post(f"{MODEL}/decode", content=ONE, headers=JSON).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_bound_is_refused_there_too(chunked: bool) -> None:
    body = b'{"latents": [[0, 0]]}' + b" " * 200
    settings = Settings(models=(DEFAULT,), max_body_bytes=100)
    with serving(settings) as strict, strict.client() as client:
        content = iter([body]) if chunked else body
        answer = client.post(f"{MODEL}/decode", content=content, headers=JSON)
    assert answer.status_code == 413


def test_a_long_target_is_not_remembered(fresh: Serving) -> None:
    with fresh.client() as client:
        for _ in range(3):
            assert client.get(f"{IMAGE}&more={'x' * 1000}").status_code == 200
    assert express(fresh) == 0


def test_the_log_names_the_client_of_a_proxy_that_is_believed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers = {"x-forwarded-for": "203.0.113.7, 127.0.0.1"}
    for proxies, client_of in ((("127.0.0.1",), "203.0.113.7"), ((), "127.0.0.1")):
        caplog.clear()
        settings = Settings(models=(DEFAULT,), trusted_proxies=proxies)
        with caplog.at_level("INFO"), serving(settings) as behind, behind.client() as client:
            for path in (TILE, TILE, TILE, IMAGE):
                client.get(path, headers=headers)
            client.post(f"{MODEL}/decode", content=ONE, headers={**JSON, **headers})
        lines = [line for line in caplog.text.splitlines() if "/api/v1/models/{model}/" in line]
        assert len(lines) == 5
        assert all(f" {client_of} " in line for line in lines)


def test_the_express_lane_counts_and_names_its_requests_too(fresh: Serving) -> None:
    def counted(route: str, method: str) -> float:
        wanted = (f'method="{method}"', f'route="{route}"', 'status="2xx"')
        found = [
            float(line.rsplit(" ", 1)[1])
            for line in client.get("/metrics").text.splitlines()
            if line.startswith("explorer_requests_total") and all(part in line for part in wanted)
        ]
        return sum(found)

    routes = {
        ("/api/v1/models/{model}/planes/{plane}/tiles/{zoom}/{x}/{y}.png", "GET"): TILE,
        ("/api/v1/models/{model}/decode", "POST"): f"{MODEL}/decode",
    }
    with fresh.client() as client:
        for (route, method), path in routes.items():
            content = ONE if method == "POST" else None
            for _ in range(3):
                answer = client.request(
                    method, path, content=content, headers={**JSON, "x-request-id": "mine"}
                )
                assert answer.headers["x-request-id"] == "mine"
            assert counted(route, method) == 3


def test_the_rack_forgets_the_oldest_answer_first(
    fresh: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.serving.response_cache.MOST", 3)
    with fresh.client() as client:
        for x in 2 * [*range(5)]:  # whoever asks a second time has it kept
            client.get(f"{MODEL}/planes/latent/tiles/3/{x}/1.png")
        assert express(fresh) == 3
