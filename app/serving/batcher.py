"""Many requests, one forward pass: drags before tiles before bulk.

An engine serves one caller at a time, and this is its caller. Three queues lead to it:

- *small* requests (a drag, a decode of up to 8 latents) wait for one turn of the event loop, no
  timer, and all that came by then travel in one pass.
- *tiles* go one between two passes of small requests, so that neither keeps the other waiting for
  long.
- *bulk* (large decodes in chunks of at most 64, encodes) goes when no tile waits, and after a few
  tiles when some do, a piece of a request at a time.

All that decodes does so on the event loop itself: a hop to a thread and back costs as much as half
a tile, and the next pass waits for this one either way. What takes longer goes to a thread.

Each is bounded, in images to decode: beyond that a request is refused at once, and a flood of one
keeps none of another out. Large decodes are bounded in time too: one that would wait long is told
to come later. What a page needs, fields, encodes and paths, waits as long as there is room.
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float32, UInt8

from app.serving.queues import Answer, Drag, Drags, Job, Turns
from app.telemetry.counters import Tally

Latents = Float32[np.ndarray, "batch latent"]
Images = UInt8[np.ndarray, "batch 28 28"]
Decode = Callable[[Latents], Images]
Result = TypeVar("Result")

SMALL = 8
"""Latents up to which a request is small."""
CHUNK = 64
"""Latents of one forward pass, at most."""
TILES_IN_A_ROW = 4
"""While bulk waits."""


class Batcher:
    """The one caller of an engine; needs a running event loop.

    Args:
        decode: The forward pass, for any number of latents.
        executor: Where bulk runs that is no decode.
        max_queue: How many images may wait in each of the queues.
        max_wait_seconds: How long a large decode may have to wait for other bulk.
        tally: Where the work done is counted, for all batchers together.
    """

    def __init__(
        self,
        decode: Decode,
        executor: Executor,
        *,
        max_queue: int,
        max_wait_seconds: float = math.inf,
        tally: Tally | None = None,
    ) -> None:
        tally = tally or Tally()
        self._forward = decode
        self._executor = executor
        self._small = Drags(max_queue, tally.small)
        self._tiles = Turns(max_queue, math.inf, tally.tiles)
        self._bulk = Turns(max_queue, max_wait_seconds, tally.bulk)
        self._tiles_in_a_row = 0
        self._worker: asyncio.Task[None] | None = None
        self._is_due = False  # a pass of small requests, while there is no worker

    def ask(self, latents: Latents, answer: Answer) -> None:
        """Decode up to 8 latents into `answer`, unless that is done before its turn comes.

        Raises:
            Overloaded: too much is waiting.
        """
        self._small.put((latents, answer))
        if not self._is_due and not self._works():
            self._pass_soon()

    def ask_tile(self, call: Callable[[], object], answer: Answer) -> None:
        """As `tile`, for who has an `answer` to be told.

        Raises:
            Overloaded: too much is waiting.
        """
        self._put(self._tiles, Job([call], CHUNK, answer, _only))

    def ask_many(self, latents: Latents, answer: Answer) -> None:
        """Decode any number of latents, chunk by chunk, as bulk; `answer` gets the chunks.

        Raises:
            Overloaded: too much is waiting, or this would wait for long.
        """
        chunks = _chunks(latents)
        self._bulk.require_pace(len(chunks))
        self._put(self._bulk, Job([partial(self._forward, c) for c in chunks], CHUNK, answer, list))

    def ask_job(self, job: Job) -> None:
        """Let a job of any kind wait as bulk; raises Overloaded."""
        self._put(self._bulk, job)

    async def decode(self, latents: Latents, *, patient: bool = True) -> Images:
        """Decode latents; whoever stops waiting for the answer is not decoded for.

        Args:
            latents: Any number of them.
            patient: Whether to wait for as long as it takes; else only for what is allowed.

        Raises:
            Overloaded: too much is waiting.
        """
        if len(latents) > SMALL:
            chunks = await self.map(latents, lambda images: images, patient=patient)
            return np.concatenate(chunks)
        answer: asyncio.Future[Images] = asyncio.get_running_loop().create_future()
        self.ask(latents, answer)
        return await answer

    async def map(
        self, latents: Latents, make: Callable[[Images], Result], *, patient: bool = True
    ) -> list[Result]:
        """Decode chunk by chunk, and make something of each where it was decoded, as bulk.

        So the bound on what waits is one on all the work of an answer, and it is done in turn.
        `patient` is as in `decode`.

        Raises:
            Overloaded: too much is waiting.
        """

        def piece(chunk: Latents) -> Result:
            return make(self._forward(chunk))

        pieces = [partial(piece, chunk) for chunk in _chunks(latents)]
        if not patient:
            self._bulk.require_pace(len(pieces))
        return await self._run(self._bulk, pieces, CHUNK)

    async def tile(self, call: Callable[[], Result]) -> Result:
        """Run a call of the engine that makes a tile, behind the drags and before bulk.

        Raises:
            Overloaded: too much is waiting.
        """
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.ask_tile(call, answer)
        return await answer

    async def run(self, calls: Sequence[Callable[[], Result]], *, weight: int) -> list[Result]:
        """Run calls of the engine in a thread, in order, behind the drags of the moment, as bulk.

        Args:
            calls: At least one. Each takes milliseconds, not more: the drags wait for it.
            weight: What one of them costs, in images decoded.

        Raises:
            Overloaded: too much is waiting.
        """
        return await self._run(self._bulk, calls, weight, hops=True)

    def require_room(self, latents: int) -> None:
        """Raise Overloaded if so many would wait too long now; for who has not read them yet."""
        if latents > SMALL:
            self._bulk.require_pace(-(-latents // CHUNK))
        else:
            self._small.require_room()

    def has_room(self, latents: int) -> bool:
        """Tell whether so many, more than are small, would not wait too long now."""
        return self._bulk.has_pace(-(-latents // CHUNK))

    @property
    def waiting(self) -> tuple[int, int, int]:
        """Images that wait in the queues: small, tiles, bulk."""
        return self._small.waiting, self._tiles.waiting, self._bulk.waiting

    async def drain(self) -> None:
        """Wait until nothing waits."""
        while self._small.jobs or self._works():
            if self._worker is not None:
                await self._worker
            await asyncio.sleep(0)

    async def _run(
        self,
        queue: Turns,
        calls: Sequence[Callable[[], Result]],
        weight: int,
        hops: bool = False,
    ) -> list[Result]:
        answer: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        job = Job(calls, weight, answer, list, hops)
        with self._waiting_for(queue, job):
            return await answer

    @contextmanager
    def _waiting_for(self, queue: Turns, job: Job) -> Iterator[None]:
        self._put(queue, job)
        try:
            yield
        finally:
            queue.jobs.pop(job, None)

    def _put(self, queue: Turns, job: Job) -> None:
        queue.put(job)
        self._wake()

    def _works(self) -> bool:
        return self._worker is not None and not self._worker.done()

    def _pass_soon(self) -> None:
        """Pass in the turn after the next, by which every request that is ready has joined."""
        self._is_due = True
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._pass)

    def _pass(self) -> None:
        """Decode small requests, unless there is a worker by now, which takes them along."""
        self._is_due = False
        if self._works():
            return
        if batch := self._small.take(CHUNK):
            self._decode_together(batch)
        if self._small.jobs:
            self._pass_soon()

    def _wake(self) -> None:
        if not self._works():
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._small.jobs or self._tiles.jobs or self._bulk.jobs:
            begun = perf_counter()
            await asyncio.sleep(0)  # lets every request that is ready join this pass
            if batch := self._small.take(CHUNK):
                self._decode_together(batch)
            queue = self._next()
            if queue.jobs:
                await self._piece(queue, begun)

    def _next(self) -> Turns:
        """Choose who goes besides the drags: bulk too, however many tiles wait."""
        tiles = self._tiles.jobs and (self._tiles_in_a_row < TILES_IN_A_ROW or not self._bulk.jobs)
        self._tiles_in_a_row = self._tiles_in_a_row + 1 if tiles else 0
        return self._tiles if tiles else self._bulk

    def _decode_together(self, batch: list[Drag]) -> None:
        begun = perf_counter()
        try:
            images = self._forward(np.concatenate([latents for latents, _ in batch]))
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
            else:  # the fault of one is not the others'
                for job in batch:
                    self._decode_together([job])
            return
        self._small.work.add(len(images), perf_counter() - begun)
        start = 0
        for latents, answer in batch:
            stop = start + len(latents)
            answer.set_result(images[start:stop])
            start = stop

    async def _piece(self, queue: Turns, begun: float) -> None:
        job = queue.next()
        if job.answer.done():  # nobody waits for it any more
            job.calls.clear()
            del queue.jobs[job]
            return
        try:
            if job.hops:
                loop = asyncio.get_running_loop()
                pieces = await loop.run_in_executor(self._executor, self._pieces, job)
            else:
                pieces = [_timed(job.calls.popleft())]
            job.results += [result for result, _ in pieces]
            whole = None if job.calls else job.join(job.results)
        except Exception as error:
            queue.jobs.pop(job, None)
            if not job.answer.done():
                job.answer.set_exception(error)
            return
        for _, seconds in pieces:
            queue.work.add(job.weight, seconds)
        queue.learn(job.weight * len(pieces), perf_counter() - begun)
        if not job.calls:
            queue.jobs.pop(job, None)
            if not job.answer.done():
                job.answer.set_result(whole)

    def _pieces(self, job: Job) -> list[tuple[Any, float]]:
        """Do a piece, in the thread, and go on while nobody else waits: each hop costs too."""
        pieces: list[tuple[Any, float]] = []
        while not pieces or (job.calls and not job.answer.done() and self._is_alone()):
            pieces.append(_timed(job.calls.popleft()))
        return pieces

    def _is_alone(self) -> bool:
        return not self._small.jobs and len(self._tiles.jobs) + len(self._bulk.jobs) == 1


def _chunks(latents: Latents) -> list[Latents]:
    return [latents[start : start + CHUNK] for start in range(0, len(latents), CHUNK)]


def _only(results: list[Result]) -> Result:
    (result,) = results
    return result


def _timed(call: Callable[[], Result]) -> tuple[Result, float]:
    begun = perf_counter()
    return call(), perf_counter() - begun
