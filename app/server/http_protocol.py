"""HTTP by uvicorn, and what it leaves to a proxy, so that the server needs none.

How long and large a head may be, how long an answer may lie unread: uvicorn waits for all without
end. And when it stops it closes each silent connection at once, though a request may be on its way.
"""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors import HeadTooLarge, NotHttp, Problem, TooSlow
from app.gate.limits import HEADERS

ASKED = "explorer.asked"
"""Of a scope's extensions: the express lane has left this request to ASGI."""
HEAD_SECONDS = 10.0
"""From a connection, or from the first byte of a request, to the end of the head."""
HEAD_BYTES = 32 * 1024
BODY_SECONDS = 1.0
"""For which a body of interest to the express lane is waited for; then ASGI goes on to wait."""
READ_SECONDS = 30.0
"""How long what was answered may lie here, unread; then the connection is cut."""

EXPRESS = "explorer.express"
"""Of the lifespan's state: who is asked of plain requests, before uvicorn makes a task of each."""
LINGER_SECONDS = 0.5
"""How long a stopping server listens on, where a client that was silent may just have asked."""


Header = tuple[bytes, bytes]
Headers = dict[bytes, bytes]
"""Of a request in which each stands once, in lower case."""


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
    """An answer in one piece, which is known to be sound: its headers as they are sent.

    `rest` is what follows the body, sent from where it lies.
    """

    status: int
    head: bytes
    body: bytes
    rest: Sequence[memoryview] = ()


class Question(NamedTuple):
    """A plain request: whole, and nothing about how it came is unusual."""

    method: str
    target: bytes
    headers: Headers
    client: tuple[str, int] | None
    body: bytes = b""


class Way(ABC):
    """The way back to who asked, for an answer that comes later.

    Attributes:
        cut: Called when the client goes before its answer.
    """

    __slots__ = ("cut",)

    def __init__(self) -> None:
        self.cut: Callable[[], None] | None = None

    @abstractmethod
    def send(self, answer: Whole) -> None:
        """Answer, once and in a later call than that which took the question."""


class _Turn(Way):
    """The way by our HTTP; to uvicorn, the request that it answers now."""

    __slots__ = (
        "_http",
        "disconnected",
        "keep_alive",
        "message_event",
        "more_body",
        "response_complete",
    )

    def __init__(self, http: "Http", keep_alive: bool) -> None:
        super().__init__()
        self._http = http
        self.disconnected = self.response_complete = self.more_body = False
        self.keep_alive = keep_alive
        self.message_event = _NOBODY_WAITS

    def send(self, answer: Whole) -> None:
        self.response_complete = True
        self._http.write_whole(answer, self.keep_alive)


_NOBODY_WAITS = asyncio.Event()


class Express(Protocol):
    """Answers questions without a task, or leaves them to ASGI."""

    def reads(self, target: bytes, headers: Headers) -> bool:
        """Tell by the head of a POST whether its body, as long as it says, is of interest here."""

    def answer(self, question: Question, way: Way) -> Whole | Way | None:
        """Answer at once, or take the way by which the answer will come; None is no answer."""


class _Common:
    """Headers of all answers of this second, and as they are written."""

    headers: ClassVar[object] = None
    written: ClassVar[bytes] = b""


class Http(Unread, HttpToolsProtocol):
    """HTTP/1.1 whose heads are bounded in bytes and seconds."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_is_whole = True
    _leaving = False
    _was_asked = False
    """Whether the express lane has left this request to ASGI."""
    _way: _Turn | None = None
    """By which an answer is to come."""
    _unread_body: tuple[Headers, bytearray] | None = None
    """Of a POST that the express lane has an interest in, with its headers."""
    _body_timer: asyncio.TimerHandle | None = None
    _rests_since = math.inf
    """When the last answer was given, by the loop's clock, if nothing came after it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_head()
        self._end_body()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        way, self._way = self._way, None
        if way is not None and not way.response_complete and way.cut is not None:
            way.cut()

    def data_received(self, data: bytes) -> None:
        if self._head_timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._unread_body is not None and self._body_timer is None:
            self._body_timer = self.loop.call_later(BODY_SECONDS, self._go_on_by_asgi)
        if self._head_is_whole and self._head_timer is None:
            return
        if self._head_timer is None:  # most heads come in one piece, and no timer is set for them
            self._await_head()
            self._head_bytes = 1  # its first byte is here; how many came with it, nobody says
        if self._head_bytes > HEAD_BYTES:
            detail = f"The request's head is larger than {HEAD_BYTES} bytes. Send fewer headers."
            self._refuse(HeadTooLarge(detail))

    def on_message_begin(self) -> None:
        self._unset_keepalive_if_required()  # the last answer may have been given in this call
        self._head_is_whole = self._was_asked = False
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        self._end_head()
        express: Express | None = self.app_state.get(EXPRESS)
        if express is not None and self._is_plain():
            headers = dict(self.headers)
            method = self.parser.get_method() if len(headers) == len(self.headers) else b""
            if method == b"GET" and _OF_A_BODY.isdisjoint(headers):
                if self._goes_express(express, "GET", headers, b""):
                    return
            elif method == b"POST" and express.reads(self.url, headers):
                self._unread_body = headers, bytearray()
                return
        self._go_by_asgi()

    def on_body(self, body: bytes) -> None:
        if self._unread_body is None:
            super().on_body(body)
        else:
            self._unread_body[1].extend(body)

    def on_message_complete(self) -> None:
        if self._unread_body is not None:
            headers, body = self._unread_body
            express = self.app_state[EXPRESS]
            if self._goes_express(express, "POST", headers, bytes(body)):
                self._end_body()
                return
            self._go_on_by_asgi()
        if self.cycle is not None:  # else the first request was answered with its head
            super().on_message_complete()

    def _is_plain(self) -> bool:
        """Tell whether the answer to a request could be written as soon as it is known."""
        if not self.url.startswith(b"/"):
            return False
        waits = self.flow.write_paused or self.transport.is_closing() or not self._is_idle()
        special = self.expect_100_continue or self.parser.should_upgrade()
        return not waits and not special and self.parser.get_http_version() == "1.1"

    def _goes_express(self, express: Express, method: str, headers: Headers, body: bytes) -> bool:
        keep_alive = self.parser.should_keep_alive() and not self._leaving
        way = _Turn(self, keep_alive)
        answer = express.answer(Question(method, self.url, headers, self.client, body), way)
        if isinstance(answer, Whole):
            self.write_whole(answer, keep_alive)
        elif answer is way:
            self._way = way
            self.cycle = way  # type: ignore[assignment] # requests after it wait their turn
        else:
            self._was_asked = True
        return answer is not None

    def _go_by_asgi(self) -> None:
        """Have uvicorn begin, and go on, with what it did not see come."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        if self._was_asked:
            self.scope["extensions"] = {ASKED: {}}
        super().on_headers_complete()
        if self._leaving and not self._is_idle():  # no request is made of a WebSocket
            self.cycle.keep_alive = False

    def _go_on_by_asgi(self) -> None:
        """Leave a POST to ASGI after all, with what came of its body."""
        assert self._unread_body is not None
        _, body = self._unread_body
        self._end_body()
        try:
            self._go_by_asgi()
        except httptools.HttpParserError:
            self.send_400_response("")
            return
        super().on_body(bytes(body))

    def write_whole(self, answer: Whole, keep_alive: bool) -> None:
        """Write an answer to the request whose turn it is, and go on with the next."""
        headers = self.server_state.default_headers  # a new list each second
        if headers is not _Common.headers:
            _Common.headers = headers
            _Common.written = b"".join(b"%b: %b\r\n" % pair for pair in headers)
        end = b"\r\n" if keep_alive else b"connection: close\r\n\r\n"
        line = STATUS_LINE[answer.status]
        self.transport.write(b"".join((line, _Common.written, answer.head, end, answer.body)))
        if answer.rest:
            self.transport.writelines(answer.rest)
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or rest, as uvicorn does, but without a timer an answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._rests_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_later(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        self._rests_since = math.inf

    def _look_later(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Close the connection if it has rested for long; else look again when it might have."""
        self.timeout_keep_alive_task = None
        left = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.timeout_keep_alive_handler()
        elif left < math.inf:  # else whoever answers next has it looked at
            self._look_later(left)

    def shutdown(self) -> None:
        if self._unread_body is not None:
            self._go_on_by_asgi()
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

    def _end_body(self) -> None:
        self._unread_body = None
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

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


_OF_A_BODY = {b"content-length", b"transfer-encoding"}
