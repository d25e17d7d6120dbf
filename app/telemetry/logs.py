"""What the server says of each request: an id, and what the ledger keeps; and how it logs."""

import json
import logging
import time
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.access_log import ID_HEADER, Ledger, id_of

NO_ROUTE = "none"
"""The route of what no route takes: paths are the clients' to invent, and must not be labels."""
HEADS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request being answered; every line that is logged for it carries it."""


class _Request:
    """One request on its way: its id, when it came, where the router took it, what was answered."""

    __slots__ = ("endpoint", "header", "known", "start", "status", "to_client")

    def __init__(self, scope: Scope, send: Send) -> None:
        self.start = time.perf_counter()
        self.known = id_of(dict(scope["headers"]).get(ID_HEADER))
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
    """ASGI middleware: an id for every request, and an entry in the ledger when it has ended."""

    def __init__(self, app: ASGIApp, ledger: Ledger) -> None:
        self.app = app
        self.ledger = ledger
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
            route = self.templates.get(request.endpoint, NO_ROUTE)
            self.ledger.note(scope, request.known, route, request.status, request.start)


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


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the id of the request."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (known := request_id.get()) is not None:
            line["request_id"] = known
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
        "ready": {"format": "%(message)s"},
    }
    handler = "logging.StreamHandler"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": formatters,
        "filters": {"said by us": {"()": SaidByUs}},
        "handlers": {
            "stderr": {"class": handler, "formatter": log_format},
            "ledger": {"class": handler, "formatter": "ready"},
        },
        "loggers": {
            "uvicorn.error": {"filters": ["said by us"]},
            "explorer.request": {"handlers": ["ledger"], "propagate": False},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
    }
