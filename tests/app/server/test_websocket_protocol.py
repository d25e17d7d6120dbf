"""The way of a stream's plain frames, in whatever pieces and company they come."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.telemetry.logs import NotOfStreams
from model.engine import Engine
from tests.app.live_server import DEFAULT, Serving
from tests.waiting import until

PATIENCE = 20
TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
LAST = 0x80
"""Of a frame's first byte: no further piece of the message follows."""


def frame(kind: int, content: bytes, mask: bytes = b"\x01\x80\xff\x37") -> bytes:
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(content))
    return bytes((kind, 0x80 | len(content))) + mask + masked


def question(sequence: int, *latent: float) -> bytes:
    return struct.pack("<Iff", sequence, *latent)


class Client:
    """A WebSocket of which each byte is ours to send."""

    def __init__(self, opened: socket.socket) -> None:
        self.opened = opened
        self.file = opened.makefile("rb")
        opened.sendall(
            f"GET /api/v1/models/{DEFAULT}/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert self.file.readline().startswith(b"HTTP/1.1 101")
        while self.file.readline() != b"\r\n":
            pass

    def receive(self) -> tuple[int, bytes]:
        kind, length = self.file.read(2)
        if length == 126:
            (length,) = struct.unpack(">H", self.file.read(2))
        return kind, self.file.read(length)

    def receive_image(self, sequence: int) -> bytes:
        """Read on until the answer to that question, the last that was asked."""
        while True:
            kind, content = self.receive()
            assert kind == LAST | BINARY
            if content[:4] == struct.pack("<I", sequence):
                return content[4:]


@contextmanager
def connected(server: Serving) -> Iterator[Client]:
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Client(opened)


@given(cuts=st.lists(st.integers(1, 71), max_size=5, unique=True), pinged=st.booleans())
@settings(max_examples=40, deadline=None)
def test_frames_are_read_however_they_are_cut_and_the_last_is_always_answered(
    server: Serving, engine: Engine, cuts: list[int], pinged: bool
) -> None:
    frames = [frame(LAST | BINARY, question(number, number / 2, -1)) for number in range(4)]
    sent = b"".join(frames)
    with connected(server) as client:
        before = 0
        for cut in [*sorted(cuts), len(sent)]:
            client.opened.sendall(sent[before:cut])
            before = cut
        (image,) = engine.decode(np.array([[1.5, -1]], np.float32))
        assert client.receive_image(3) == image.tobytes()
        if pinged:
            client.opened.sendall(frame(LAST | PING, b"there?"))
            assert client.receive() == (LAST | 0xA, b"there?")


def test_a_message_in_pieces_is_read_whole_and_plain_ones_after_it(server: Serving) -> None:
    whole = question(7, 0.5, 0.25)
    with connected(server) as client:
        client.opened.sendall(frame(LAST | BINARY, question(1, 0, 0)))
        client.receive_image(1)
        client.opened.sendall(frame(BINARY, whole[:5]) + frame(LAST | PING, b""))
        assert client.receive() == (LAST | 0xA, b"")
        client.opened.sendall(frame(LAST, whole[5:]))
        image = client.receive_image(7)
        client.opened.sendall(frame(LAST | BINARY, question(8, 0.5, 0.25)))
        assert client.receive_image(8) == image


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(LAST | TEXT, b"12"), 1003),
        (frame(LAST | BINARY, b"short"), 1007),
        (frame(LAST | BINARY, question(1, float("nan"), 0)), 1007),
        (b"\x82\xff" + b"\xff" * 8 + b"mask", 1009),  # says that it is longer than all memory
        (b"\x82\x0c" + question(1, 0, 0), 1002),  # without a mask
        (frame(LAST | 0x3, b""), 1002),  # of a kind that there is not
        (frame(LAST | 0x40 | BINARY, question(1, 0, 0)), 1002),  # with an extension never agreed
    ],
)
def test_what_is_not_plain_closes_with_its_code_after_plain_ones_too(
    server: Serving, sent: bytes, code: int
) -> None:
    with connected(server) as client:
        client.opened.sendall(frame(LAST | BINARY, question(1, 0, 0)))
        client.receive_image(1)
        client.opened.sendall(sent)
        kind, content = client.receive()
        assert kind == LAST | CLOSE
        assert struct.unpack_from(">H", content) == (code,)


def test_after_a_close_nothing_more_is_answered(server: Serving) -> None:
    with connected(server) as client:
        closed = frame(LAST | CLOSE, struct.pack(">H", 1000))
        client.opened.sendall(closed + frame(LAST | BINARY, question(1, 0, 0)))
        assert client.receive() == (LAST | CLOSE, struct.pack(">H", 1000))
        assert client.file.read() == b""


HANDSHAKE = (
    f" /api/v1/models/{DEFAULT}/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(f"GET{HANDSHAKE}Cookie: {'a' * 9000}\r\n\r\n", id="9 KB of cookie"),
        pytest.param(
            f"GET{HANDSHAKE}\r\n".replace("stream", f"stream?{'a' * 9000}"), id="9 KB of query"
        ),
        pytest.param(
            f"GET{HANDSHAKE}{''.join(f'X-{n}: 1{chr(13)}{chr(10)}' for n in range(130))}\r\n",
            id="130 headers",
        ),
        pytest.param(f"GET{HANDSHAKE}Content-Length: 1\r\n\r\nx", id="a body"),
        pytest.param(f"GET{HANDSHAKE}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="chunks"),
        pytest.param(f"POST{HANDSHAKE}Content-Length: 0\r\n\r\n", id="POST"),
        pytest.param(f"GET{HANDSHAKE}\r\n".replace("13", "12"), id="another version"),
        pytest.param(f"GET{HANDSHAKE}\r\n".replace("AAAA", "x", 5), id="no key"),
    ],
)
def test_a_handshake_that_the_library_refuses_is_answered_and_closed(
    server: Serving, sent: str
) -> None:
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as opened:
        opened.sendall(sent.encode())
        file = opened.makefile("rb")
        assert file.readline().startswith(b"HTTP/1.1 4")
        file.read()


def test_text_that_is_not_utf_8_is_refused_without_a_traceback(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(server) as client:
        client.opened.sendall(frame(LAST | TEXT, b"\xff\xfe"))
        kind, content = client.receive()
    assert kind == LAST | CLOSE
    assert struct.unpack_from(">H", content) == (1003,)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        (f"/api/v1/models/{DEFAULT}/stream", "Sec-WebSocket-Version: 12\r\n", 400),
        ("/api/v1/models/nope/stream", "", 404),
        ("/nowhere", "", 403),
    ],
)
def test_a_refused_handshake_is_one_line_of_the_log(
    own_server: Serving, caplog: pytest.LogCaptureFixture, path: str, more: str, status: int
) -> None:
    sent = f"GET{HANDSHAKE}{more}\r\n".replace(f"/api/v1/models/{DEFAULT}/stream", path)
    if more:
        sent = sent.replace("Sec-WebSocket-Version: 13\r\n", "")
    host, port = own_server.host.split(":")
    caplog.set_level("INFO")
    with socket.create_connection((host, int(port)), PATIENCE) as opened:
        opened.sendall(sent.encode())
        assert opened.makefile("rb").read().startswith(b"HTTP/1.1 %d" % status)
    until(lambda: [one for one in caplog.records if one.name.startswith("explorer")], "the line")
    lines = [
        record.getMessage()
        for record in caplog.records
        if NotOfStreams().filter(record) and record.name != "asyncio"
    ]
    (line,) = lines
    assert "handshake was refused" in line or f" {status} " in line
