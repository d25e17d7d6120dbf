"""The encode batcher: images of several requests encoded in one pass.

Four images together take twice the time of one.
"""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from jaxtyping import Float32

from app.serving.batcher import Batcher
from app.serving.queues import Job, Place
from model.engine import Code, Encoding, Engine

Pixels = Float32[np.ndarray, "images height width ..."]

MAX_PER_PASS = 8
"""Images of a pass; tiles and other bulk wait for it, some 15 milliseconds."""
UNIT = "image to encode"


class _EncodeJob(Job):
    """The job of one request, whose pass takes others along when its turn comes."""

    __slots__ = ("batcher", "images", "whole")

    def __init__(
        self, batcher: "EncodeBatcher", images: Pixels, whole: bool, place: Place | None
    ) -> None:
        weight = batcher.engine.decodes_to_encode * len(images)
        piece: deque[Callable[[], Any]] = deque([_nothing])
        super().__init__(piece, weight, _share_out, UNIT, len(images), in_thread=True, place=place)
        self.batcher, self.images, self.whole = batcher, images, whole

    def take(self) -> Callable[[], Any]:
        self.calls.clear()
        jobs = self.batcher.gather(self)
        self.weight = sum(job.weight for job in jobs)
        return partial(self.batcher.encode_together, jobs)


_Outcome = tuple[_EncodeJob, Code | Exception]


class EncodeBatcher:
    """Encodes images as bulk of a `Batcher`, those of small requests together.

    What the engine returns for an image does not depend on the others in its pass.
    """

    def __init__(self, engine: Engine, batcher: Batcher) -> None:
        self.engine = engine
        self._batcher = batcher
        self._waiting: list[_EncodeJob] = []

    async def encode(self, images: Pixels, place: Place | None = None) -> list[Encoding]:
        """Encode images behind the drags of the moment; the results lie one after the other.

        Up to `MAX_PER_PASS` are encoded together with those of others, more of them in pieces.

        Args:
            images: At least one.
            place: What `kept` keeps for them, if anything.

        Raises:
            Overloaded: No place is kept, and too much is waiting.
        """
        return await self._run(images, place, whole=True)

    async def code(self, images: Pixels, place: Place | None = None) -> list[Code]:
        """Do the same for the code and its covariance alone."""
        return await self._run(images, place, whole=False)

    def kept(self, images: int) -> AbstractContextManager[Place]:
        """Keep a place for so many images while they are prepared.

        So nothing is prepared that is refused afterwards. Raises Overloaded when too much is
        waiting.
        """
        pieces = -(-images // MAX_PER_PASS)
        weight = self.engine.decodes_to_encode * min(images, MAX_PER_PASS)
        return self._batcher.kept(Place(pieces, weight, UNIT, images))

    async def _run(self, images: Pixels, place: Place | None, *, whole: bool) -> list[Any]:
        if len(images) <= MAX_PER_PASS:
            small = _EncodeJob(self, images, whole, place)
            self._waiting.append(small)
            try:
                return [await self._batcher.run(small)]
            finally:
                self._waiting.remove(small)
        encode = self.engine.encoder.encode if whole else self.engine.encoder.code
        pieces = np.split(images, range(MAX_PER_PASS, len(images), MAX_PER_PASS))
        weight = MAX_PER_PASS * self.engine.decodes_to_encode
        calls = [partial(encode, one) for one in pieces]
        job = self._batcher.calls_job(
            calls, weight=weight, unit=UNIT, count=len(images), place=place
        )
        found: list[Any] = await self._batcher.run(job)
        return found

    def gather(self, first: _EncodeJob) -> list[_EncodeJob]:
        """Return the jobs of a pass: `first`, and others for which there is room."""
        jobs, room = [first], MAX_PER_PASS - len(first.images)
        for job in self._waiting:
            if job is not first and not job.waiter.done() and len(job.images) <= room:
                jobs.append(job)
                room -= len(job.images)
        return jobs

    def encode_together(self, jobs: list[_EncodeJob]) -> list[_Outcome]:
        """Encode what each job wants, or tell why that could not be done; runs in a thread."""
        encoder = self.engine.encoder
        encode = encoder.encode if any(job.whole for job in jobs) else encoder.code
        try:
            found = encode(np.concatenate([job.images for job in jobs]))
        except Exception as error:
            if len(jobs) == 1:
                return [(jobs[0], error)]
            # one request's fault is not the others'
            return [outcome for job in jobs for outcome in self.encode_together([job])]
        stops = accumulate(len(job.images) for job in jobs)
        return [
            (job, found.of(stop - len(job.images), stop))
            for job, stop in zip(jobs, stops, strict=True)
        ]


def _share_out(results: list[list[_Outcome]]) -> None:
    """Give each waiter its own result; the turns of the jobs taken along are void then."""
    (outcomes,) = results
    for job, outcome in outcomes:
        if job.waiter.done():
            continue
        if isinstance(outcome, Exception):
            job.waiter.set_exception(outcome)
        else:
            job.waiter.set_result(outcome)


def _nothing() -> None:
    """Stand for the piece that is made when its turn comes."""
