import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from app.gate.limits import SMALL_BODY
from app.settings import Settings
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving
from tools.node import get as node_and_npm

DECODE = f"/api/v1/models/{DEFAULT}/decode"
LIMIT = SMALL_BODY + 1000


@pytest.fixture(scope="module")
def guarded() -> Iterator[Serving]:
    settings = Settings(models=(DEFAULT,), max_body_bytes=LIMIT, max_bodies_bytes=2 * LIMIT)
    with serving(settings) as running:
        yield running


def test_a_body_up_to_the_limit_is_read(guarded: Serving) -> None:
    body = b'{"latents": [[0, 0]]}'.ljust(LIMIT)
    with guarded.client() as client:
        answer = client.post(DECODE, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", [DECODE, f"/api/v1/models/{DEFAULT}/encode", "/nowhere", "/"])
def test_a_body_above_the_limit_is_refused_on_any_route(
    guarded: Serving, refused: Refused, path: str
) -> None:
    with guarded.client() as client:
        assert f"{LIMIT} bytes" in refused(client.post(path, content=b"x" * (LIMIT + 1)), 413)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b"])
def test_a_body_without_a_stated_length_is_counted_as_it_comes(
    guarded: Serving, refused: Refused, kind: str
) -> None:
    def endless() -> Iterator[bytes]:
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield part if "form" in kind else b"["
        for _ in range(300):
            yield b" " * 1000

    path = f"/api/v1/models/{DEFAULT}/encode"
    with guarded.client() as client:
        response = client.post(path, content=endless(), headers={"content-type": kind})
        assert f"{LIMIT} bytes" in refused(response, 413)


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


def test_a_small_limit_holds_as_well(refused: Refused) -> None:
    settings = Settings(models=(DEFAULT,), max_body_bytes=100)
    with serving(settings) as strict, strict.client() as client:
        for content in (b" " * 101, iter([b" " * 101])):
            kind = {"content-type": "application/json"}
            answer = client.post(DECODE, content=content, headers=kind)
            assert "100 bytes" in refused(answer, 413)


def test_all_bodies_in_flight_together_are_bounded_and_the_bound_is_freed(
    guarded: Serving, refused: Refused
) -> None:
    host, port = guarded.host.split(":")
    head = (
        f"POST {DECODE} HTTP/1.1\r\nHost: {guarded.host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {LIMIT}\r\n\r\n"
    ).encode()
    body = b'{"latents": [[0, 0]]}'.ljust(LIMIT)
    kind = {"content-type": "application/json"}
    bodies = guarded.app.gate.bodies
    with ExitStack() as stalled, guarded.client() as client:
        for number in (1, 2):
            connection = stalled.enter_context(socket.create_connection((host, int(port)), 20))
            connection.sendall(head + body[:-1])
            while bodies.held < number * (LIMIT - 1):
                client.get("/healthz")
        answer = client.post(DECODE, content=body, headers=kind)
        assert "EXPLORER_MAX_BODIES_BYTES" in refused(answer, 503)
        assert answer.headers["retry-after"] == "5"
        small = client.post(DECODE, content=body.rstrip(), headers=kind)
        assert small.status_code == 200, "a small body passes all the same"
    with guarded.client() as client:
        while bodies.held:
            client.get("/healthz")
        assert client.post(DECODE, content=body, headers=kind).status_code == 200


def test_an_object_of_very_many_fields_is_refused_before_it_is_validated(
    client: httpx.Client, refused: Refused
) -> None:
    many = ",".join(f'"{number}":0' for number in range(199_990))
    for route in ("decode", "sample", "interpolate", "encode"):
        answer = client.post(
            f"/api/v1/models/{DEFAULT}/{route}",
            content=f"{{{many}}}",
            headers={"content-type": "application/json"},
        )
        assert "fields" in refused(answer, 413)
        assert len(answer.content) < 1000


def test_at_most_ten_invalid_fields_are_told_of(client: httpx.Client, refused: Refused) -> None:
    fields = {str(number): 0 for number in range(900)}
    for route in ("decode", "sample"):
        answer = client.post(f"/api/v1/models/{DEFAULT}/{route}", json=fields)
        refused(answer, 422)
        assert len(answer.json()["errors"]) == 10


UPLOAD = """
const [address, bytes] = process.argv.slice(1);
for (let times = 0; times < 6; times += 1) {
  const answer = await fetch(address, { method: "POST", body: new Uint8Array(Number(bytes)) });
  console.log(answer.status, (await answer.json()).title);
}
"""


def test_a_client_that_sends_on_gets_to_read_that_its_body_is_too_large(guarded: Serving) -> None:
    """By Node's fetch, which loses an answer when the connection is cut while it sends."""
    node, _ = node_and_npm()
    address = f"http://{guarded.host}{DECODE}"
    command = [node, "--input-type=module", "-e", UPLOAD, address, str(40_000_000)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines() == ["413 Body too large"] * 6, done.stderr


def test_a_client_that_asked_whether_to_send_is_answered_before_it_does(guarded: Serving) -> None:
    host, port = guarded.host.split(":")
    with socket.create_connection((host, int(port)), 20) as opened:
        head = f"POST {DECODE} HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n"
        opened.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert opened.makefile("rb").read().startswith(b"HTTP/1.1 413 ")
