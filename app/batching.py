"""Many requests, one forward pass; drags first.

An engine serves one caller at a time, and this is its caller. Two queues lead to it:

- *small* requests (a drag, a decode of up to 8 latents) wait for one turn of the event loop, no
  timer, and all that came by then travel in one pass, on the loop itself: a hop to a thread costs
  more than the pass.
- *bulk* (large decodes in chunks of at most 64, encodes) runs in a thread, one piece between two
  passes of small requests, so that neither keeps the other waiting for long.

What waits is bounded, in images to decode; beyond that a request is refused at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float32, UInt8

from app.errors import Overloaded

Latents = Float32[np.ndarray, "batch latent"]
Images = UInt8[np.ndarray, "batch 28 28"]
Result = TypeVar("Result")

SMALL = 8
"""Latents up to which a request is small."""
CHUNK = 64
"""Latents of one forward pass, at most."""


class _Small(NamedTuple):
    latents: Latents
    answer: asyncio.Future[Images]


class _Bulk(NamedTuple):
    call: Callable[[], Any]
    weight: int
    answer: asyncio.Future[Any]


class Batcher:
    """The one caller of an engine; needs a running event loop.

    Args:
        decode: The forward pass, for any number of latents.
        executor: Where bulk runs.
        max_queue: How many images may wait; who finds this many waiting is refused.
    """

    def __init__(
        self, decode: Callable[[Latents], Images], executor: Executor, *, max_queue: int
    ) -> None:
        self._forward = decode
        self._executor = executor
        self._max_queue = max_queue
        self._small: deque[_Small] = deque()
        self._bulk: deque[_Bulk] = deque()
        self._waiting = 0
        self._worker: asyncio.Task[None] | None = None

    async def decode(self, latents: Latents) -> Images:
        """Decode latents; whoever stops waiting for the answer is not decoded for.

        Raises:
            Overloaded: too much is waiting.
        """
        if len(latents) > SMALL:
            starts = range(0, len(latents), CHUNK)
            chunks = [partial(self._forward, latents[start : start + CHUNK]) for start in starts]
            return np.concatenate(await self.run(chunks, weight=CHUNK))
        self._admit(len(latents))
        answer: asyncio.Future[Images] = asyncio.get_running_loop().create_future()
        self._small.append(_Small(latents, answer))
        return await answer

    async def run(self, calls: Sequence[Callable[[], Result]], *, weight: int) -> list[Result]:
        """Run calls of the engine in order, behind the drags of the moment.

        Args:
            calls: Each takes milliseconds, not more: the drags wait for it.
            weight: What one of them costs, in images decoded.

        Raises:
            Overloaded: too much is waiting.
        """
        self._admit(weight * len(calls))
        loop = asyncio.get_running_loop()
        jobs = [_Bulk(call, weight, loop.create_future()) for call in calls]
        self._bulk.extend(jobs)
        try:
            return [await job.answer for job in jobs]
        finally:
            for job in jobs:
                job.answer.cancel()

    async def drain(self) -> None:
        """Wait until nothing waits."""
        if self._worker is not None:
            await self._worker

    def _admit(self, weight: int) -> None:
        if self._waiting >= self._max_queue:
            raise Overloaded(
                f"{self._waiting} images wait to be decoded; this server lets "
                f"{self._max_queue} wait. Try again in a second."
            )
        self._waiting += weight
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._small or self._bulk:
            await asyncio.sleep(0)  # lets every request that is ready join this pass
            self._pass()
            if self._bulk:
                await self._piece(self._bulk.popleft())

    def _pass(self) -> None:
        batch: list[_Small] = []
        rows = 0
        while self._small and rows + len(self._small[0].latents) <= CHUNK:
            request = self._small.popleft()
            self._waiting -= len(request.latents)
            if not request.answer.done():
                batch.append(request)
                rows += len(request.latents)
        if batch:
            self._decode_together(batch)

    def _decode_together(self, batch: list[_Small]) -> None:
        try:
            images = self._forward(np.concatenate([request.latents for request in batch]))
        except Exception as error:
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
            else:  # the fault of one is not the others'
                for request in batch:
                    self._decode_together([request])
            return
        start = 0
        for request in batch:
            stop = start + len(request.latents)
            request.answer.set_result(images[start:stop])
            start = stop

    async def _piece(self, job: _Bulk) -> None:
        self._waiting -= job.weight
        if job.answer.done():
            return
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._executor, job.call)
        except Exception as error:
            if not job.answer.done():
                job.answer.set_exception(error)
        else:
            if not job.answer.done():
                job.answer.set_result(result)
