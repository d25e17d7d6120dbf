"""What waits for an engine: bounded, and refused at once beyond the bound."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from app.errors import Overloaded
from app.telemetry.counters import Work

SMOOTHING = 8
"""Pieces over which the pace of a queue is averaged."""


class Answer(Protocol):
    """Who waits for a result: a future, or what acts as one and needs no turn of the loop for it.

    It is told of one thing, and only while it waits.
    """

    def done(self) -> bool:
        """Tell whether nobody waits any more."""

    def set_result(self, result: Any, /) -> None:
        """Take what was asked for; raises nothing."""

    def set_exception(self, error: Exception, /) -> None:
        """Hear that it will not come; raises nothing."""


Drag = tuple[np.ndarray, Answer]
"""A small request: latents, and who waits for their images."""


class Drags:
    """First in, first out, many at once.

    Args:
        most: Images that may wait; who finds so many is refused.
        work: Where refusals are counted, for whoever takes from here to add what it did.
    """

    def __init__(self, most: int, work: Work) -> None:
        self.most = most
        self.work = work
        self.waiting = 0
        self.jobs: deque[Drag] = deque()

    def require_room(self) -> None:
        """Raise Overloaded if a request would be refused now."""
        if self.waiting >= self.most:
            raise _refusal(self.work, self.waiting, self.most)

    def put(self, job: Drag) -> None:
        """Let a request wait; raises Overloaded."""
        self.require_room()
        self.waiting += len(job[0])
        self.jobs.append(job)

    def take(self, most: int) -> list[Drag]:
        """Take up to `most` latents, without those for which nobody waits any more."""
        batch: list[Drag] = []
        rows = 0
        while self.jobs:
            latents, answer = job = self.jobs[0]
            size = len(latents)
            if rows + size > most:
                break
            self.jobs.popleft()
            self.waiting -= size
            if not answer.done():
                batch.append(job)
                rows += size
        return batch


class Job:
    """The pieces of one request: those that wait, and what came of the others.

    Args:
        calls: The pieces.
        weight: What each of them costs, in images decoded.
        answer: Who waits for what becomes of all the results.
        join: Makes that of them.
        hops: Whether the pieces are for a thread: those that take longer than a hop there does.
    """

    __slots__ = ("answer", "calls", "hops", "join", "results", "weight")

    def __init__(
        self,
        calls: Sequence[Callable[[], Any]],
        weight: int,
        answer: Answer,
        join: Callable[[list[Any]], Any],
        hops: bool = False,
    ) -> None:
        self.calls = deque(calls)
        self.weight = weight
        self.join = join
        self.hops = hops
        self.results: list[Any] = []
        self.answer = answer


class Turns:
    """By turns the request goes that waits for longest, and the one that has the least to go.

    So one of a single piece never waits for all of a long one, nor that for many of a single piece;
    and of long ones the first is done first, where equal shares would make all of them late.

    Args:
        most: As in Drags.
        seconds: How long a request may have to wait for others, by the pace of late.
        work: As in Drags.
    """

    def __init__(self, most: int, seconds: float, work: Work) -> None:
        self.most = most
        self.seconds = seconds
        self.work = work
        self.jobs: dict[Job, None] = {}  # the oldest first
        self.oldest_goes = False
        self.pace = 0.0  # seconds for each image that a piece weighs, the drags between included

    def put(self, job: Job) -> None:
        """Let a request wait; raises Overloaded."""
        self.require_room()
        self.jobs[job] = None

    @property
    def waiting(self) -> int:
        """Images, or what costs as much."""
        return sum(job.weight * len(job.calls) for job in self.jobs if not job.answer.done())

    def require_room(self) -> None:
        """Raise Overloaded if a request would be refused now."""
        if (waiting := self.waiting) >= self.most:
            raise _refusal(self.work, waiting, self.most)

    def require_pace(self, pieces: int) -> None:
        """Raise Overloaded if a request of so many pieces would also wait for too long.

        As turns go, it waits for no more pieces of another than it has itself.
        """
        self.require_room()
        if not self.has_pace(pieces):
            before, most = self._before(pieces), int(self.seconds / self.pace)
            raise _refusal(self.work, before, most)

    def has_pace(self, pieces: int) -> bool:
        """Tell whether `require_pace` raises nothing."""
        return self.waiting < self.most and self._before(pieces) * self.pace <= self.seconds

    def _before(self, pieces: int) -> int:
        asked = (job for job in self.jobs if not job.answer.done())
        return sum(job.weight * min(len(job.calls), pieces) for job in asked)

    def next(self) -> Job:
        """Give the request of which a piece is done next; it goes on waiting."""
        oldest = next(iter(self.jobs))
        self.oldest_goes = not self.oldest_goes
        if self.oldest_goes or len(oldest.calls) == 1:
            return oldest
        return min(self.jobs, key=lambda job: len(job.calls))

    def learn(self, weight: int, seconds: float) -> None:
        """Take note of how long a piece took."""
        pace = seconds / weight
        self.pace += (pace - self.pace) / SMOOTHING if self.pace else pace


def _refusal(work: Work, waiting: int, most: int) -> Overloaded:
    work.refused += 1
    return Overloaded(
        f"{waiting} images wait to be decoded; this server lets {most} wait. Try again in a second."
    )
