"""Many requests, one forward pass; drags first.

An engine serves one caller at a time, and this is its caller. Two queues lead to it:

- *small* requests (a drag, a decode of up to 8 latents) wait for one turn of the event loop, no
  timer, and all that came by then travel in one pass, on the loop itself: a hop to a thread costs
  more than the pass.
- *bulk* (large decodes in chunks of at most 64, encodes) runs in a thread, one piece between two
  passes of small requests, so that neither keeps the other waiting for long.

Both are bounded, in images to decode: beyond that a request is refused at once, and a flood of bulk
keeps no drag out.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float32, UInt8

from app.errors import Overloaded
from app.tally import Tally, Work

Latents = Float32[np.ndarray, "batch latent"]
Images = UInt8[np.ndarray, "batch 28 28"]
Decode = Callable[[Latents], Images]
Result = TypeVar("Result")

SMALL = 8
"""Latents up to which a request is small."""
CHUNK = 64
"""Latents of one forward pass, at most."""


class _Small(NamedTuple):
    latents: Latents
    answer: asyncio.Future[Images]

    @property
    def weight(self) -> int:
        return len(self.latents)


class _Bulk(NamedTuple):
    call: Callable[[], Any]
    weight: int
    answer: asyncio.Future[Any]


Job = TypeVar("Job", _Small, _Bulk)


class _Queue(Generic[Job]):
    """First in, first out, and bounded: who finds `most` images waiting is refused."""

    def __init__(self, most: int, work: Work) -> None:
        self.most = most
        self.work = work
        self.waiting = 0
        self.jobs: deque[Job] = deque()

    def put(self, jobs: Sequence[Job]) -> None:
        if self.waiting >= self.most:
            self.work.refused += 1
            raise Overloaded(
                f"{self.waiting} images wait to be decoded; this server lets {self.most} wait. "
                "Try again in a second."
            )
        self.waiting += sum(job.weight for job in jobs)
        self.jobs.extend(jobs)

    def take(self) -> Job:
        job = self.jobs.popleft()
        self.waiting -= job.weight
        return job


class Batcher:
    """The one caller of an engine; needs a running event loop.

    Args:
        decode: The forward pass, for any number of latents.
        executor: Where bulk runs.
        max_queue: How many images may wait in each of the two queues.
        tally: Where the work done is counted, for all batchers together.
    """

    def __init__(
        self,
        decode: Decode,
        executor: Executor,
        *,
        max_queue: int,
        tally: Tally | None = None,
    ) -> None:
        tally = tally or Tally()
        self._forward = decode
        self._executor = executor
        self._small: _Queue[_Small] = _Queue(max_queue, tally.small)
        self._bulk: _Queue[_Bulk] = _Queue(max_queue, tally.bulk)
        self._worker: asyncio.Task[None] | None = None

    async def decode(self, latents: Latents) -> Images:
        """Decode latents; whoever stops waiting for the answer is not decoded for.

        Raises:
            Overloaded: too much is waiting.
        """
        if len(latents) > SMALL:
            return np.concatenate(await self.map(latents, lambda images: images))
        job = _Small(latents, asyncio.get_running_loop().create_future())
        self._small.put([job])
        self._wake()
        return await job.answer

    async def map(self, latents: Latents, make: Callable[[Images], Result]) -> list[Result]:
        """Decode chunk by chunk, and make something of each where it was decoded, as bulk.

        So the bound on what waits is one on all the work of an answer, and it is done in turn.

        Raises:
            Overloaded: too much is waiting.
        """

        def piece(chunk: Latents) -> Result:
            return make(self._forward(chunk))

        chunks = (latents[start : start + CHUNK] for start in range(0, len(latents), CHUNK))
        return await self.run([partial(piece, chunk) for chunk in chunks], weight=CHUNK)

    async def run(self, calls: Sequence[Callable[[], Result]], *, weight: int) -> list[Result]:
        """Run calls of the engine in order, behind the drags of the moment.

        Args:
            calls: Each takes milliseconds, not more: the drags wait for it.
            weight: What one of them costs, in images decoded.

        Raises:
            Overloaded: too much is waiting.
        """
        loop = asyncio.get_running_loop()
        jobs = [_Bulk(call, weight, loop.create_future()) for call in calls]
        self._bulk.put(jobs)
        self._wake()
        try:
            return [await job.answer for job in jobs]
        finally:
            for job in jobs:
                job.answer.cancel()

    @property
    def waiting(self) -> tuple[int, int]:
        """Images that wait in the queues, the small one and that of bulk."""
        return self._small.waiting, self._bulk.waiting

    async def drain(self) -> None:
        """Wait until nothing waits."""
        if self._worker is not None:
            await self._worker

    def _wake(self) -> None:
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._small.jobs or self._bulk.jobs:
            await asyncio.sleep(0)  # lets every request that is ready join this pass
            self._pass()
            if self._bulk.jobs:
                await self._piece(self._bulk.take())

    def _pass(self) -> None:
        batch: list[_Small] = []
        rows = 0
        while self._small.jobs and rows + self._small.jobs[0].weight <= CHUNK:
            job = self._small.take()
            if not job.answer.done():
                batch.append(job)
                rows += job.weight
        if batch:
            self._decode_together(batch)

    def _decode_together(self, batch: list[_Small]) -> None:
        begun = perf_counter()
        try:
            images = self._forward(np.concatenate([job.latents for job in batch]))
        except Exception as error:
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
            else:  # the fault of one is not the others'
                for job in batch:
                    self._decode_together([job])
            return
        self._small.work.add(len(images), perf_counter() - begun)
        start = 0
        for job in batch:
            stop = start + job.weight
            job.answer.set_result(images[start:stop])
            start = stop

    async def _piece(self, job: _Bulk) -> None:
        if job.answer.done():
            return
        try:
            loop = asyncio.get_running_loop()
            result, seconds = await loop.run_in_executor(self._executor, _timed, job.call)
        except Exception as error:
            if not job.answer.done():
                job.answer.set_exception(error)
        else:
            self._bulk.work.add(job.weight, seconds)
            if not job.answer.done():
                job.answer.set_result(result)


def _timed(call: Callable[[], Result]) -> tuple[Result, float]:
    begun = perf_counter()
    return call(), perf_counter() - begun
