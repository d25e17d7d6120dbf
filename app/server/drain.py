"""Between SIGTERM and the closing of the listener: no longer ready, and still answering.

Whoever balances the load needs seconds to hear that a server will go, and sends requests until
then. uvicorn closes its listener at once, so its signal is held back for a while, here, where every
worker comes by.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType

from app.serving.registry import Registry

log = logging.getLogger("explorer")


class Drain:
    """Holds back SIGTERM; SIGINT (Ctrl-C) and a second SIGTERM still act at once.

    Args:
        seconds: For how long; 0 leaves the signal alone.
        registry: Where the probe of readiness reads that the server `is_stopping`.
    """

    def __init__(self, seconds: float, registry: Registry) -> None:
        self.seconds = seconds
        self.registry = registry

    @asynccontextmanager
    async def holding_back(self) -> AsyncIterator[None]:
        """Hold it back within this context."""
        in_main = threading.current_thread() is threading.main_thread()  # no other gets signals
        stop = signal.getsignal(signal.SIGTERM)
        if not (self.seconds and in_main and callable(stop)):
            yield
            return
        loop = asyncio.get_running_loop()

        def hold_back(number: int, frame: FrameType | None) -> None:
            if self.registry.is_stopping:
                stop(number, frame)
                return
            self.registry.is_stopping = True
            loop.call_soon_threadsafe(self._wait, loop, lambda: stop(number, None))

        signal.signal(signal.SIGTERM, hold_back)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, stop)

    def _wait(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        log.info("Stopping in %g seconds: not ready any more, and still answering", self.seconds)
        loop.call_later(self.seconds, stop)
