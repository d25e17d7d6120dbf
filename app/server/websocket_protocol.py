"""WebSockets by uvicorn, and a way for the frames of a drag past what it does with each."""

from collections.abc import Callable

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined] # the fast one, if any
from websockets.http11 import Request
from websockets.protocol import State

from app.server.http_protocol import Unread

FRAMES = "explorer.frames"
"""Of a stream's scope's extensions: who hears of plain frames at once, a `Frames`."""
WAITING_MESSAGES = 4
"""Of a stream that the app has not taken yet; then no more are read."""
BINARY, MASKED, SMALLEST_FRAME = 0x82, 0x80, 6
"""Of a client's frame: its first byte, what is added to its second, its bytes without content."""
_WHOLE_FRAMES = {BINARY, 0x88, 0x89, 0x8A}
"""Whole binary messages, and closes, pings and pongs, which are never in pieces."""
_MIDDLE_SIZED = b"\x82\x7e"
"""A whole binary message, its length in the next two bytes (RFC 6455, section 5.2)."""


class Frames:
    """The way of a stream's frames past ASGI's queue and tasks, which cost more than an image.

    Args:
        send: Sends a binary message, and says whether that could be done here: not to a slow
            client.

    Attributes:
        take: Is told of each message that comes in one plain frame, and says whether it took it;
            what it leaves comes by `receive`, as all does until it is set.
    """

    __slots__ = ("send", "take")

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        self.send = send
        self.take: Callable[[bytes], bool] | None = None


class WebSocket(Unread, WebSocketsSansIOProtocol):
    """WebSockets that are cut, not just closed, when the client does not even read the close.

    And at a fraction of the cost for each frame of a drag: uvicorn stops to read after every
    message until the app has taken it, and goes through all that a frame can be to read or write
    one of the plainest.
    """

    plain: Frames | None = None
    _rest = b""
    """The beginning of a frame, of which the end is still to come."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.plain = Frames(self.send_plainly)
            self.scope["extensions"][FRAMES] = self.plain  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self.plain is None or self.plain.take is None:
            super().data_received(data)
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
        was_paused, self.read_paused = self.read_paused, True
        super().send_receive_event_to_app()
        self.read_paused = was_paused
        if not was_paused and self.queue.qsize() > WAITING_MESSAGES:
            self.read_paused = True
            self.transport.pause_reading()

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
