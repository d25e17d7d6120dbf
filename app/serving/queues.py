"""The queues before an engine: bounded, and a request beyond the bound is refused at once."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.errors import Overloaded
from app.telemetry.counters import QueueStats

SMOOTHING = 8
"""Pieces over which the pace of a queue is averaged."""
COLD = 8
"""Pieces after a model was loaded that are slower than all others, and tell nothing of the pace."""


class Waiter(Protocol):
    """Who waits for a result: a future, or an object that needs no turn of the event loop for it.

    Either setter is called once, and only while `done` is false.
    """

    def done(self) -> bool:
        """Return whether nobody waits any more."""

    def set_result(self, result: Any, /) -> None:
        """Take the result; raises nothing."""

    def set_exception(self, error: Exception, /) -> None:
        """Take the reason why there will be none; raises nothing."""


@dataclass(eq=False, slots=True)
class Job:
    """A request in pieces: those that wait, and the results of the others."""

    calls: deque[Callable[[], Any]]
    """The pieces that wait, each a call of the engine."""
    weight: int
    """What each of them costs, in images decoded."""
    join: Callable[[list[Any]], Any]
    """Makes the result of those of the pieces."""
    in_thread: bool = False
    """Whether the pieces run in a thread: those that take longer than the hop there."""
    patient: bool = True
    """Whether the job waits for as long as it takes; else it is refused when it would have to wait
    longer than the queue allows."""
    is_tile: bool = False
    """Whether it goes into the queue of tiles."""
    results: list[Any] = field(default_factory=list)
    waiter: Waiter = field(init=False)
    """Who waits for the result; set when the job is submitted."""

    def take(self) -> Callable[[], Any]:
        """Return the piece whose turn has come; called on the event loop."""
        return self.calls.popleft()


@dataclass(eq=False)
class FairQueue:
    """Alternates between the oldest request and the one with the fewest pieces left.

    A request of one piece never waits for all of a long one, and a long one never waits for many
    short ones. Of several long ones the first is finished first: equal shares would make all late.
    """

    max_images: int
    """Images, or what costs as much, that may wait."""
    max_seconds: float
    """How long an impatient request may have to wait for others."""
    stats: QueueStats
    """Where refusals are counted."""
    jobs: dict[Job, None] = field(default_factory=dict)
    """The oldest first."""
    oldest_is_next: bool = False
    cold: int = COLD
    """Pieces to come that do not count for the pace."""
    seconds: float = 0.0
    """That a piece takes on average, other queues' work included."""
    weight: float = 0.0
    """Of a piece on average, in images decoded; 0 while the pace is not known."""

    def put(self, job: Job) -> None:
        """Queue a job.

        Raises:
            Overloaded: Too much is waiting, or an impatient job would wait for too long.
        """
        if job.patient:
            self.require_room()
        else:
            self.require_pace(len(job.calls))
        self.jobs[job] = None

    @property
    def waiting(self) -> int:
        """Images, or what costs as much, that wait."""
        return sum(job.weight * len(job.calls) for job in self.jobs if not job.waiter.done())

    def require_room(self) -> None:
        """Raise Overloaded if a job would be refused now."""
        if (waiting := self.waiting) >= self.max_images:
            raise refusal(self.stats, waiting, self.max_images)

    def require_pace(self, pieces: int) -> None:
        """Raise Overloaded if an impatient job of so many pieces would be refused now.

        It waits for no more pieces of another job than it has itself, because they take turns.
        """
        self.require_room()
        asked = (job for job in self.jobs if not job.waiter.done())
        before = sum(job.weight * min(len(job.calls), pieces) for job in asked)
        if before * self.pace > self.max_seconds:
            raise refusal(self.stats, before, int(self.max_seconds / self.pace))

    @property
    def pace(self) -> float:
        """Seconds for each image that a piece weighs; 0 if that is not known."""
        return self.seconds / self.weight if self.weight else 0.0

    def next(self) -> Job:
        """Return the job of which a piece runs next; it stays in the queue."""
        oldest = next(iter(self.jobs))
        self.oldest_is_next = not self.oldest_is_next
        if self.oldest_is_next or len(oldest.calls) == 1:
            return oldest
        return min(self.jobs, key=lambda job: len(job.calls))

    def learn(self, weight: int, seconds: float) -> None:
        """Update the pace by how long a piece of this weight took, unless it was a cold one.

        Averaged together, a light piece that had to wait for the processor says little of heavy
        ones.
        """
        if self.cold:
            self.cold -= 1
            return
        self.seconds += (seconds - self.seconds) / SMOOTHING
        self.weight += (weight - self.weight) / SMOOTHING


def refusal(stats: QueueStats, waiting: int, allowed: int) -> Overloaded:
    """Count and return the refusal of a request that found so many images waiting."""
    stats.refused += 1
    return Overloaded(
        f"{waiting} images wait to be decoded; this server lets {allowed} wait. Try again in a "
        "second."
    )
