"""Images of several requests, encoded in one pass: four together take twice what one does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32

from app.batching import Batcher
from app.queues import Job
from model.engine import Encoding

Pixels = Float32[np.ndarray, "images 28 28"]

MOST = 8
"""Images of a pass; the drags of the moment wait for it."""


@dataclass(frozen=True, eq=False)
class _Part:
    images: Pixels
    answer: asyncio.Future[Encoding]


class Encodes:
    """Encodes up to 8 images a request, as bulk; whoever waits when a pass begins, goes along.

    Args:
        encode: The pass; what it says of an image does not depend on the others.
        weight: What it costs for an image, in images decoded.
        batcher: Whose turns it takes.
    """

    def __init__(self, encode: Callable[[Pixels], Encoding], weight: int, batcher: Batcher) -> None:
        self._encode = encode
        self._weight = weight
        self._batcher = batcher
        self._waiting: list[_Part] = []

    async def __call__(self, images: Pixels) -> Encoding:
        """Encode images; raises Overloaded, and whatever the pass raises of them."""
        part = _Part(images, asyncio.get_running_loop().create_future())
        job = Job([], self._weight * len(images), part.answer, self._shared_out, hops=True)
        job.calls.append(partial(self._pass, job, part))
        self._waiting.append(part)
        try:
            with self._batcher.waiting_for(job):
                return await part.answer
        finally:
            self._waiting.remove(part)

    def _pass(self, job: Job, first: _Part) -> tuple[list[_Part], Encoding]:
        """In the thread: encode a request's images, and those of others for which there is room."""
        parts, room = [first], MOST - len(first.images)
        for part in list(self._waiting):
            if part is not first and not part.answer.done() and len(part.images) <= room:
                parts.append(part)
                room -= len(part.images)
        job.weight = self._weight * (MOST - room)
        try:
            return parts, self._encode(np.concatenate([part.images for part in parts]))
        except Exception:  # the fault of one is not the others'
            if len(parts) == 1:
                raise
            return [first], self._encode(first.images)

    def _shared_out(self, results: list[tuple[list[_Part], Encoding]]) -> Encoding:
        """On the loop: give each of the others its own; their turns are void then."""
        ((parts, encoding),) = results
        found, start = [], 0
        for part in parts:
            stop = start + len(part.images)
            found.append(encoding.of(start, stop))
            start = stop
        for part, own in zip(parts[1:], found[1:], strict=True):
            if not part.answer.done():
                part.answer.set_result(own)
        return found[0]
