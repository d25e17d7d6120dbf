"""What every request must pass, as pure ASGI middleware: hosts, origins, limits, headers.

Each refusal here is the same problem document as elsewhere, written before any route is reached.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BodyTooLarge, ForeignOrigin, Overloaded, Problem, TooSlow, WrongHost
from app.http.json_body import count_values

MOST_VALUES = 200_000
"""Of one JSON body; 64 images as numbers are 50,000."""

PROBES = ("/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready")


def is_probe(scope: Scope) -> bool:
    """Probes are answered by a full server, under any host: just then one wants to know."""
    path: str = scope["path"]
    return path.endswith(PROBES)


HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


security_headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class SecurityHeaders:
    """Adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *security_headers]}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def host_is_allowed(header: str, hosts: Sequence[str]) -> bool:
    """Tell whether a Host header names one of `hosts`, such as `example.org`, `*.example.org`."""
    try:
        host = urlsplit("//" + header).hostname or ""
    except ValueError:
        return False
    return any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in hosts
    )


class AllowedSites:
    """Answers for the allowed hosts only, and opens WebSockets for the allowed origins only.

    Browsers do not apply CORS to WebSockets: without this, any page could open one. A client that
    sends no Origin is no browser, and is let in.

    Args:
        app: What to protect.
        hosts: `example.org`, `*.example.org` or `*`.
        origins: Such as `https://example.org`, or `*`; the own host is always allowed.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self.app = app
        self.hosts = [host.lower() for host in hosts]
        self.origins = [origin.lower() for origin in origins]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = None
        if scope["type"] != "lifespan" and "*" not in self.hosts and not is_probe(scope):
            problem = self._refuse_host(Headers(scope=scope))
        if problem is None and scope["type"] == "websocket":
            problem = self._refuse_origin(Headers(scope=scope))
        if problem is not None:
            return await problem.response()(scope, receive, send)
        return await self.app(scope, receive, send)

    def _refuse_host(self, headers: Headers) -> Problem | None:
        if host_is_allowed(headers.get("host", ""), self.hosts):
            return None
        return WrongHost(
            "This server does not answer for the host in the Host header; its operator lists the "
            "hosts in EXPLORER_ALLOWED_HOSTS."
        )

    def _refuse_origin(self, headers: Headers) -> Problem | None:
        origin = headers.get("origin", "").lower()
        own = origin.partition("://")[2] == headers.get("host", "").lower()
        if not origin or own or origin in self.origins or "*" in self.origins:
            return None
        return ForeignOrigin(
            "A page of another origin may not open a stream here; the operator of this server "
            "lists the origins that may in EXPLORER_ALLOWED_ORIGINS."
        )


@dataclass
class Room:
    """How many requests and streams are open, and may be at once."""

    most: int
    open: int = 0

    def is_full(self) -> bool:
        return self.open >= self.most


class Limits:
    """Bounds what clients can take: connections, bytes of a body, and seconds.

    Bytes are counted as they come, whatever Content-Length says; in JSON the values too, because
    to parse many of them holds everyone up: 14 MB of small lists take 3 seconds. The clock runs
    until the answer starts; how long a client takes to read it is its own affair.

    Args:
        app: What to protect.
        room: For requests and streams.
        max_body_bytes: Bytes of one request body.
        timeout_seconds: From the head of a request to the head of its answer.
    """

    def __init__(
        self, app: ASGIApp, room: Room, max_body_bytes: int, timeout_seconds: float
    ) -> None:
        self.app = app
        self.room = room
        self.max_body_bytes = max_body_bytes
        self.timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if self.room.is_full() and not is_probe(scope):
            problem = Overloaded(
                f"{self.room.open} requests and streams are open, as many as this server takes "
                "at once. Try again in a second."
            )
            return await problem.response()(scope, receive, send)
        self.room.open += 1
        try:
            if scope["type"] == "websocket":
                return await self.app(scope, receive, send)
            return await self._limited(scope, receive, send)
        finally:
            self.room.open -= 1

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(reversed(scope["headers"]))  # of two, the routes read the first
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self.max_body_bytes:
            return await self._too_large().response()(scope, receive, send)
        received = values = 0
        is_json = b"json" in headers.get(b"content-type", b"").lower()
        whole: bool | None = None  # until someone reads the body

        async def receive_counted() -> Message:
            nonlocal received, values, whole
            whole = whole or False
            message = await receive()
            whole = not message.get("more_body", False)
            body = message.get("body", b"")
            received += len(body)
            if received > self.max_body_bytes:
                raise self._too_large()
            if is_json:
                values += count_values(body)
                if values > MOST_VALUES:
                    raise self._too_many_values()
            return message

        async def send_in_time(message: Message) -> None:
            deadline.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self.timeout_seconds) as deadline:
                await self.app(scope, receive_counted, send_in_time)
        except TimeoutError:
            if not deadline.expired():
                raise
            await self._too_slow(cut_off=whole is False).response()(scope, receive, send)

    def _too_large(self) -> Problem:
        return BodyTooLarge(
            f"The body is larger than the {self.max_body_bytes} bytes that this server takes. "
            "Send fewer or smaller images, or ask its operator for a higher "
            "EXPLORER_MAX_BODY_BYTES.",
            headers={"Connection": "close"},
        )

    def _too_many_values(self) -> Problem:
        return BodyTooLarge(
            f"The JSON holds more than {MOST_VALUES} values, more than any request here needs. "
            "Send fewer at once, or images as files.",
            headers={"Connection": "close"},
        )

    def _too_slow(self, cut_off: bool) -> Problem:
        if cut_off:
            return TooSlow(
                f"The body did not arrive within {self.timeout_seconds:g} seconds. Send it again.",
                headers={"Connection": "close"},
            )
        return late(self.timeout_seconds)


def late(seconds: float) -> Overloaded:
    """Make the refusal of a request whose answer was not ready in so many seconds."""
    return Overloaded(
        f"No answer was ready within {seconds:g} seconds. Ask for less at once, or try again later."
    )
