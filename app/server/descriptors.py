"""File descriptors: each connection takes one, and the system bounds them."""

import logging
import sys
import time

if sys.platform != "win32":
    import resource

RESERVE = 8
"""Descriptors left when the warning is given."""
WARN_SECONDS = 60.0
"""Between two warnings."""

log = logging.getLogger("explorer")
_warned_at = -WARN_SECONDS


def raise_limit() -> None:
    """Allow as many open files as the system lets this process have."""
    if sys.platform != "win32":
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        except (OSError, ValueError):  # some systems say more than they allow
            log.info("The limit on open files could not be raised")


def warn_when_few_are_left(number: int) -> None:
    """Log a warning if a new descriptor has one of the last numbers; the lowest are given first.

    Beyond the limit the event loop closes new connections unanswered, and goes on when others end.
    """
    global _warned_at
    limit = _limit()
    if number < limit - RESERVE or time.monotonic() < _warned_at + WARN_SECONDS:
        return
    _warned_at = time.monotonic()
    log.warning(
        "%d of %g file descriptors are open: new connections will be closed unanswered until "
        "others end. Raise the limit (ulimit -n), or lower EXPLORER_MAX_CONNECTIONS",
        number + 1, limit,
    )  # fmt: skip


def _limit() -> float:
    limit = float("inf")
    if sys.platform != "win32":
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return limit
