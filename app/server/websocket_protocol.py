"""uvicorn's WebSocket protocol, and a way for the frames of a drag past ASGI.

The frame of a drag is the one thing here that does not go by ASGI: its queue and tasks cost more
than an image does.
"""

import logging
from collections.abc import Callable

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined] # the fast one, if any
from websockets.http11 import Request
from websockets.protocol import State

from app.errors import NotHttp, response_to
from app.server.http_protocol import Unread, closing_response

FRAMES = "explorer.frames"
"""The extension of a stream's scope that is its `Frames`."""
WAITING_MESSAGES = 4
"""Messages that may wait for the app; beyond that no more are read."""
BINARY, MASKED, SMALLEST_FRAME = 0x82, 0x80, 6
"""Of a client's frame: its first byte, what is added to its second, its bytes without content."""
_WHOLE_FRAMES = {BINARY, 0x88, 0x89, 0x8A}
"""Whole binary messages, and closes, pings and pongs, which are never in pieces."""
log = logging.getLogger("explorer")
_MIDDLE_SIZED = b"\x82\x7e"
"""A whole binary message, its length in the next two bytes (RFC 6455, section 5.2)."""


class Frames:
    """The way of a stream's frames past ASGI.

    Args:
        send: Sends a binary message, and returns whether that could be done here; it cannot while
            the client reads slowly.

    Attributes:
        take: Called with each message that comes in one plain frame; returns whether it took the
            message. What it leaves comes by `receive`, as everything does until it is set.
    """

    __slots__ = ("send", "take")

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        self.send = send
        self.take: Callable[[bytes], bool] | None = None


class WebSocketProtocol(Unread, WebSocketsSansIOProtocol):
    """WebSockets at a fraction of uvicorn's cost for each frame, cut when the client does not read.

    uvicorn stops reading after every message until the app has taken it, and parses and writes
    every frame as if it could be any.
    """

    plain: Frames | None = None
    _rest = b""
    """The beginning of a frame, of which the end is still to come."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.close_sent:
            self._log_refusal()
        else:
            self.plain = Frames(self.send_plainly)
            self.scope["extensions"][FRAMES] = self.plain  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self.plain is None or self.plain.take is None:
            super().data_received(data)
            if not self.handshake_initiated and self.conn.handshake_exc is not None:
                self._refuse_handshake()
            return
        if self._rest:
            data, self._rest = self._rest + data, b""
        start, stop = 0, len(data)
        while start + SMALLEST_FRAME <= stop:
            kind, length = data[start], data[start + 1] - MASKED
            if kind not in _WHOLE_FRAMES or not 0 <= length < 126:
                self.plain = None  # the library reads on from here, for it may be in pieces
                super().data_received(data[start:])
                return
            begin = start + SMALLEST_FRAME
            end = begin + length
            if end > stop:
                break
            if kind != BINARY or not self._takes(data[begin:end], data[begin - 4 : begin]):
                super().data_received(data[start:end])
            start = end
        if start < stop:
            self._rest = data[start:]

    def _takes(self, masked: bytes, mask: bytes) -> bool:
        assert self.plain is not None
        take = self.plain.take
        if take is None or self.conn.state is not State.OPEN or not self.queue.empty():
            return False
        return take(apply_mask(masked, mask))

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            self.frames = [b""]  # the app takes none, whatever it says or fails to say in UTF-8
        was_paused, self.read_paused = self.read_paused, True
        super().send_receive_event_to_app()
        self.read_paused = was_paused
        if not was_paused and self.queue.qsize() > WAITING_MESSAGES:
            self.read_paused = True
            self.transport.pause_reading()

    def _refuse_handshake(self) -> None:
        """Answer a handshake that the library cannot parse; uvicorn leaves it open for ever."""
        self.handshake_initiated = True
        self._log_refusal()
        problem = NotHttp(
            "The WebSocket handshake cannot be read: it has a body, over 128 headers, or a line "
            "that is too long. Send fewer and shorter headers and no body."
        )
        self.transport.write(closing_response(response_to(problem)))
        self.transport.close()
        self._cut_later()

    def _log_refusal(self) -> None:
        log.info("A WebSocket handshake was refused: %s", self.conn.handshake_exc)

    async def send(self, message: ASGISendEvent) -> None:
        """Send as uvicorn does, but take an answer to a handshake for its end, not for a fault."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def send_plainly(self, content: bytes) -> bool:
        """Write a binary message if it is middle-sized and nothing stands in the way."""
        is_open = self.conn.state is State.OPEN and not (self.close_sent or self.disconnected)
        if not is_open or not self.writable.is_set() or not 126 <= len(content) < 1 << 16:
            return False
        self.transport.write(_MIDDLE_SIZED + len(content).to_bytes(2) + content)
        return True

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut_later()

    def shutdown(self) -> None:
        super().shutdown()
        self._cut_later()
