"""What the server says of each request: an id, one line in the log, one count."""

import json
import logging
import re
import time
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import PurePath
from random import getrandbits
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security import is_probe
from app.tally import Tally

ID_HEADER = b"x-request-id"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
STREAM = "STREAM"
"""The method of a WebSocket, in log and metrics."""
NO_ROUTE = "none"
"""The route of what no route takes: paths are the clients' to invent, and must not be labels."""
HEADS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}

log = logging.getLogger("explorer.request")
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request being answered; every line that is logged for it carries it."""
_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class _Request:
    """One request on its way: its id, when it came, where the router took it, what was answered."""

    __slots__ = ("endpoint", "header", "known", "start", "status", "to_client")

    def __init__(self, scope: Scope, send: Send) -> None:
        self.start = time.perf_counter()
        self.known = _id(scope)
        self.header = (ID_HEADER, self.known.encode())
        self.endpoint: object = None
        self.status = 101 if scope["type"] == "websocket" else 500  # unless the answer says more
        self.to_client = send

    async def send(self, message: Message) -> None:
        if message["type"] in HEADS:
            self.status = message.get("status", self.status)
            message = {**message, "headers": [*message.get("headers", ()), self.header]}
        await self.to_client(message)


class Observed:
    """ASGI middleware, the outermost: an id, a line and a count for every request.

    A stream's come when it has ended. A line holds nothing that a client wrote but the id: the
    route stands in it as a template, for a path may hold latents. Probes and scrapes that went
    well are written at the level DEBUG.
    """

    def __init__(self, app: ASGIApp, tally: Tally) -> None:
        self.app = app
        self.tally = tally
        self.templates: dict[object, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self.templates = _templates(scope["app"].routes)
            return await self.app(scope, receive, send)
        request = scope[_REQUEST] = _Request(scope, send)
        request_id.set(request.known)
        try:
            return await self.app(scope, receive, request.send)
        finally:
            self._tell(scope, request)

    def _tell(self, scope: Scope, request: _Request) -> None:
        seconds = time.perf_counter() - request.start
        route = self.templates.get(request.endpoint, NO_ROUTE)
        if scope["type"] == "websocket":
            method = STREAM
            self.tally.request(route, method, request.status, None)
        else:
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.tally.request(route, method, request.status, seconds)
        quiet = request.status < 400 and (is_probe(scope) or route == "/metrics")
        level = logging.DEBUG if quiet else logging.INFO
        if log.isEnabledFor(level):
            client = (scope.get("client") or ("-",))[0]
            _write(level, request, client, method, route, round(seconds * 1000, 2))


class Reached:
    """ASGI middleware, the innermost: tells `Observed` where the router went.

    Those between them may have passed on a copy of the scope.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] != "lifespan":
                scope[_REQUEST].endpoint = scope.get("endpoint")


_REQUEST = "explorer.request"


def _templates(routes: Sequence[BaseRoute]) -> dict[object, str]:
    """Give each endpoint's path with names in place of what varies; a mount's is its app."""
    found: dict[object, str] = {}
    for context in iter_route_contexts(routes):
        end = context.endpoint or getattr(context.route, "app", None)
        found[end] = context.path_format or NO_ROUTE
    return found


def _id(scope: Scope) -> str:
    """Take the request's id from its header, if it is one that a log can bear, or make one."""
    for name, value in scope["headers"]:
        if name == ID_HEADER and _GIVEN.fullmatch(value):
            return str(value, "ascii")
    return f"{getrandbits(64):016x}"


def _write(
    level: int, request: _Request, client: str, method: str, route: str, milliseconds: float
) -> None:
    facts = {
        "client": client,
        "method": method,
        "route": route,
        "status": request.status,
        "milliseconds": milliseconds,
    }
    log.log(
        level, "%s %s %s %d %.1f ms %s",
        client, method, route, request.status, milliseconds, request.known,
        extra={"facts": facts},
    )  # fmt: skip


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the facts of a request."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (known := request_id.get()) is not None:
            line["request_id"] = known
        line.update(getattr(record, "facts", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class SaidByUs(logging.Filter):
    """Drops what uvicorn tells of each stream: three lines with its query, beside our one."""

    def filter(self, record: logging.LogRecord) -> bool:
        of_a_stream = PurePath(record.pathname).parent.name == "websockets"
        return record.levelno > logging.INFO or not of_a_stream


def logging_config(log_format: str) -> dict[str, Any]:
    """Give `logging.config.dictConfig` what makes all loggers write to stderr in one format."""
    formatters = {
        "text": {"format": "%(asctime)s %(levelname)s %(message)s"},
        "json": {"()": JsonLines},
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": formatters,
        "filters": {"said by us": {"()": SaidByUs}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": log_format}},
        "loggers": {"uvicorn.error": {"filters": ["said by us"]}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
    }
