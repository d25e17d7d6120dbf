"""Workers share their metrics, so that any of them can answer a scrape for all.

Each worker writes a file of its own, once a second and before it answers a scrape; the one that
answers adds up the files. The file of a worker that died keeps its counters, not its gauges.
"""

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from app.errors import StartError

log = logging.getLogger("explorer")

Sample = tuple[str, tuple[str, ...], tuple[float, ...]]
"""A metric's name, the values of its labels, and a number, or a histogram's counts and sum."""

EVERY_SECONDS = 1.0
SILENT_SECONDS = 5.0
"""A worker that has not written for so long is taken for dead."""


class SharedMetrics:
    """The workers of one run.

    Args:
        folder: Where their files lie; empty if there is only one worker.
        own: Returns the samples of this worker.
        lasting: The metrics that outlive a worker: those that only grow.
    """

    def __init__(
        self, folder: str, own: Callable[[], Iterable[Sample]], lasting: Collection[str]
    ) -> None:
        self.folder = Path(folder) if folder else None
        self.own = own
        self.lasting = lasting
        self.name = f"{os.getpid()}-{time.time_ns()}.json"
        self.wrote = True

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Write every second within this context, and the lasting samples at its end."""
        if self.folder is None:
            yield
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"EXPLORER_METRICS_FOLDER cannot be made: {error}") from error
        writing = asyncio.create_task(self._write_on(self.folder))
        try:
            yield
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing
            self._write(self.folder, self._lasting(self.own()))

    def all(self, own: list[Sample]) -> Iterator[Sample]:
        """Yield the samples `own` of this worker, and those that the others wrote last."""
        yield from own
        if self.folder is None:
            return
        self._write(self.folder, own)
        for file in self.folder.glob("*.json"):
            if file.name != self.name:
                silent = time.time() - file.stat().st_mtime > SILENT_SECONDS
                samples = _read(file)
                yield from self._lasting(samples) if silent else samples

    async def _write_on(self, folder: Path) -> None:
        while True:
            self._write(folder, self.own())
            await asyncio.sleep(EVERY_SECONDS)

    def _write(self, folder: Path, samples: Iterable[Sample]) -> None:
        """Write so that a reader finds a complete file: this one or the one before."""
        part = folder / f"{self.name}.{threading.get_ident()}.part"
        try:
            part.write_text(json.dumps(list(samples)))
            part.replace(folder / self.name)
            self.wrote = True
        except OSError as error:  # such as a full disk; the next write may succeed
            if self.wrote:  # once: the log may lie on the same disk
                log.warning("The metrics of this worker cannot be written: %s", error)
            self.wrote = False

    def _lasting(self, samples: Iterable[Sample]) -> list[Sample]:
        return [sample for sample in samples if sample[0] in self.lasting]


def _read(file: Path) -> list[Sample]:
    samples = json.loads(file.read_text())
    return [(name, tuple(labels), tuple(values)) for name, labels, values in samples]
