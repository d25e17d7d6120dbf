import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import InvalidStatus

from app.gate.limits import Limits, Room
from app.server import http_protocol
from app.settings import Settings
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving

DECODE = f"/api/v1/models/{DEFAULT}/decode"
PNG = f"/api/v1/models/{DEFAULT}/decode.png?z=0,0"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Serving]:
    settings = Settings(
        models=(DEFAULT,),
        max_body_bytes=1000,
        max_connections=4,
        allowed_hosts=("127.0.0.1", "*.example.org"),
        allowed_origins=("https://notebook.example.org",),
        cors_origins=("https://notebook.example.org",),
    )
    with serving(settings) as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/healthz", PNG, "/nowhere", "/docs", "/static/icon.svg"])
def test_every_answer_carries_the_policy_of_the_page(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' data:")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers


def test_a_body_up_to_the_limit_is_read(guarded: Serving) -> None:
    body = b'{"latents": [[0, 0]]}'.ljust(1000)
    with guarded.client() as client:
        answer = client.post(DECODE, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", [DECODE, f"/api/v1/models/{DEFAULT}/encode", "/nowhere", "/"])
def test_a_body_above_the_limit_is_refused_on_any_route(
    guarded: Serving, refused: Refused, path: str
) -> None:
    with guarded.client() as client:
        assert "1000 bytes" in refused(client.post(path, content=b"x" * 1001), 413)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b"])
def test_a_body_without_a_stated_length_is_counted_as_it_comes(
    guarded: Serving, refused: Refused, kind: str
) -> None:
    def endless() -> Iterator[bytes]:
        yield b"--b\r\n" if "form" in kind else b"["
        for _ in range(300):
            yield b" " * 1000

    path = f"/api/v1/models/{DEFAULT}/encode"
    with guarded.client() as client:
        response = client.post(path, content=endless(), headers={"content-type": kind})
        assert "1000 bytes" in refused(response, 413)


@pytest.mark.parametrize("piece", [b"0,", b"[[0]],", b'{"a":', b"[" * 500 + b"]" * 500 + b","])
def test_json_of_very_many_values_is_refused_before_it_is_parsed(
    client: httpx.Client, refused: Refused, piece: bytes
) -> None:
    body = b'{"latents": [' + piece * (15_000_000 // len(piece)) + b"0]}"
    answer = client.post(DECODE, content=body, headers={"content-type": "application/json"})
    assert "200000 values" in refused(answer, 413)


def test_values_are_counted_if_the_first_of_two_media_types_is_json(
    client: httpx.Client, refused: Refused
) -> None:
    body = b'{"latents": [' + b"0," * 300_000 + b"0]}"
    kinds = [("content-type", "application/json"), ("content-type", "text/plain")]
    assert "200000 values" in refused(client.post(DECODE, content=body, headers=kinds), 413)


def test_a_stated_length_that_is_a_lie_does_not_open_the_limit(guarded: Serving) -> None:
    host, port = guarded.host.split(":")
    head = f"POST {DECODE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def answer_of(receive: Receive, route: object) -> list[Message]:
    """What `Limits` sends for a POST that may take a twentieth of a second."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    app = Limits(route, Room(1), max_body_bytes=9, timeout_seconds=0.05)  # type: ignore[arg-type]
    asyncio.run(app(scope, receive, send))
    return sent


def test_a_body_that_never_ends_is_given_up() -> None:
    parts = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> Message:
        return next(parts, None) or await never()

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            await receive()

    start, body = answer_of(receive, route)
    assert start["status"] == 408
    assert b"did not arrive within 0.05 seconds" in body["body"]


def test_an_answer_that_never_comes_is_given_up() -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await never()

    start, _ = answer_of(receive, route)
    assert start["status"] == 503
    assert (b"retry-after", b"1") in start["headers"]


def test_an_answer_that_has_begun_may_take_its_time() -> None:
    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.1)  # twice the limit: the point of the test
        await send({"type": "http.response.body", "body": b"late"})

    assert [message.get("body") for message in answer_of(never, route)] == [None, b"late"]


def test_a_full_server_refuses_more_but_answers_its_probes(
    guarded: Serving, refused: Refused
) -> None:
    with ExitStack() as streams, guarded.client() as client:
        for _ in range(4):
            streams.enter_context(guarded.stream())
        response = client.get(PNG)
        refused(response, 503)
        assert response.headers["retry-after"] == "1"
        with pytest.raises(InvalidStatus, match="503"), guarded.stream():
            pass
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
    with guarded.client() as client, guarded.stream():
        assert client.get(PNG).status_code == 200


def test_requests_whose_body_is_awaited_fill_the_server_too(
    guarded: Serving, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "BODY_SECONDS", 0.01)
    head = f"POST {DECODE} HTTP/1.1\r\nHost: {guarded.host}\r\nContent-Length: 20\r\n"
    head += "Content-Type: application/json\r\n\r\n"
    name, _, port = guarded.host.partition(":")
    with ExitStack() as waiting, guarded.client() as client:
        for _ in range(4):
            connection = waiting.enter_context(socket.create_connection((name, int(port))))
            connection.sendall(head.encode())
        for _ in range(100):
            response = client.get(PNG)
            if response.status_code == 503:
                break
        refused(response, 503)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:80", 200),
        ("a.example.org", 200),
        ("A.Example.ORG:8000", 200),
        ("example.org", 421),
        ("evil.test", 421),
        ("a.example.org.evil.test", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_only_the_allowed_hosts_are_answered_for(
    guarded: Serving, refused: Refused, host: str, status: int
) -> None:
    with guarded.client() as client:
        response = client.get("/api/v1/models", headers={"host": host})
    if status == 200:
        assert response.status_code == 200
    else:
        refused(response, status)


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_a_probe_is_answered_under_whatever_host_it_comes_by(guarded: Serving, probe: str) -> None:
    with guarded.client() as client:
        assert client.get(probe, headers={"host": "10.0.0.7:8000"}).status_code == 200


def test_by_default_any_host_is_answered_for(client: httpx.Client) -> None:
    assert client.get("/api/v1/models", headers={"host": "any.test"}).status_code == 200


def status_of_stream(server: Serving, origin: str | None) -> int:
    try:
        with server.stream(origin=origin) as stream:
            assert stream.response is not None
            return stream.response.status_code
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_a_stream_opens_for_the_own_origin_and_for_none_and_for_no_foreign_one(
    server: Serving,
) -> None:
    assert status_of_stream(server, None) == 101
    assert status_of_stream(server, f"http://{server.host}") == 101
    for origin in (
        "https://evil.test",
        f"http://{server.host}.evil.test",
        "null",
        "http://127.0.0.1",
    ):
        assert status_of_stream(server, origin) == 403


def test_a_stream_opens_for_the_origins_that_the_operator_allows(guarded: Serving) -> None:
    assert status_of_stream(guarded, "https://notebook.example.org") == 101
    assert status_of_stream(guarded, "http://notebook.example.org") == 403


def test_other_sites_may_read_the_api_only_where_the_operator_says_so(
    client: httpx.Client, guarded: Serving
) -> None:
    origin = {"origin": "https://notebook.example.org"}
    assert "access-control-allow-origin" not in client.get("/api/v1/models", headers=origin).headers
    with guarded.client() as other:
        allowed = other.get("/api/v1/models", headers=origin).headers
        assert allowed["access-control-allow-origin"] == "https://notebook.example.org"
        asking = {**origin, "access-control-request-method": "POST"}
        asking["access-control-request-headers"] = "content-type"
        assert other.options(DECODE, headers=asking).status_code == 200
        foreign = other.get("/api/v1/models", headers={"origin": "https://evil.test"}).headers
        assert "access-control-allow-origin" not in foreign
