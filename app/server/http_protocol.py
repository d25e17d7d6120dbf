"""uvicorn's HTTP protocol, and what a public server needs besides.

uvicorn has no bound on the size of a head or on the time it takes, and none on answers that nobody
reads (it leaves these to a proxy). The tests of each method are in `tests/app/server`.
"""

import asyncio
from types import SimpleNamespace
from typing import cast

import httptools
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.errors import HeadTooLarge, NotHttp, Problem, TooSlow, response_to
from app.http.forwarded import PEER
from app.http.security_headers import security_headers
from app.server.descriptors import warn_when_few_are_left

HEAD_SECONDS = 10.0
"""From a connection, or from the first byte of a request, to the end of the head."""
HEAD_BYTES = 32 * 1024
READ_SECONDS = 30.0
"""How long an answer may lie here unread; then the connection is cut."""
LINGER_SECONDS = 0.5
"""How long a stopping server listens on, where a client that was silent may just have asked."""
SLICE_BYTES = 8 * 1024
"""Of what has come, parsed at a time: a few hundred pipelined requests at most."""


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


class _Flow(FlowControl):
    """Reads nothing more while something that has come waits to be parsed or answered.

    uvicorn resumes reading after each answer, and whenever a request asks for its body.
    """

    def __init__(self, transport: asyncio.Transport, protocol: "HttpProtocol") -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if self._protocol.may_read_on():
            super().resume_reading()


class HttpProtocol(Unread, HttpToolsProtocol):
    """HTTP/1.1 whose heads are bounded in bytes and seconds, and whose pipelines are short."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = False
    """Whether a piece of a head has come, and its end has not."""
    _is_lingering = False
    unparsed = b""
    """What has come while requests before it wait for their answers."""
    _upgrades_in_vain = False
    """Whether the head that was parsed last asks for another protocol than WebSocket."""
    _running: RequestResponseCycle | None = None
    """The request that is being answered while others wait behind it."""
    _refusal: Problem | None = None
    """What follows the answers that are due; then the connection closes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self.app_state = {**self.app_state, PEER: self.client}
        warn_when_few_are_left(transport.get_extra_info("socket").fileno())
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.unparsed = b""
        self._end_head()
        if self._running is not None:  # uvicorn tells the newest request alone
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parse what has come, in slices, until a pipelined request has to wait for its turn.

        uvicorn makes a request of all that it has read, and reads on as soon as one is answered:
        a client that pipelines and reads its answers takes gigabytes.
        """
        self._unset_keepalive_if_required()
        if self.unparsed or self._refusal:
            self.unparsed += data
            self.flow.pause_reading()
            return
        for start in range(0, len(data), SLICE_BYTES):
            if self.pipeline:
                self.unparsed = data[start:]
                self.flow.pause_reading()
                return
            if not self._parse(data[start : start + SLICE_BYTES]):
                return

    def _parse(self, data: bytes) -> bool:
        """Parse a piece, and return whether the next one is to be parsed too."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._upgrades_in_vain and self._refusal is None:
                return self._parse_without_upgrade(data[upgrade.args[0] :])
            if self._refusal is None:
                self._end_head()
                self.handle_websocket_upgrade()
            return False
        except httptools.HttpParserError:
            self._refuse(NotHttp("What came is no HTTP request."))
        scope = cast("dict[str, object] | None", self.scope)  # whatever uvicorn says of it
        if scope is not None and "method" not in scope and self._refusal is None:
            self._count_head(len(data))
        return self._refusal is None and not self.transport.is_closing()

    def _count_head(self, size: int) -> None:
        """Count a piece that does not end the head it is of.

        The first piece is not counted: where in it the head begins is not known.
        """
        self._head_bytes = self._head_bytes + size if self._is_in_head else 0
        self._is_in_head = True
        if self._head_timer is None:  # most heads come in one piece, and need no timer
            self._await_head()
        if self._head_bytes > HEAD_BYTES:
            self._refuse_head()

    def _parse_without_upgrade(self, rest: bytes) -> bool:
        """Parse a request again without its Upgrade, which a server may ignore (RFC 9110, 7.8).

        The parser stops at the head of such a request, and uvicorn loses its body, or takes it for
        the next request (uvicorn #2722).
        """
        lines = [b"%b %b HTTP/1.1" % (self.parser.get_method(), self.url)]
        lines += [b"%b: %b" % pair for pair in self.headers if pair[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        return self._parse(b"\r\n".join((*lines, b"", rest)))

    def on_headers_complete(self) -> None:
        if self._head_bytes + 2 * SLICE_BYTES > HEAD_BYTES and self._head_size() > HEAD_BYTES:
            self._refuse_head()
        if self._head_timer is not None:
            self._end_head()
        if self._refusal is not None:
            return
        if self.parser.should_upgrade():
            self._upgrades_in_vain = not self._should_upgrade()
            if not self._upgrades_in_vain:
                super().on_headers_complete()
            elif self.parser.get_method() == b"CONNECT":
                self._refuse(NotHttp("This server is no proxy: it does not take CONNECT."))
            # Whoever hears that the message is complete; uvicorn starts with None.
            self.cycle = self.cycle or _NOBODY  # type: ignore[truthy-bool]
            return
        self._upgrades_in_vain = False
        before = self.cycle
        super().on_headers_complete()
        self.headers = []  # of trailers, which must not join the headers
        if len(self.pipeline) == 1:
            self._running = before
        if self._is_lingering:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        if self._refusal is None:
            super().on_body(body)

    def may_read_on(self) -> bool:
        """Return whether to read on; where something has come already, go on with that instead.

        Called when a request has been answered, and when one asks for its body.
        """
        if self.pipeline:
            self._running = self.pipeline[-1][0]
            return False
        if self.unparsed or self._refusal is not None:
            self.loop.call_soon(self._go_on)
            return False
        return True

    def _go_on(self) -> None:
        """Parse what has come meanwhile, or refuse it once all before it is answered."""
        if self.transport.is_closing() or self.pipeline:
            return
        if self._refusal is not None:
            if self._is_idle():
                self._send_refusal()
        elif self.unparsed:
            data, self.unparsed = self.unparsed, b""
            self.data_received(data)
            self.flow.resume_reading()

    def shutdown(self) -> None:
        """Listen on for a moment where all is answered: a request may be on its way."""
        if self._is_idle() and not self._is_lingering:
            self._is_lingering = True
            self.loop.call_later(LINGER_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._cut_later()

    def _is_idle(self) -> bool:
        unasked = self.cycle is None  # before the first request, whatever uvicorn's type says
        return unasked or self.cycle.response_complete

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _end_head(self) -> None:
        self._head_bytes, self._is_in_head = 0, False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.pipeline or self.unparsed:  # the rest may be here, behind requests that wait
            self._await_head()
            return
        if not self._is_in_head:  # opened in advance, as browsers do
            self.transport.close()
            return
        detail = (
            f"The request's head did not arrive within {HEAD_SECONDS:g} seconds. Send it again."
        )
        self._refuse(TooSlow(detail))

    def _refuse_head(self) -> None:
        detail = f"The request's head is larger than {HEAD_BYTES} bytes. Send fewer headers."
        self._refuse(HeadTooLarge(detail))

    def _refuse(self, problem: Problem) -> None:
        """Refuse what came last, once the requests before it are answered."""
        self._end_head()
        if self.transport.is_closing() or self._refusal is not None:
            return
        self._refusal = problem
        if self._is_idle() or (self.cycle.more_body and not self.pipeline):
            self._send_refusal()

    def _send_refusal(self) -> None:
        assert self._refusal is not None
        self.transport.write(closing_response(response_to(self._refusal)))
        self.transport.close()
        self._cut_later()


_NOBODY = cast(
    RequestResponseCycle, SimpleNamespace(response_complete=True, message_event=asyncio.Event())
)
"""Stands for the first request of a connection while it is parsed for the first of two times."""


def closing_response(response: Response) -> bytes:
    """Return the bytes of a response after which the connection closes, for use past ASGI."""
    response.headers.update({**security_headers(), "Connection": "close"})
    head = b"".join(b"%b: %b\r\n" % pair for pair in response.raw_headers)
    return STATUS_LINE[response.status_code] + head + b"\r\n" + bytes(response.body)
