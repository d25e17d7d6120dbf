"""HTTP and WebSockets by uvicorn, and what it leaves to a proxy, so that the server needs none.

How long and large a head may be, how long an answer may lie unread: uvicorn waits for all without
end. And when it stops it closes each silent connection at once, though a request may be on its way.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from app.errors import HeadTooLarge, NotHttp, Problem, TooSlow
from app.security import HEADERS

HEAD_SECONDS = 10.0
"""From a connection, or from the first byte of a request, to the end of the head."""
HEAD_BYTES = 32 * 1024
READ_SECONDS = 30.0
"""How long what was answered may lie here, unread; then the connection is cut."""


WAITING_MESSAGES = 4
"""Of a stream that the app has not taken yet; then no more are read."""
LINGER_SECONDS = 0.5
"""How long a stopping server listens on, where a client that was silent may just have asked."""


class _Unread:
    """Mixin: cuts a connection whose client does not read, and so frees what waits for it."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        self._cut_later()

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]
        self._keep()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)  # type: ignore[misc]
        self._keep()

    def _cut_later(self) -> None:
        self._keep()
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def _keep(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class Http(_Unread, HttpToolsProtocol):
    """HTTP/1.1 whose heads are bounded in bytes and seconds."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_is_whole = True
    _leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_head()

    def data_received(self, data: bytes) -> None:
        if self._head_timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_is_whole and self._head_timer is None:
            return
        if self._head_timer is None:  # most heads come in one piece, and no timer is set for them
            self._await_head()
            self._head_bytes = 1  # its first byte is here; how many came with it, nobody says
        if self._head_bytes > HEAD_BYTES:
            detail = f"The request's head is larger than {HEAD_BYTES} bytes. Send fewer headers."
            self._refuse(HeadTooLarge(detail))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_is_whole = False

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        if self._is_idle() and not self._leaving:
            self._leaving = True
            self.loop.call_later(LINGER_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def _is_idle(self) -> bool:
        unasked = self.cycle is None  # before the first request, whatever uvicorn's type says
        return unasked or self.cycle.response_complete

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._cut_later()

    def send_400_response(self, msg: str) -> None:
        self._refuse(NotHttp("What came is no HTTP request."))

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _end_head(self) -> None:
        self._head_is_whole = True
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self._head_bytes == 0:  # opened in advance, as browsers do
            self.transport.close()
            return
        detail = (
            f"The request's head did not arrive within {HEAD_SECONDS:g} seconds. Send it again."
        )
        self._refuse(TooSlow(detail))

    def _refuse(self, problem: Problem) -> None:
        self._end_head()
        if self.transport.is_closing():
            return
        response = problem.response()
        response.headers.update({**HEADERS, "Connection": "close"})
        head = b"".join(b"%b: %b\r\n" % pair for pair in response.raw_headers)
        content = STATUS_LINE[response.status_code] + head + b"\r\n" + bytes(response.body)
        self.transport.write(content)
        self.transport.close()
        self._cut_later()


class WebSocket(_Unread, WebSocketsSansIOProtocol):
    """WebSockets that are cut, not just closed, when the client does not even read the close.

    And at a quarter less for each frame of a drag: uvicorn stops to read after every message until
    the app has taken it, and goes through all that a frame can be to write one of the plainest.
    """

    def send_receive_event_to_app(self) -> None:
        was_paused, self.read_paused = self.read_paused, True
        super().send_receive_event_to_app()
        self.read_paused = was_paused
        if not was_paused and self.queue.qsize() > WAITING_MESSAGES:
            self.read_paused = True
            self.transport.pause_reading()

    async def send(self, message: Any) -> None:
        content = message.get("bytes") if message["type"] == "websocket.send" else None
        is_open = self.conn.state is State.OPEN and self.writable.is_set() and not self.close_sent
        if content is not None and is_open and 126 <= len(content) < 1 << 16:
            self.transport.write(_MIDDLE_SIZED + len(content).to_bytes(2) + content)
        else:
            await super().send(message)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut_later()

    def shutdown(self) -> None:
        super().shutdown()
        self._cut_later()


_MIDDLE_SIZED = b"\x82\x7e"
"""A whole binary message, its length in the next two bytes (RFC 6455, section 5.2)."""


def options() -> dict[str, Any]:
    """Say to uvicorn that it shall speak so."""
    return {"http": Http, "ws": WebSocket}
