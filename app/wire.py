"""HTTP by uvicorn, and what it leaves to a proxy, so that the server needs none.

How long and large a head may be, how long an answer may lie unread: uvicorn waits for all without
end. And when it stops it closes each silent connection at once, though a request may be on its way.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.errors import HeadTooLarge, NotHttp, Problem, TooSlow
from app.security import HEADERS

HEAD_SECONDS = 10.0
"""From a connection, or from the first byte of a request, to the end of the head."""
HEAD_BYTES = 32 * 1024
READ_SECONDS = 30.0
"""How long what was answered may lie here, unread; then the connection is cut."""

AT_HAND = "explorer.at_hand"
"""Of the lifespan's state: who is asked of every plain GET, before uvicorn makes a task of it.

The call takes target, headers and client, and gives the whole answer, or None if it has none.
"""
LINE = "explorer.line"
"""Of a scope's extensions: what our HTTP offers an app besides ASGI, a `Line`."""
LINGER_SECONDS = 0.5
"""How long a stopping server listens on, where a client that was silent may just have asked."""


class Unread:
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


class Whole(NamedTuple):
    """An answer in one piece, which is known to be sound: its headers as they are sent."""

    status: int
    head: bytes
    body: bytes


class Line:
    """The way back to the client of one request; says less than ASGI does, in a fifth of the time.

    Attributes:
        work: What is cancelled when the client goes, for then it has nobody to answer.
    """

    __slots__ = ("_cycle", "_write", "work")

    def __init__(self, cycle: RequestResponseCycle, write: Callable[[Whole, bool], None]) -> None:
        self._cycle, self._write = cycle, write
        self.work: asyncio.Task[Any] | None = None

    @property
    def is_cut(self) -> bool:
        """Whether the client has gone."""
        return self._cycle.disconnected

    @property
    def body(self) -> bytes | None:
        """The request's, if all of it is here; it can still be received."""
        cycle = self._cycle
        return None if cycle.more_body or cycle.waiting_for_100_continue else bytes(cycle.body)

    def send(self, answer: Whole) -> bool:
        """Answer, and say whether that could be done here: not where a client is slow to read."""
        cycle = self._cycle
        if cycle.flow.write_paused or cycle.response_started:
            return False
        if not cycle.disconnected:
            cycle.response_started = cycle.response_complete = True
            cycle.message_event.set()
            self._write(answer, cycle.keep_alive)
        return True


class Http(Unread, HttpToolsProtocol):
    """HTTP/1.1 whose heads are bounded in bytes and seconds."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_is_whole = True
    _leaving = False
    _line: Line | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_head()
        if self._line is not None and self._line.work is not None and not self._is_idle():
            self._line.work.cancel()

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
        if self._is_idle() and (answer := self._at_hand()) is not None:
            self._write_whole(answer, self.parser.should_keep_alive() and not self._leaving)
            return
        super().on_headers_complete()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.scope is self.scope:  # none is made for a WebSocket
            self._line = Line(cycle, self._write_whole)
            cycle.scope["extensions"] = {LINE: self._line}  # type: ignore[dict-item]
        if self._leaving:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        if self.cycle is not None:  # else the first request was answered with its head
            super().on_message_complete()

    def _at_hand(self) -> Whole | None:
        find = self.app_state.get(AT_HAND)
        plain = self.parser.get_method() == b"GET" and self.parser.get_http_version() == "1.1"
        if find is None or not plain or self.flow.write_paused or self.parser.should_upgrade():
            return None
        if self.transport.is_closing():  # the answer before this one was the last
            return None
        found: Whole | None = find(self.url, self.headers, self.client)
        return found

    def _write_whole(self, answer: Whole, keep_alive: bool) -> None:
        parts = [STATUS_LINE[answer.status]]
        for name, value in self.server_state.default_headers:
            parts += name, b": ", value, b"\r\n"
        end = b"\r\n" if keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((*parts, answer.head, end, answer.body)))
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()

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
