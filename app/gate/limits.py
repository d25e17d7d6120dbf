"""Bounds on what clients can take: bytes of bodies, values of JSON, seconds until an answer."""

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from app.errors import BodyTooLarge, Overloaded, Problem, TooSlow
from app.http.json_body import count_values

if TYPE_CHECKING:
    from app.gate.gate import Exchange

SMALL_BODY = 64 * 1024
"""Bytes up to which a body is not counted: the bound on connections bounds them all together."""
MAX_VALUES = 200_000
"""Of one JSON body; 64 images as numbers are 50,000."""
_CLOSE = {"Connection": "close"}


class Bodies:
    """Bounds each body, and all bodies in flight together.

    Bytes are counted as they come, whatever Content-Length says; in JSON the values too, because
    parsing many of them delays everyone: 14 MB of small lists take 3 seconds.

    Args:
        max_bytes: Of one body.
        max_bytes_together: Of all bodies that are being read or worked on.

    Attributes:
        uncounted: Bytes up to which a body is not counted.
        held: Bytes of all bodies that are counted now.
    """

    def __init__(self, max_bytes: int, max_bytes_together: int) -> None:
        self.max_bytes = max_bytes
        self.max_bytes_together = max_bytes_together
        self.uncounted = min(SMALL_BODY, max_bytes)
        self.held = 0

    def check_declared(self, length: bytes) -> None:
        """Refuse a body by its Content-Length, before any of it is read.

        Raises:
            BodyTooLarge: It is longer than one body may be.
            Overloaded: It is longer than what is left for all of them.
        """
        if not length.isdigit() or (size := int(length[:20])) <= self.uncounted:
            return
        if size > self.max_bytes or len(length) > 20:
            raise self._too_large()
        if self.held + size > self.max_bytes_together:
            raise self._too_many()

    def count(self, body: "Exchange", piece: bytes) -> None:
        """Count a piece that has come, of a body of more than `uncounted` bytes.

        Raises:
            BodyTooLarge: The body has more bytes, or its JSON more values, than one may have.
            Overloaded: All bodies together have more bytes than they may have.
        """
        if not body.held:
            is_json = "json" in Headers(scope=body.scope).get("content-type", "").lower()
            body.values = 0 if is_json else None
        size = len(piece) if body.held else body.received
        body.held += size
        self.held += size
        if body.received > self.max_bytes:
            raise self._too_large()
        if self.held > self.max_bytes_together:
            raise self._too_many()
        if body.values is not None:
            body.values += count_values(piece)
            if body.values > MAX_VALUES:
                raise BodyTooLarge(
                    f"The JSON holds more than {MAX_VALUES} values, more than any request here "
                    "needs. Send fewer at once, or images as files.",
                    headers=_CLOSE,
                )

    def release(self, body: "Exchange") -> None:
        """Forget a body whose request has ended."""
        self.held -= body.held
        body.held = 0

    def _too_large(self) -> Problem:
        return BodyTooLarge(
            f"The body is larger than the {self.max_bytes} bytes that this server takes. "
            "Send fewer or smaller images, or ask its operator for a higher "
            "EXPLORER_MAX_BODY_BYTES.",
            headers=_CLOSE,
        )

    def _too_many(self) -> Problem:
        return Overloaded(
            "The bodies of other requests take all the memory that this server has for them. Try "
            "again in a few seconds, send less at once, or ask its operator for a higher "
            "EXPLORER_MAX_BODIES_BYTES.",
            retry_after_seconds=5,
            headers=_CLOSE,
        )


class Deadlines:
    """Cancels requests whose answer does not begin in time; one timer watches them all.

    Args:
        seconds: From the head of a request to the head of its answer. How long a client takes to
            read the answer is its own affair.

    Attributes:
        pending: The requests, the oldest first.
        is_watching: Whether the timer runs.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.pending: dict[Exchange, None] = {}
        self.is_watching = False

    def watch(self, seconds: float | None = None) -> None:
        """Look after so many seconds for requests that are late."""
        self.is_watching = True
        delay = self.seconds if seconds is None else seconds
        asyncio.get_running_loop().call_later(delay, self._cancel_late)

    def _cancel_late(self) -> None:
        self.is_watching = False
        latest = time.perf_counter() - self.seconds
        for request in list(self.pending):
            if request.begun > latest:
                self.watch(request.begun - latest)
                return
            del self.pending[request]
            request.is_late = True
            request.task.cancel()

    def refusal(self, body_is_whole: bool) -> Problem:
        """Return what a request is refused with that was cancelled."""
        if not body_is_whole:
            return TooSlow(
                f"The body did not arrive within {self.seconds:g} seconds. Send it again.",
                headers=_CLOSE,
            )
        return Overloaded(
            f"No answer was ready within {self.seconds:g} seconds. Ask for less at once, or try "
            "again later."
        )
