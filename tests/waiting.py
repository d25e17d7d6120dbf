"""Waiting for what happens elsewhere: in another process, or in a thread that notifies nobody.

Within one process wait on an `Event` or a `Condition` instead.
"""

import time
from collections.abc import Callable
from typing import TypeVar

PAUSE_SECONDS = 0.02
"""Between two questions. No test depends on it: it leaves the processor to the other side."""

Found = TypeVar("Found")


def until(ask: Callable[[], Found], what: str, *, seconds: float = 60) -> Found:
    """Return the first true answer of `ask`; fail with `what` once the time is up."""
    deadline = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < deadline, f"waited {seconds:g} seconds for {what}"
        time.sleep(PAUSE_SECONDS)
    return found
