"""Any frames on a stream are answered or close it with a code, and other streams go on."""

import math
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.app.live_server import Serving

SIZE = 4 + 2 * 4
PROTOCOL_ERROR, NOT_BINARY, BAD_MESSAGE, TOO_BIG = 1002, 1003, 1007, 1009
GOOD = struct.pack("<Iff", 7, 0.5, -1.2)
MASK = b"\1\2\3\4"

floats = st.sampled_from([math.nan, math.inf, 1e-45, 1e4, 3e38]) | st.floats(-3, 3, width=32)
asked = st.builds(
    lambda *numbers: struct.pack("<Iff", *numbers), st.integers(0, 2**32 - 1), floats, floats
)
messages = asked | st.binary(max_size=40) | st.text(max_size=20) | st.just(bytes(5000))


def code_for(message: str | bytes) -> int | None:
    """Return the code with which this message closes a stream; None for one that is answered."""
    if isinstance(message, str):
        return NOT_BINARY
    if len(message) > 4096:
        return TOO_BIG
    if len(message) != SIZE or not math.hypot(*struct.unpack_from("<ff", message, 4)) <= 10_000:
        return BAD_MESSAGE
    return None


def closed_with(stream: ClientConnection) -> int | None:
    """Read until the stream is closed, and return the server's code, if it sent one."""
    try:
        while True:
            stream.recv(timeout=20)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def assert_answered(stream: ClientConnection, message: bytes = GOOD) -> None:
    stream.send(message)
    answer = stream.recv(timeout=20)
    assert isinstance(answer, bytes)
    assert (len(answer), answer[:4]) == (788, message[:4])


def pieces(
    stream: ClientConnection, message: str | bytes, cuts: list[int]
) -> Iterator[str | bytes]:
    """Yield the message in fragments, with a ping before each."""
    places = [0, *sorted(cut % (len(message) + 1) for cut in cuts), len(message)]
    for start, end in pairwise(places):
        stream.ping()
        yield message[start:end]


@given(message=messages, cuts=st.lists(st.integers(0, 100), max_size=6))
@example(GOOD, [0, 0, 3, 4, 12, 12])
@example(GOOD + b"\0", [12])
@example("", [0])
@example(bytes(5000), [50])
def test_a_message_in_fragments_with_pings_between_is_one_message(
    server: Serving, message: str | bytes, cuts: list[int]
) -> None:
    code = code_for(message)
    with server.stream() as stream, server.stream() as other:
        with suppress(ConnectionClosed):  # too long: closed before all has gone
            stream.send(pieces(stream, message, cuts))
        if code is None:
            assert stream.recv(timeout=20)[:4] == message[:4]
            assert_answered(stream)
        else:
            assert closed_with(stream) == code
        assert_answered(other)


def frame(first: int, payload: bytes = b"") -> bytes:
    """Return a client's frame (RFC 6455, section 5.2), with `first` as its first byte."""
    size = len(payload)
    told = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    hidden = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return bytes([first]) + told + MASK + hidden


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x82\x0c" + GOOD, PROTOCOL_ERROR),
        (frame(0x80, GOOD), PROTOCOL_ERROR),  # continues nothing
        (frame(0x02, GOOD[:4]) + frame(0x82, GOOD[4:]), PROTOCOL_ERROR),  # begins within another
        (frame(0x83, GOOD), PROTOCOL_ERROR),  # an opcode that is none
        (frame(0xC2, GOOD), PROTOCOL_ERROR),  # a bit of an extension nobody asked for
        (frame(0x09), PROTOCOL_ERROR),  # a ping in fragments
        (frame(0x89, bytes(126)), PROTOCOL_ERROR),  # a ping that is too long
        (frame(0x88, b"\3"), PROTOCOL_ERROR),  # half a close code
        (frame(0x81, b"\xff\xfe"), NOT_BINARY),  # text, whether or not it is UTF-8
        (b"\x82\xff" + struct.pack(">Q", 2**62) + MASK, TOO_BIG),
        (frame(0x02, GOOD[:4]) + frame(0x00) * 3000 + frame(0x80, GOOD[4:]), None),
    ],
)
def test_a_frame_that_breaks_the_protocol_closes_its_stream_alone(
    server: Serving, frames: bytes, code: int | None
) -> None:
    with server.stream() as stream, server.stream() as other:
        stream.socket.sendall(frames)
        if code is None:
            assert_answered(stream)
        else:
            assert closed_with(stream) == code
        assert_answered(other)


@given(content=st.binary(min_size=1, max_size=200))
def test_bytes_that_are_no_frames_close_their_stream_alone(server: Serving, content: bytes) -> None:
    with server.stream() as stream, server.stream() as other:
        with suppress(OSError):
            stream.socket.sendall(content)
            stream.socket.shutdown(socket.SHUT_WR)
        code = closed_with(stream)
        assert code in (None, 1000, 1001, PROTOCOL_ERROR, NOT_BINARY, BAD_MESSAGE, TOO_BIG, 1005)
        assert_answered(other)
