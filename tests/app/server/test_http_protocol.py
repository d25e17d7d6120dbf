"""What a client can do to a connection: send by drips or without end, pipeline, read nothing."""

import json
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from app.http.security_headers import security_headers
from app.server import http_protocol
from app.settings import Settings
from tests.app.live_server import DEFAULT, Serving, serving

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
PATIENCE = 20


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with pytest.MonkeyPatch.context() as patch, serving(Settings(), 4096) as running:
        patch.setattr(http_protocol, "HEAD_SECONDS", PATIENCE)
        patch.setattr(http_protocol, "READ_SECONDS", 0.5)
        yield running


@pytest.fixture
def hasty(server: Serving, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """The server while it waits for heads for half a second alone."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.5)
    return server


def open_socket(server: Serving, receive_buffer: int | None = None) -> socket.socket:
    host, port = server.host.split(":")
    opened = socket.socket()
    opened.settimeout(PATIENCE)
    if receive_buffer:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    opened.connect((host, int(port)))
    return opened


def read_all(opened: socket.socket) -> bytes:
    """Read until the server closes."""
    parts = []
    while part := opened.recv(65536):
        parts.append(part)
    return b"".join(parts)


def read_what_is_left(opened: socket.socket) -> bytes:
    """Read what came before the server cut the connection."""
    parts = []
    try:
        while part := opened.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def expect_problem(answer: bytes, status: int) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].split()[:2] == ["HTTP/1.1", str(status)]
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    assert {name.lower() for name in security_headers()} <= set(headers)
    problem = json.loads(body)
    assert problem["status"] == status
    return str(problem["detail"])


@pytest.mark.parametrize("sent", [b"G", b"GET /healthz HTTP/1.1\r\n", HEAD, HEAD + b"X-Half: "])
def test_a_head_that_does_not_come_to_its_end_is_refused(hasty: Serving, sent: bytes) -> None:
    with open_socket(hasty) as opened:
        opened.sendall(sent)
        assert "did not arrive" in expect_problem(read_all(opened), 408)


def test_drips_do_not_put_the_deadline_off(hasty: Serving) -> None:
    with open_socket(hasty) as opened:
        opened.sendall(HEAD)
        opened.settimeout(0.05)
        answer = b""
        for _ in range(20 * PATIENCE):
            try:
                answer = opened.recv(65536)
                opened.settimeout(PATIENCE)
                answer += read_what_is_left(opened)
                break
            except TimeoutError:
                opened.sendall(b"X-Drip: 1\r\n")
        assert "did not arrive" in expect_problem(answer, 408)


def test_the_second_request_of_a_connection_has_a_deadline_too(hasty: Serving) -> None:
    with open_socket(hasty) as opened:
        opened.sendall(HEAD + b"\r\n")
        assert [status for status, _ in answers(opened, 1)] == [200]
        opened.sendall(HEAD)
        assert "did not arrive" in expect_problem(read_all(opened), 408)


def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word(hasty: Serving) -> None:
    with open_socket(hasty) as opened:
        assert read_all(opened) == b""


def test_a_connection_on_which_nothing_more_is_asked_is_closed_after_a_while() -> None:
    with serving(Settings(), timeout_keep_alive=2) as short, open_socket(short) as opened:
        for _ in range(3):
            opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert [status for status, _ in answers(opened, 1)] == [200]
        assert read_all(opened) == b""


def test_a_head_without_end_is_refused(server: Serving) -> None:
    line = b"X-Long: %s\r\n" % (b"a" * 1000)
    bound = http_protocol.HEAD_BYTES + http_protocol.SLICE_BYTES
    with open_socket(server) as opened:
        opened.sendall(HEAD + line * (bound // len(line) + 1))
        assert str(http_protocol.HEAD_BYTES) in expect_problem(read_what_is_left(opened), 431)


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01", b"HELO x\r\n\r\n", b"GET\r\n\r\n"])
def test_what_is_no_http_is_refused_with_a_problem(server: Serving, sent: bytes) -> None:
    with open_socket(server) as opened:
        opened.sendall(sent)
        assert "no HTTP" in expect_problem(read_all(opened), 400)


def test_a_client_that_reads_no_answer_is_cut(server: Serving) -> None:
    body = json.dumps({"count": 1024, "seed": 1}).encode()
    request = (
        f"POST /api/v1/models/{DEFAULT}/sample HTTP/1.1\r\nHost: x\r\nAccept: application/x-npy\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    requests = 12  # more than the kernel takes in on its way
    with open_socket(server, receive_buffer=4096) as opened, server.client() as other:
        opened.sendall(requests * request)
        opened.recv(1, socket.MSG_PEEK)  # the first answer has come
        while any(one.client == opened.getsockname() for one in server.connections):
            other.get("/healthz")
        answered = read_what_is_left(opened)
    assert len(answered) < requests * 1024 * 784, "the server waited to be read"


def test_a_stream_that_reads_nothing_is_cut_and_the_others_go_on(server: Serving) -> None:
    with server.stream() as other, open_socket(server, receive_buffer=4096) as opened:
        opened.sendall(
            f"GET /api/v1/models/{DEFAULT}/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert opened.recv(1024).startswith(b"HTTP/1.1 101")
        frames = (struct.pack("<Iff", number, 0.1, 0.2) for number in range(10_000_000))
        for frame in frames:
            try:
                opened.sendall(b"\x82\x8c" + bytes(4) + frame)  # binary, masked with zeros
            except (ConnectionResetError, BrokenPipeError):
                break
            if frame[0] == 0:
                other.send(frame)
                assert other.recv(timeout=PATIENCE)[:4] == frame[:4]
        assert next(frames, None), "it was never cut"


def answers(opened: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Read so many answers, each its status and its body."""
    file, found = opened.makefile("rb"), []
    for _ in range(count):
        status = int(file.readline().split()[1])
        length = 0
        while (line := file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        found.append((status, file.read(length)))
    return found


TILE = f"/api/v1/models/{DEFAULT}/planes/latent/tiles/1/1/0.png"
"""A tile that is cached from the start."""


def test_pipelined_requests_are_answered_in_their_order_whether_cached_or_not(
    server: Serving,
) -> None:
    with server.client() as client:
        tile, health = client.get(TILE), client.get("/healthz")
        assert client.get(TILE).content == tile.content
    ask = {path: f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in (TILE, "/healthz")}
    order = [TILE, "/healthz", TILE, TILE, "/healthz", "/healthz", TILE]
    with open_socket(server) as opened:
        opened.sendall(b"".join(ask[path] for path in order))
        found = answers(opened, len(order))
    contents = {TILE: tile.content, "/healthz": health.content}
    assert found == [(200, contents[path]) for path in order]


def test_a_request_that_comes_before_the_last_answer_waits_its_turn(
    server: Serving,
) -> None:
    body = b'{"latents": [[0.5, -1]]}'
    path = f"/api/v1/models/{DEFAULT}/decode"
    head = "Host: x\r\nContent-Type: application/json\r\nContent-Length"
    decode = f"POST {path} HTTP/1.1\r\n{head}: {len(body)}\r\n\r\n".encode() + body
    fresh = f"GET {path}.png?z=0.123,1&size=28 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with server.client() as client:
        json_type = {"content-type": "application/json"}
        image = client.post(path, content=body, headers=json_type).content
        picture = client.get(f"{path}.png?z=0.123,1&size=28").content
    contents = {decode: image, fresh: picture}
    order = [decode, fresh, decode, decode, fresh, decode]
    with open_socket(server) as opened:
        opened.sendall(b"".join(order))
        assert answers(opened, len(order)) == [(200, contents[asked]) for asked in order]


@pytest.mark.parametrize("rest", [b"", b"]]}"])
def test_a_target_that_is_no_path_is_answered_and_hangs_nothing(
    server: Serving, rest: bytes
) -> None:
    head = b"POST http://h:99999/decode HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with open_socket(server) as opened:
        opened.sendall(head + b"Content-Length: 19\r\n\r\n" + b'{"latents": [[0,0' + rest)
        assert opened.recv(5000).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "head", ["Content-Length: 4\r\n\r\nbody", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
)
def test_a_get_with_a_body_is_answered_too_and_so_is_the_next(server: Serving, head: str) -> None:
    asked = f"GET {TILE} HTTP/1.1\r\nHost: x\r\n"
    with server.client() as client:
        tile = client.get(TILE).content
    with open_socket(server) as opened:
        opened.sendall(f"{asked}\r\n{asked}{head}{asked}\r\n".encode())
        assert answers(opened, 3) == [(200, tile)] * 3


def test_a_connection_is_closed_with_the_answer_where_the_client_asks_for_that(
    server: Serving,
) -> None:
    with server.client() as client:
        client.get(TILE)
    for last in ("HTTP/1.1\r\nConnection: close", "HTTP/1.0"):
        with open_socket(server) as opened:
            opened.sendall(f"GET {TILE} {last}\r\nHost: x\r\n\r\n".encode())
            answer = read_all(opened)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("upgrade", ["h2c", "foo, bar", "TLS/1.0"])
@pytest.mark.parametrize("cut", [False, True], ids=["one segment", "two segments"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_upgrade_that_is_not_websocket_is_ignored_and_the_body_is_the_requests_own(
    server: Serving, upgrade: str, cut: bool, chunked: bool
) -> None:
    body = b'{"latents": [[0.5, -1]]}'
    path = f"/api/v1/models/{DEFAULT}/decode"
    with server.client() as client:
        kind = {"content-type": "application/json"}
        image = client.post(path, content=body, headers=kind).content
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\n{framing}\r\n\r\n"
    ).encode()
    sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    healthz = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with open_socket(server) as opened:
        if cut:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.sendall(head)
            with server.client() as client:
                client.get("/healthz")  # by now the head has been read
            opened.sendall(sent + healthz)
        else:
            opened.sendall(head + sent + healthz)
        (first, second) = answers(opened, 2)
    assert first == (200, image)
    assert second[0] == 200


def test_a_body_that_looks_like_a_request_is_never_taken_for_one(server: Serving) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
    head = (
        f"POST /api/v1/models/{DEFAULT}/decode HTTP/1.1\r\nHost: x\r\n"
        "Connection: Upgrade, close\r\nUpgrade: h2c\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(smuggled)}\r\n\r\n"
    ).encode()
    with open_socket(server) as opened:
        opened.sendall(head)
        opened.sendall(smuggled)
        answer = read_all(opened)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_connect_is_refused(server: Serving) -> None:
    with open_socket(server) as opened:
        opened.sendall(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")
        expect_problem(read_all(opened), 400)


@pytest.mark.slow
def test_requests_that_wait_for_their_turn_are_bounded(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that pipelines without end and reads its answers makes the server hold few."""
    monkeypatch.setattr(http_protocol, "READ_SECONDS", PATIENCE)  # it reads, but may be slow
    request = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
    count, most = 4_000, 0
    with open_socket(server) as opened:
        sending = threading.Thread(target=opened.sendall, args=(request * count,))
        sending.start()
        file = opened.makefile("rb")
        for number in range(count):
            assert file.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := file.readline()) != b"\r\n":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            file.read(length)
            if number % 200 == 0:
                for one in server.connections:
                    most = max(most, len(one.pipeline))
                    assert len(one.unparsed) < 1_000_000
        sending.join()
    assert most <= http_protocol.SLICE_BYTES / len(request) + 1


def test_trailers_do_not_become_headers(server: Serving) -> None:
    body = b'{"latents": [[0.5, -1]]}'
    path = f"/api/v1/models/{DEFAULT}/decode"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    trailer = b"X-Request-Id: trailer\r\nAccept: text/html\r\n"
    sent = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailer)
    with open_socket(server) as opened:
        opened.sendall(head.encode() + sent)
        answer = read_all(opened)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"trailer" not in answer


def test_a_head_that_is_too_large_is_refused_in_one_segment_too(server: Serving) -> None:
    large = HEAD + b"X-Large: " + b"a" * 2 * http_protocol.HEAD_BYTES + b"\r\n\r\n"
    with open_socket(server) as opened:
        opened.sendall(large)
        assert str(http_protocol.HEAD_BYTES) in expect_problem(read_what_is_left(opened), 431)
    fitting = HEAD + b"X-Large: " + b"a" * (http_protocol.HEAD_BYTES - 200) + b"\r\n\r\n"
    with open_socket(server) as opened:
        opened.sendall(fitting + fitting)
        assert [status for status, _ in answers(opened, 2)] == [200, 200]


def test_a_good_request_is_answered_before_the_bad_one_after_it_is_refused(
    server: Serving,
) -> None:
    with open_socket(server) as opened:
        opened.sendall(HEAD + b"\r\n" + HEAD + b"\r\n" + b"NO HTTP\r\n\r\n")
        answer = read_all(opened)
    first, second, rest = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert second.startswith(b"200")
    expect_problem(b"HTTP/1.1 " + rest, 400)


def test_a_body_that_is_no_chunk_is_refused_at_once(server: Serving) -> None:
    head = f"POST /api/v1/models/{DEFAULT}/decode HTTP/1.1\r\nHost: x\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n"
    with open_socket(server) as opened:
        opened.sendall(head.encode())
        expect_problem(read_all(opened), 400)
