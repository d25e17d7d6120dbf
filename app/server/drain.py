"""Between SIGTERM and the closing of the listener: no longer ready, and still answering.

Whoever balances the load needs seconds to hear that a server will go, and sends requests until
then. uvicorn closes its listener at once, so its signal is held back for a while, here, where every
worker comes by.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

from app.serving.registry import Registry

log = logging.getLogger("explorer")


@asynccontextmanager
async def holding_back_sigterm(seconds: float, registry: Registry) -> AsyncIterator[None]:
    """Hold back SIGTERM within this context; SIGINT (Ctrl-C) and a second SIGTERM act at once.

    Args:
        seconds: For how long; 0 leaves the signal alone.
        registry: Where the probe of readiness reads that the server `is_stopping`.
    """
    in_main = threading.current_thread() is threading.main_thread()  # no other gets signals
    stop = signal.getsignal(signal.SIGTERM)
    if not (seconds and in_main and callable(stop)):
        yield
        return
    loop = asyncio.get_running_loop()

    def hold_back(number: int, frame: FrameType | None) -> None:
        if registry.is_stopping:
            stop(number, frame)
        else:
            registry.is_stopping = True
            loop.call_soon_threadsafe(wait)

    def wait() -> None:
        log.info("Stopping in %g seconds: not ready any more, and still answering", seconds)
        loop.call_later(seconds, stop, signal.SIGTERM, None)

    signal.signal(signal.SIGTERM, hold_back)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, stop)
