"""The encode batcher: images of several requests encoded in one pass.

Four images together take twice the time of one. Requests of up to 8 images that are waiting when a
pass begins go along with it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32

from app.serving.batcher import Batcher
from app.serving.queues import Job, Waiter
from model.engine import Code, Encoding, Engine

Pixels = Float32[np.ndarray, "images 28 28"]

MAX_PER_PASS = 8
"""Images of a pass; the drags of the moment wait for it."""


@dataclass(frozen=True, eq=False)
class EncodeRequest:
    """What one request has encoded.

    Attributes:
        images: Up to `MAX_PER_PASS` of them, intensities in [0, 1].
        whole: Whether an ELBO and a reconstruction are wanted too.
    """

    images: Pixels
    whole: bool = True


class _EncodeJob(Job):
    """The job of one request, whose pass takes others along when its turn comes."""

    __slots__ = ("batcher", "request")

    def __init__(self, batcher: "EncodeBatcher", request: EncodeRequest) -> None:
        weight = batcher.engine.decodes_to_encode * len(request.images)
        super().__init__([_nothing], weight, batcher.share_out, in_thread=True)
        self.batcher, self.request = batcher, request

    def take(self) -> Callable[[], Any]:
        self.calls.clear()
        jobs = self.batcher.gather(self)
        self.weight = sum(job.weight for job in jobs)
        return partial(self.batcher.encode_together, jobs)


_Outcome = tuple[_EncodeJob, Code | Exception]


class EncodeBatcher:
    """Encodes up to 8 images a request, as bulk of a `Batcher`.

    Args:
        engine: What it returns for an image does not depend on the others in its pass.
        batcher: Of that engine.
    """

    def __init__(self, engine: Engine, batcher: Batcher) -> None:
        self.engine = engine
        self._batcher = batcher
        self._waiting: list[_EncodeJob] = []

    def submit(self, request: EncodeRequest, waiter: Waiter) -> None:
        """Queue a request; `waiter` gets an Encoding, or a Code if that is all that is wanted.

        Raises:
            Overloaded: Too much is waiting.
        """
        job = _EncodeJob(self, request)
        self._batcher.submit(job, waiter)
        self._waiting = [other for other in self._waiting if not other.waiter.done()]
        self._waiting.append(job)

    async def encode(self, images: Pixels) -> list[Encoding]:
        """Encode images behind the drags of the moment; the results lie one after the other.

        Up to `MAX_PER_PASS` are encoded together with those of others, more of them in pieces.

        Raises:
            Overloaded: Too much is waiting.
        """
        return await self._run(images, whole=True)

    async def code(self, images: Pixels) -> list[Code]:
        """Do the same for the code and its covariance alone."""
        return await self._run(images, whole=False)

    async def _run(self, images: Pixels, *, whole: bool) -> list[Any]:
        if len(images) <= MAX_PER_PASS:
            waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self.submit(EncodeRequest(images, whole), waiter)
            return [await waiter]
        encode = self.engine.encoder.encode if whole else self.engine.encoder.code
        pieces = np.split(images, range(MAX_PER_PASS, len(images), MAX_PER_PASS))
        weight = MAX_PER_PASS * self.engine.decodes_to_encode
        job = self._batcher.calls_job([partial(encode, one) for one in pieces], weight=weight)
        found: list[Any] = await self._batcher.run(job)
        return found

    def gather(self, first: _EncodeJob) -> list[_EncodeJob]:
        """Return the jobs of a pass: `first`, and others for which there is room."""
        jobs, room = [first], MAX_PER_PASS - len(first.request.images)
        for job in self._waiting:
            if job is not first and not job.waiter.done() and len(job.request.images) <= room:
                jobs.append(job)
                room -= len(job.request.images)
        return jobs

    def encode_together(self, jobs: list[_EncodeJob]) -> list[_Outcome]:
        """Encode what each job wants, or tell why that could not be done; runs in a thread."""
        try:
            return self._encode(jobs)
        except Exception as error:
            if len(jobs) == 1:
                return [(jobs[0], error)]
            # one request's fault is not the others'
            return [outcome for job in jobs for outcome in self.encode_together([job])]

    def share_out(self, results: list[list[_Outcome]]) -> None:
        """Give each waiter its own result; the turns of the jobs taken along are void then."""
        (outcomes,) = results
        for job, outcome in outcomes:
            if job.waiter.done():
                continue
            if isinstance(outcome, Exception):
                job.waiter.set_exception(outcome)
            else:
                job.waiter.set_result(outcome)
        self._waiting = [job for job in self._waiting if not job.waiter.done()]

    def _encode(self, jobs: list[_EncodeJob]) -> list[_Outcome]:
        whole = any(job.request.whole for job in jobs)
        encoder = self.engine.encoder
        encode = encoder.encode if whole else encoder.code
        encoding = encode(np.concatenate([job.request.images for job in jobs]))
        outcomes: list[_Outcome] = []
        start = 0
        for job in jobs:
            stop = start + len(job.request.images)
            outcomes.append((job, encoding.of(start, stop)))
            start = stop
        return outcomes


def _nothing() -> None:
    """Stand for the piece that is made when its turn comes."""
