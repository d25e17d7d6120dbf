"""Logging: formats, levels, and the id of the request in JSON lines."""

import json
import logging
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any

request_id: ContextVar[bytes | None] = ContextVar("request_id", default=None)
"""Of the request that is being answered."""


class JsonLines(logging.Formatter):
    """Formats a record as a JSON object on one line, with the id of its request if it has one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := request_id.get()) is not None:
            line["request_id"] = current.decode()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class NotOfStreams(logging.Filter):
    """Drops the three lines that uvicorn logs for each stream; they hold its query."""

    def filter(self, record: logging.LogRecord) -> bool:
        of_a_stream = PurePath(record.pathname).parent.name == "websockets"
        return record.levelno > logging.INFO or not of_a_stream


def logging_config(log_format: str, log_level: str = "info") -> dict[str, Any]:
    """Return the `logging.config.dictConfig` that has all loggers write to stderr in one format."""
    handler = "logging.StreamHandler"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"format": "%(asctime)s %(levelname)s %(message)s"},
            "json": {"()": JsonLines},
            "ready": {"format": "%(message)s"},
        },
        "filters": {"not of streams": {"()": NotOfStreams}},
        "handlers": {
            "stderr": {"class": handler, "formatter": log_format},
            "access log": {"class": handler, "formatter": "ready"},
        },
        "loggers": {
            "uvicorn.error": {"filters": ["not of streams"]},
            "explorer.request": {"handlers": ["access log"], "propagate": False},
        },
        "root": {"handlers": ["stderr"], "level": log_level.upper()},
    }
