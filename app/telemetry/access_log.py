"""What is kept of each request: one line in the log, one count.

A record of `logging` costs as much as the rest of a cached tile. So what there is to say is noted
as it stands, and lines are made of it some times a second, many at once, each with its own time.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from random import getrandbits
from re import compile as pattern
from typing import Any, NamedTuple

from starlette.types import Scope

from app.gate.limits import is_probe
from app.telemetry.counters import Tally

ID_HEADER = b"x-request-id"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
STREAM = "STREAM"
"""The method of a WebSocket, in log and metrics."""
LATEST_SECONDS = 0.1
"""After which a request stands in the log."""

log = logging.getLogger("explorer.request")
_GIVEN = pattern(rb"[A-Za-z0-9._-]{1,64}")


class Entry(NamedTuple):
    """One request that was answered."""

    time: float
    level: int
    client: str
    method: str
    route: str
    status: int
    milliseconds: float
    request_id: str


class Ledger:
    """Counts requests and tells the log of them; needs a running event loop.

    A line holds nothing that a client wrote but the id: the route stands in it as a template, for a
    path may hold latents. Probes and scrapes that went well are written at the level DEBUG.

    Args:
        tally: Where requests are counted.
        log_format: `text` or `json`.
        log_requests: `all` or `failed`: the others are written at the level DEBUG then.
    """

    def __init__(self, tally: Tally, log_format: str, log_requests: str = "all") -> None:
        self.tally = tally
        self.failed_only = log_requests == "failed"
        self._line = _as_json if log_format == "json" else _as_text
        self._entries: list[Entry] = []

    def note(self, scope: Scope, known: str, route: str, status: int, begun: float) -> None:
        """Count a request and have it logged soon.

        Args:
            scope: Of the request.
            known: Its id.
            route: Where it went, with names in place of what varies.
            status: Of the answer; 101 for a stream that has ended.
            begun: When it came, by `time.perf_counter`.
        """
        quiet = status < 400 and (route == "/metrics" or is_probe(scope))
        method = scope["method"] if scope["type"] == "http" else STREAM
        self.enter(scope.get("client"), method, known, route, status, begun, quiet)

    def enter(
        self,
        client: tuple[str, int] | None,
        method: str,
        known: str,
        route: str,
        status: int,
        begun: float,
        quiet: bool = False,
    ) -> None:
        """`note`, for who has no scope; what is quiet is logged at the level DEBUG."""
        seconds = time.perf_counter() - begun
        if method == STREAM:
            self.tally.request(route, method, status, None)
        else:
            method = method if method in METHODS else "other"
            self.tally.request(route, method, status, seconds)
        quiet = quiet or (self.failed_only and status < 400)
        level = logging.DEBUG if quiet else logging.INFO
        if not log.isEnabledFor(level):
            return
        if not self._entries:
            asyncio.get_running_loop().call_later(LATEST_SECONDS, self.write)
        name = client[0] if client else "-"
        self._entries.append(
            Entry(time.time(), level, name, method, route, status, 1000 * seconds, known)
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Write what is noted last when the context ends."""
        yield
        self.write()

    def write(self) -> None:
        """Write what is noted, now."""
        entries, self._entries = self._entries, []
        if entries:
            level = max(entry.level for entry in entries)
            log.log(level, "%s", "\n".join(map(self._line, entries)))


def id_of(given: bytes | None) -> str:
    """Take the request's id from its header, if it is one that a log can bear, or make one."""
    if given is not None and _GIVEN.fullmatch(given):
        return str(given, "ascii")
    return getrandbits(64).to_bytes(8).hex()


@lru_cache(maxsize=4)
def _clock(form: str, second: int) -> str:
    return time.strftime(form, time.localtime(second))


def _as_text(entry: Entry) -> str:
    moment = _clock("%Y-%m-%d %H:%M:%S", int(entry.time))
    thousandths = int(entry.time % 1 * 1000)
    level = logging.getLevelName(entry.level)
    return f"{moment},{thousandths:03d} {level} {_message(*entry[2:])}"


def _message(
    client: str, method: str, route: str, status: int, milliseconds: float, request_id: str
) -> str:
    return f"{client} {method} {route} {status} {milliseconds:.1f} ms {request_id}"


def _as_json(entry: Entry) -> str:
    line: dict[str, Any] = {
        "time": _clock("%Y-%m-%dT%H:%M:%S%z", int(entry.time)),
        "level": logging.getLevelName(entry.level),
        "logger": log.name,
        "message": _message(*entry[2:]),
        "request_id": entry.request_id,
        "client": entry.client,
        "method": entry.method,
        "route": entry.route,
        "status": entry.status,
        "milliseconds": round(entry.milliseconds, 2),
    }
    return json.dumps(line, ensure_ascii=False)
