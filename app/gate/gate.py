"""The gate: the one middleware that every request passes, in and out.

It gives each request an id, bounds its time, its body and the number of its kind, checks the host
and the origin, turns exceptions into responses, adds the security headers, and notes the request
in the access log.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import getrandbits
from re import compile as pattern

from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import CLIENT_GONE, BodyTooLarge, NotHttp, Overloaded, response_to
from app.gate.hosts import Origins, check_host
from app.gate.limits import Bodies, Deadlines
from app.gate.root_path import enter_root_path
from app.http.compression import Unpacking
from app.http.probes import is_probe
from app.http.security_headers import security_headers
from app.lifespan import plain_start_errors
from app.settings import Settings
from app.telemetry.access_log import STREAM, AccessLog
from app.telemetry.logs import request_id

ID_HEADER = b"x-request-id"
GIVEN_ID = pattern(rb"[A-Za-z0-9._-]{1,64}")
"""An id that a client may choose: one that a log can bear."""
TOO_LARGE = BodyTooLarge.status
DRAIN_SECONDS = 2.0
DRAIN_BYTES = 256 * 2**20
"""Of a body that is refused, read on while the client sends it, and thrown away."""
HEADS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}

Wrap = Callable[[ASGIApp], ASGIApp]


class Exchange:
    """One request and its answer."""

    id = b""
    has_begun = False
    """Whether the head of the answer has been sent."""
    has_ended = False
    is_late = False
    """Whether it was cancelled for taking too long."""
    body_is_whole: bool | None = None
    """None until somebody reads it."""
    received = held = 0
    """Bytes of the body that have come, and of them those that `Bodies` counts."""
    unpacking: Unpacking | None = None
    """Of a body that comes compressed."""
    values: int | None = None
    """Values of JSON in those; None if the body is not JSON."""

    def __init__(self, gate: "Gate", scope: Scope, receive: Receive, send: Send) -> None:
        self.begun = time.perf_counter()
        self._gate, self.scope, self._receive, self._send = gate, scope, receive, send
        self.task: asyncio.Task[object] = asyncio.current_task()  # type: ignore[assignment]
        if scope["type"] == "http":
            self.method, self.status = scope["method"], 500  # unless the answer says more
        else:
            self.method, self.status = STREAM, 101

    async def receive(self) -> Message:
        """Receive the next message, and count what it brings of the body."""
        self.body_is_whole = bool(self.body_is_whole)
        message = await self._receive()
        if message["type"] == "http.request":
            self.body_is_whole = not message.get("more_body", False)
            piece = message.get("body", b"")
            if self.unpacking is not None:
                unpack = self.unpacking.unpack
                piece = await asyncio.to_thread(unpack, piece, self.body_is_whole)
                message = {**message, "body": piece}
            self.received += len(piece)
            if self.received > self._gate.bodies.uncounted:
                self._gate.bodies.count(self, piece)
        return message

    async def send(self, message: Message) -> None:
        """Send a message; a head gets the request's id and the security headers."""
        kind = message["type"]
        if kind == "http.response.body":
            self.has_ended = not message.get("more_body", False)
            if self.method == "HEAD":
                message["body"] = b""
            if self.status == TOO_LARGE and self.has_ended and not self.body_is_whole:
                await self._send({**message, "more_body": True})
                await self._drain()
                message = {"type": kind, "body": b""}
        elif kind == "websocket.close" and not self.has_begun:
            self.status = 403  # as uvicorn answers where no route takes the stream
        elif kind in HEADS:
            self.has_begun = True
            self._gate.deadlines.pending.pop(self, None)
            self.status = message.get("status", self.status)
            if self.method == "HEAD":
                self.scope["method"] = "HEAD"
            own = self._gate.headers if kind == "http.response.start" else ()
            message["headers"] = [*message.get("headers", ()), *own, (ID_HEADER, self.id)]
            if path := self.scope.get("path_params"):
                model = self._gate.hashes.get(path.get("model") or path.get("name", ""))
                if model is not None:
                    message["headers"].append(model)
        await self._send(message)

    async def _drain(self) -> None:
        """Read the rest of a refused body for a moment: who is cut off loses the answer too."""
        if b"expect" in dict(self.scope["headers"]):  # the client asked before it sent
            return
        size = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while size < DRAIN_BYTES:
                    message = await self._receive()
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        return
                    size += len(message["body"])


class Gate:
    """ASGI middleware: the checks below, in their order, before `app` sees a request.

    Args:
        app: What is behind it.
        settings: Of the server.
        log: Where requests are noted.
        hashes: `Registry.hashes`, for the answers of models.
        cors: Wraps an app so that it answers pages of other origins, if any may call the API.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        log: AccessLog,
        hashes: Mapping[str, tuple[bytes, bytes]],
        cors: Wrap | None = None,
    ) -> None:
        self.app = cors(app) if cors else app
        self.refuse = cors(_refuse) if cors else _refuse
        self.log, self.hashes = log, hashes
        self.max_connections = settings.max_connections
        self.open = 0
        self.bodies = Bodies(settings.max_body_bytes, settings.max_bodies_bytes)
        self.counted_digits = len(str(self.bodies.uncounted))
        self.deadlines = Deadlines(settings.request_timeout_seconds)
        hosts = [host.lower() for host in settings.allowed_hosts]
        self.hosts = None if "*" in hosts else hosts
        self.origins = Origins(settings.allowed_origins, settings.trusted_proxies, log.counters)
        self.root_path = settings.root_path
        own = security_headers(settings.frame_ancestors)
        self.headers = [(name.lower().encode(), value.encode()) for name, value in own.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, plain_start_errors(send))
        exchange = Exchange(self, scope, receive, send)
        self.open += 1
        try:
            redirect = self._check(exchange, scope)
            await (redirect or self.app)(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = CLIENT_GONE
        except asyncio.CancelledError:
            if not exchange.is_late or exchange.task.uncancel():
                raise
            late = self.deadlines.refusal(exchange.body_is_whole is not False)
            await self._refuse_with(late, exchange)
        except Exception as error:
            if not exchange.has_begun:
                await self._refuse_with(error, exchange)
            elif not exchange.has_ended:  # else Starlette has answered, and raises all the same
                raise
        finally:
            self.open -= 1
            self.deadlines.pending.pop(exchange, None)
            if exchange.held:
                self.bodies.release(exchange)
            seconds, method = time.perf_counter() - exchange.begun, exchange.method
            client, endpoint = scope.get("client"), scope.get("endpoint")
            self.log.entries.append(
                (time.time(), client, method, endpoint, exchange.status, seconds, exchange.id)
            )
            if not self.log.is_due:
                self.log.write_soon()
        return None

    def _check(self, exchange: Exchange, scope: Scope) -> ASGIApp | None:
        """Refuse a request, or return what answers it before any route does, or None."""
        headers = dict(scope["headers"])
        given = headers.get(ID_HEADER)
        if given is not None and GIVEN_ID.fullmatch(given):
            exchange.id = given
        else:
            exchange.id = b"%016x" % getrandbits(64)
        request_id.set(exchange.id)
        if self.open > self.max_connections and not is_probe(scope["path"]):
            raise Overloaded(
                f"{self.open - 1} requests and streams are open, as many as this server takes at "
                "once. Try again in a second."
            )
        if len(headers) < len(scope["headers"]) or b"host" not in headers:
            _check_one_host(scope)
        if self.hosts is not None and not is_probe(scope["path"]):
            check_host(headers, self.hosts)
        if scope["type"] == "websocket":
            self.origins.check(scope, headers)
        else:
            self.deadlines.pending[exchange] = None
            if not self.deadlines.is_watching:
                self.deadlines.watch()
            length = headers.get(b"content-length", b"")
            if len(length) >= self.counted_digits:
                self.bodies.check_declared(length)
            coding = headers.get(b"content-encoding", b"identity")
            if coding.lower() != b"identity" and exchange.method == "POST":
                exchange.unpacking = Unpacking(coding.decode("latin-1"), self.bodies.max_bytes)
            if exchange.method == "HEAD":  # every route that answers GET answers HEAD as well
                scope["method"] = "GET"
        return enter_root_path(scope, self.root_path) if self.root_path else None

    async def _refuse_with(self, error: Exception, exchange: Exchange) -> None:
        scope = exchange.scope
        scope[_ERROR] = error
        await self.refuse(scope, exchange.receive, exchange.send)


class Explorer(FastAPI):
    """FastAPI, behind the hot routes, behind the gate."""

    gate: Gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self.gate(scope, receive, send)


def _check_one_host(scope: Scope) -> None:
    if scope["http_version"] == "1.1":
        hosts = sum(name == b"host" for name, _ in scope["headers"])
        if hosts != 1:
            raise NotHttp(f"The request has {hosts} Host headers; HTTP/1.1 asks for one. Send one.")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await response_to(scope.pop(_ERROR), scope)(scope, receive, send)


_ERROR = "explorer.error"
