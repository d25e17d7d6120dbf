"""The batcher: many requests, one forward pass; drags before tiles before bulk.

The batcher is the one caller of an engine. Three queues lead to it:

- *small* requests (a drag, a decode of up to 8 latents) wait for one turn of the event loop, no
  timer, and all that have come by then travel in one pass.
- *tiles* go one between two passes of small requests, so that neither delays the other for long.
- *bulk* (large decodes in chunks of at most 64, encodes) goes when no tile waits, and after a few
  tiles when some do, a piece of a job at a time.

Decoding runs on the event loop itself: a hop to a thread and back costs as much as half a tile, and
the next pass waits for this one either way. What takes longer runs in a thread, and small requests
do not wait for it.

Each queue is bounded: small requests in number, the others in time. A request that would wait for
too long, at the recent pace of what is before it, is refused at once, and a flood of one kind
delays no other.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float32, UInt8

from app.errors import Overloaded
from app.serving.queues import FairQueue, Job, Place, Waiter
from app.telemetry.counters import Counters, QueueStats

Latents = Float32[np.ndarray, "batch latent"]
Images = UInt8[np.ndarray, "batch height width ..."]
Decode = Callable[[Latents], Images]
Result = TypeVar("Result")

SMALL = 8
"""Latents of a small request, at most."""
CHUNK = 64
"""Latents of one forward pass, at most."""
TILES_IN_A_ROW = 4
"""While bulk waits."""


SmallRequest = tuple[np.ndarray, Waiter]
"""A few latents, and who waits for their images."""


@dataclass(eq=False)
class SmallQueue:
    """First in, first out, many at once."""

    max_images: int
    """Images that may wait; a request that finds so many is refused."""
    stats: QueueStats
    """Where refusals are counted."""
    waiting: int = 0
    requests: deque[SmallRequest] = field(default_factory=deque)

    def put(self, request: SmallRequest) -> None:
        """Queue a request; raises Overloaded."""
        if self.waiting >= self.max_images:
            self.stats.refused += 1
            raise Overloaded(
                f"{self.waiting} latents of small requests wait to be decoded; this server lets "
                f"{self.max_images} wait. Try again in a second."
            )
        self.waiting += len(request[0])
        self.requests.append(request)

    def take(self, max_rows: int) -> list[SmallRequest]:
        """Take up to `max_rows` latents, without those for which nobody waits any more."""
        batch: list[SmallRequest] = []
        rows = 0
        while self.requests:
            latents, waiter = request = self.requests[0]
            size = len(latents)
            if rows + size > max_rows:
                break
            self.requests.popleft()
            self.waiting -= size
            if not waiter.done():
                batch.append(request)
                rows += size
        return batch


class Batcher:
    """The one caller of an engine; needs a running event loop.

    A job is made by `decode_job`, `tile_job` or `calls_job`, and goes in by one of two doors:
    `await run(job)`, or `submit(job, waiter)` where no coroutine waits. Up to 8 latents are their
    own job.

    Args:
        decode: The forward pass, for any number of latents.
        executor: Where jobs run that say `in_thread`.
        max_queue: Latents of small requests that may wait.
        max_wait_seconds: How long a tile may have to wait for tiles, and bulk for bulk.
        counters: Where the work done is counted, for all batchers together.
    """

    def __init__(
        self,
        decode: Decode,
        executor: Executor,
        *,
        max_queue: int,
        max_wait_seconds: float = math.inf,
        counters: Counters | None = None,
    ) -> None:
        counters = counters or Counters()
        self._forward = decode
        self._executor = executor
        self._small = SmallQueue(max_queue, counters.small)
        self._tiles = FairQueue(max_wait_seconds, counters.tiles)
        self._bulk = FairQueue(max_wait_seconds, counters.bulk)
        self._tiles_in_a_row = 0
        self._worker: asyncio.Task[None] | None = None
        self._is_due = False  # a pass of small requests, which the worker does not make
        self._is_in_thread = False  # the piece that the worker waits for

    def decode_job(
        self, latents: Latents, make: Callable[[Images], Any] | None = None
    ) -> Job | Latents:
        """Return the job that decodes latents.

        Args:
            latents: Any number of them.
            make: Makes something of each chunk's images where they were decoded; the job's result
                is then the list of what it returned, so that all the work of an answer is done in
                turn and counted by the bound. Without it the result is the images.
        """
        if len(latents) <= SMALL and make is None:
            return latents
        chunks = [latents[start : start + CHUNK] for start in range(0, len(latents), CHUNK)]

        def piece(chunk: Latents) -> Any:
            images = self._forward(chunk)
            return images if make is None else make(images)

        join = np.concatenate if make is None else list
        calls: deque[Callable[[], Any]] = deque(partial(piece, one) for one in chunks)
        return Job(calls, CHUNK, join, "latent to decode", len(latents))

    def tile_job(self, call: Callable[[], Any]) -> Job:
        """Return the job of one call that makes a tile, which goes behind drags and before bulk."""
        return Job(deque([call]), CHUNK, _only, "tile to draw", is_tile=True)

    def calls_job(self, calls: Sequence[Callable[[], Any]], *, weight: int, **kind: Any) -> Job:
        """Return the job that runs calls of the engine in order in a thread; results in a list.

        Args:
            calls: At least one. Each takes milliseconds, not more: the tiles wait for it.
            weight: What one of them costs, in images decoded.
            kind: `unit`, `count` and `place` of the job.
        """
        return Job(deque(calls), weight, list, in_thread=True, **kind)

    def submit(self, job: Job | Latents, waiter: Waiter) -> None:
        """Queue a job whose result goes to `waiter`, unless that is done before its turn comes.

        Raises:
            Overloaded: Too much is waiting.
        """
        if not isinstance(job, Job):
            self._small.put((job, waiter))
            if not self._is_due and (self._is_in_thread or not self._is_working()):
                self._pass_soon()
            return
        job.waiter = waiter
        self._queue_of(job).put(job)
        if not self._is_working():
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def run(self, job: Job | Latents) -> Any:
        """Queue a job and return its result; a job whose caller is cancelled leaves its queue.

        Raises:
            Overloaded: Too much is waiting.
        """
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.submit(job, waiter)
        try:
            return await waiter
        finally:
            if isinstance(job, Job):
                self._queue_of(job).jobs.pop(job, None)

    def kept(self, place: Place) -> AbstractContextManager[Place]:
        """Keep a place for bulk that is yet to come; raises Overloaded if it would be refused."""
        return self._bulk.kept(place)

    def require_room(self, pieces: int) -> None:
        """Raise Overloaded if bulk of so many pieces would be refused now."""
        self._bulk.require_room(pieces)

    @property
    def waiting(self) -> tuple[int, int, int]:
        """Images that wait in the queues: small, tiles, bulk."""
        return self._small.waiting, self._tiles.waiting, self._bulk.waiting

    async def drain(self) -> None:
        """Wait until nothing waits."""
        while self._small.requests or self._is_working():
            if self._worker is not None:
                await self._worker
            await asyncio.sleep(0)

    def _queue_of(self, job: Job) -> FairQueue:
        return self._tiles if job.is_tile else self._bulk

    def _is_working(self) -> bool:
        return self._worker is not None and not self._worker.done()

    def _pass_soon(self) -> None:
        """Pass in the turn after the next, by which every request that is ready has joined."""
        self._is_due = True
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._pass)

    def _pass(self) -> None:
        """Decode small requests, unless the worker is about to take them along."""
        self._is_due = False
        if self._is_working() and not self._is_in_thread:
            return
        if batch := self._small.take(CHUNK):
            self._decode_together(batch)
        if self._small.requests:
            self._pass_soon()

    async def _work(self) -> None:
        while self._small.requests or self._tiles.jobs or self._bulk.jobs:
            await asyncio.sleep(0)  # lets every request that is ready join this pass
            if batch := self._small.take(CHUNK):
                self._decode_together(batch)
            queue = self._next_queue()
            if queue.jobs:
                await self._run_piece(queue)

    def _next_queue(self) -> FairQueue:
        """Return the queue that goes besides small requests: bulk too, however many tiles wait."""
        tiles = self._tiles.jobs and (self._tiles_in_a_row < TILES_IN_A_ROW or not self._bulk.jobs)
        self._tiles_in_a_row = self._tiles_in_a_row + 1 if tiles else 0
        return self._tiles if tiles else self._bulk

    def _decode_together(self, batch: list[SmallRequest]) -> None:
        begun = perf_counter()
        try:
            images = self._forward(np.concatenate([latents for latents, _ in batch]))
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
            else:  # one request's fault is not the others'
                for request in batch:
                    self._decode_together([request])
            return
        self._small.stats.add(len(images), perf_counter() - begun)
        start = 0
        for latents, waiter in batch:
            stop = start + len(latents)
            waiter.set_result(images[start:stop])
            start = stop

    async def _run_piece(self, queue: FairQueue) -> None:
        job = queue.next()
        if job.waiter.done():  # nobody waits for it any more
            queue.jobs.pop(job, None)
            return
        try:
            call = job.take()
            if job.in_thread:
                loop = asyncio.get_running_loop()
                self._is_in_thread = True
                try:
                    pieces = await loop.run_in_executor(
                        self._executor, self._run_in_thread, job, call
                    )
                finally:
                    self._is_in_thread = False
            else:
                pieces = [_timed(call)]
            job.results += [result for result, _ in pieces]
            whole = None if job.calls else job.join(job.results)
        except Exception as error:
            queue.jobs.pop(job, None)
            if not job.waiter.done():
                job.waiter.set_exception(error)
            return
        for _, seconds in pieces:
            queue.stats.add(job.weight, seconds)
            queue.paces[job.unit].learn(job.weight, seconds)
        if not job.calls:
            queue.jobs.pop(job, None)
            if not job.waiter.done():
                job.waiter.set_result(whole)

    def _run_in_thread(self, job: Job, call: Callable[[], Any]) -> list[tuple[Any, float]]:
        """Run a piece, and go on while nobody else waits: each hop to the thread costs too."""
        pieces = [_timed(call)]
        while job.calls and not job.waiter.done() and self._is_alone():
            pieces.append(_timed(job.calls.popleft()))
        return pieces

    def _is_alone(self) -> bool:
        return not self._small.requests and len(self._tiles.jobs) + len(self._bulk.jobs) == 1


def _only(results: list[Result]) -> Result:
    (result,) = results
    return result


def _timed(call: Callable[[], Result]) -> tuple[Result, float]:
    begun = perf_counter()
    return call(), perf_counter() - begun
