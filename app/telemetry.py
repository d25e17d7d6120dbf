"""What the server says of itself: the log, one line a request."""

import json
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.security import is_probe

log = logging.getLogger("explorer.request")


class RequestLog:
    """ASGI middleware: one line when a request is answered, or a stream has ended.

    A query is left out of it, and a probe that went well is written at the level DEBUG.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        start = time.perf_counter()
        status = 101 if scope["type"] == "websocket" else 500  # unless the answer says otherwise

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            return await self.app(scope, receive, send_noting_status)
        finally:
            quiet = status < 400 and is_probe(scope)
            milliseconds = (time.perf_counter() - start) * 1000
            _write(logging.DEBUG if quiet else logging.INFO, scope, status, milliseconds)


def _write(level: int, scope: Scope, status: int, milliseconds: float) -> None:
    if not log.isEnabledFor(level):
        return
    method = scope.get("method", "STREAM")
    path = scope.get("raw_path", b"").decode("ascii", "replace")  # raw: no line breaks in a log
    client = (scope.get("client") or ("-",))[0]
    facts = {
        "client": client,
        "method": method,
        "path": path,
        "status": status,
        "milliseconds": round(milliseconds, 2),
    }
    log.log(
        level, "%s %s %s %d %.1f ms", client, method, path, status, milliseconds,
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
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


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
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": log_format}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
    }
