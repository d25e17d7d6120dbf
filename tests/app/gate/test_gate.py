"""What every request passes, on any route."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import InvalidStatus

from app.gate.gate import Gate
from app.settings import Settings
from app.telemetry.access_log import AccessLog
from app.telemetry.counters import Counters
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving

DECODE = f"/api/v1/models/{DEFAULT}/decode"
PNG = f"/api/v1/models/{DEFAULT}/decode.png?z=0,0"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Serving]:
    with serving(Settings(models=(DEFAULT,), max_connections=4)) as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/healthz", PNG, "/nowhere", "/docs", "/static/icon.svg"])
def test_every_answer_carries_the_policy_of_the_page(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' data:")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].endswith("frame-ancestors 'self'")
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/healthz",
        "/api/v1/models",
        PNG,
        "/api/v1/datasets/mnist/images/0.png",
        f"/api/v1/models/{DEFAULT}/planes/latent/tiles/1/0/1.png",
        "/static/js/main.js",
        "/docs",
        "/nowhere",
        "/v2/nowhere",
    ],
)
def test_head_answers_as_get_does_without_the_body(client: httpx.Client, path: str) -> None:
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers.get(name) == get.headers.get(name)


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def answer_of(receive: Receive, route: object) -> list[Message]:
    """Return what the gate sends for a POST that may take a twentieth of a second."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "http_version": "1.1",
        "headers": [(b"host", b"x")],
    }
    settings = Settings(request_timeout_seconds=0.05)
    gate = Gate(route, settings, AccessLog(Counters(), "text"), {})  # type: ignore[arg-type]
    asyncio.run(gate(scope, receive, send))
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


@pytest.mark.parametrize("watches", [False, True], ids=["working", "watching for a disconnect"])
def test_an_answer_that_never_comes_is_given_up(watches: bool) -> None:
    parts = iter([{"type": "http.request", "body": b"{}", "more_body": False}])

    async def receive() -> Message:
        return next(parts, None) or await never()

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await (receive() if watches else never())

    start, _ = answer_of(receive, route)
    assert start["status"] == 503
    assert (b"retry-after", b"1") in start["headers"]


def test_an_answer_that_has_begun_may_take_its_time() -> None:
    late = asyncio.Event()

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        loop = asyncio.get_running_loop()
        loop.call_later(0.1, late.set)  # twice the limit: the point of the test
        await late.wait()
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
    guarded: Serving, refused: Refused
) -> None:
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
    ("head", "status"),
    [
        ("GET /healthz HTTP/1.1\r\nHost: x\r\n", b"200"),
        ("GET /healthz HTTP/1.0\r\n", b"200"),
        ("GET /healthz HTTP/1.1\r\n", b"400"),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n", b"400"),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nA: 1\r\nA: 2\r\n", b"200"),
    ],
)
def test_a_request_names_one_host(server: Serving, head: str, status: bytes) -> None:
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(f"{head}\r\n".encode())
        assert connection.recv(100).split()[1] == status


def test_refusals_have_the_form_that_their_path_asks_for(guarded: Serving) -> None:
    with ExitStack() as streams, guarded.client() as client:
        for _ in range(4):
            streams.enter_context(guarded.stream())
        problem, error = client.get("/api/v1/models"), client.get("/v2/models/none")
    assert problem.status_code == error.status_code == 503
    assert problem.headers["content-type"] == "application/problem+json"
    assert error.headers["content-type"] == "application/json"
    assert error.json() == {"error": problem.json()["detail"]}


def test_a_request_may_name_its_id_unless_a_log_could_not_bear_it(client: httpx.Client) -> None:
    given = "trace-1.2_x"
    assert client.get(PNG, headers={"x-request-id": given}).headers["x-request-id"] == given
    for bad in ("a b", "", "x" * 65, "<i>"):
        assert client.get(PNG, headers={"x-request-id": bad}).headers["x-request-id"] != bad
