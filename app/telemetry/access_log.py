"""The access log: one line and one count for each request.

A record of `logging` costs as much as the rest of a cached tile. The gate therefore appends plain
entries, which are counted and written together ten times a second, each with its own time.
"""

import asyncio
import ipaddress
import json
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from app.http.probes import is_probe
from app.telemetry.counters import Counters

STREAM = "STREAM"
"""The method of a WebSocket in the log and in the metrics."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", STREAM}
NO_ROUTE = "none"
"""The route of a request that no route takes: a path that a client invents must not be a label."""
DELAY_SECONDS = 0.1
"""After which a request is in the log."""

log = logging.getLogger("explorer.request")


class Entry(NamedTuple):
    """A request that has ended."""

    time: float
    """When it ended, in Unix time."""
    client: tuple[str, int] | None
    method: str
    endpoint: object
    """What the router called; None if it found no route."""
    status: int
    """Of the response; 101 for a stream that has ended."""
    seconds: float
    """From its head to the end of its response."""
    request_id: bytes


class AccessLog:
    """Counts requests and logs them.

    The request id is all that a line holds of what a client wrote; the route is a template, because
    a path may hold latents. Probes and scrapes that succeed are logged at DEBUG, refused and failed
    requests at WARNING.

    Args:
        counters: Where requests are counted.
        log_format: `text` or `json`.

    Attributes:
        entries: The requests that are not written yet.
        is_due: Whether `write` is scheduled.
    """

    def __init__(self, counters: Counters, log_format: str) -> None:
        self.counters = counters
        self.entries: list[tuple[Any, ...]] = []
        self.is_due = False
        self._line = _as_json if log_format == "json" else _as_text
        self._templates: dict[object, str] = {}

    def know(self, routes: Iterable[BaseRoute]) -> None:
        """Learn the first path template of each endpoint; the endpoint of a mount is its app."""
        for context in iter_route_contexts(list(routes)):
            end = context.endpoint or getattr(context.route, "app", None)
            self._templates.setdefault(end, context.path_format or NO_ROUTE)

    def write_soon(self) -> None:
        """Schedule `write`; needs a running event loop."""
        self.is_due = True
        asyncio.get_running_loop().call_later(DELAY_SECONDS, self.write)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Write the last entries when the context ends."""
        yield
        self.write()

    def write(self) -> None:
        """Count and write the entries that are not written yet."""
        entries, self.entries, self.is_due = self.entries, [], False
        lines, highest = [], logging.NOTSET
        for entry in map(Entry._make, entries):
            route = self._templates.get(entry.endpoint, NO_ROUTE)
            method = entry.method if entry.method in METHODS else "other"
            seconds = None if method == STREAM else entry.seconds
            self.counters.request(route, method, entry.status, seconds)
            level = logging.WARNING if entry.status >= 400 else logging.INFO
            if level == logging.INFO and is_probe(route):
                level = logging.DEBUG
            if log.isEnabledFor(level):
                highest = max(highest, level)
                lines.append(self._line(entry, level, method, route))
        if lines:
            log.log(highest, "%s", "\n".join(lines))


@lru_cache(maxsize=1024)
def _address(host: str) -> str:
    """Return a client's address, or a dash if a proxy forwarded something else."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return "-"


@lru_cache(maxsize=4)
def _clock(form: str, second: int) -> str:
    return time.strftime(form, time.localtime(second))


def _as_text(entry: Entry, level: int, method: str, route: str) -> str:
    moment = _clock("%Y-%m-%d %H:%M:%S", int(entry.time))
    thousandths = int(entry.time % 1 * 1000)
    message = _message(entry, method, route)
    return f"{moment},{thousandths:03d} {logging.getLevelName(level)} {message}"


def _message(entry: Entry, method: str, route: str) -> str:
    client = _address(entry.client[0]) if entry.client else "-"
    milliseconds, request_id = 1000 * entry.seconds, entry.request_id.decode()
    return f"{client} {method} {route} {entry.status} {milliseconds:.1f} ms {request_id}"


def _as_json(entry: Entry, level: int, method: str, route: str) -> str:
    line: dict[str, Any] = {
        "time": _clock("%Y-%m-%dT%H:%M:%S%z", int(entry.time)),
        "level": logging.getLevelName(level),
        "logger": log.name,
        "message": _message(entry, method, route),
        "request_id": entry.request_id.decode(),
        "client": _address(entry.client[0]) if entry.client else "-",
        "method": method,
        "route": route,
        "status": entry.status,
        "milliseconds": round(1000 * entry.seconds, 2),
    }
    return json.dumps(line, ensure_ascii=False)
