"""The queues before an engine: bounded, and a request beyond the bound is refused at once."""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

from app.errors import Overloaded
from app.telemetry.counters import QueueStats

SMOOTHING = 8
"""Pieces over which a pace is averaged."""
COLD = 8
"""Pieces of each kind after a model was loaded that are slower than all others, and tell nothing of
the pace."""
LONGEST_PAUSE = 60.0
"""Seconds after which a refused client is told to come again, at most."""


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
    unit: str = "request for something else"
    """What it is a number of, such as `image to encode`."""
    count: int = 1
    """How many of them it is."""
    in_thread: bool = False
    """Whether the pieces run in a thread: those that take longer than the hop there."""
    is_tile: bool = False
    """Whether it goes into the queue of tiles."""
    results: list[Any] = field(default_factory=list)
    waiter: Waiter = field(init=False)
    """Who waits for the result; set when the job is submitted."""

    def take(self) -> Callable[[], Any]:
        """Return the piece whose turn has come; called on the event loop."""
        return self.calls.popleft()


@dataclass(eq=False)
class Pace:
    """How long work of one kind has taken lately.

    Averaged apart, a light piece that had to wait for the processor says little of heavy ones.
    """

    cold: int = COLD
    """Pieces to come that do not count."""
    seconds: float = 0.0
    """That a piece takes on average, without what goes before it."""
    weight: float = 0.0
    """Of a piece on average, in images decoded; 0 while the pace is not known."""

    def learn(self, weight: int, seconds: float) -> None:
        """Update by how long a piece of this weight took, unless it was a cold one."""
        if self.cold:
            self.cold -= 1
            return
        self.seconds += (seconds - self.seconds) / SMOOTHING
        self.weight += (weight - self.weight) / SMOOTHING

    def of(self, weight: int) -> float:
        """Return the seconds that so much work takes; 0 if that is not known."""
        return weight * self.seconds / self.weight if self.weight else 0.0


@dataclass(eq=False)
class FairQueue:
    """Alternates between the oldest request and the one with the fewest pieces left.

    A request of one piece never waits for all of a long one, and a long one never waits for many
    short ones. Of several long ones the first is finished first: equal shares would make all late.
    """

    max_seconds: float
    """How long a request may have to wait for others."""
    stats: QueueStats
    """Where refusals are counted."""
    jobs: dict[Job, None] = field(default_factory=dict)
    """The oldest first."""
    oldest_is_next: bool = False
    paces: defaultdict[str, Pace] = field(default_factory=lambda: defaultdict(Pace))
    """By the unit of a job."""
    promised: float = 0.0
    """When the last of the refused clients would have its turn if all come again when told."""

    def put(self, job: Job) -> None:
        """Queue a job; raises Overloaded if it would wait for too long."""
        self.require_room(len(job.calls))
        self.jobs[job] = None

    @property
    def waiting(self) -> int:
        """Images decoded, or what costs as much, that wait."""
        return sum(job.weight * len(job.calls) for job in self.jobs if not job.waiter.done())

    def require_room(self, pieces: int) -> None:
        """Raise Overloaded if a job of so many pieces would be refused now.

        It waits for no more pieces of another job than it has itself, because they take turns.
        """
        before = [job for job in self.jobs if not job.waiter.done()]
        seconds = sum(
            self.paces[job.unit].of(job.weight * min(len(job.calls), pieces)) for job in before
        )
        if seconds > self.max_seconds:
            raise self._refusal(before, seconds)

    def _refusal(self, before: list[Job], seconds: float) -> Overloaded:
        """Count and return the refusal of a job that would wait so long for others.

        Clients that were refused have their turns one after the other. Each is told to come again
        after half of the time until its own turn: a client that comes early can wait here, and a
        pace measured during a rush is too slow.
        """
        self.stats.refused += 1
        now = perf_counter()
        turn = max(self.promised, now + seconds) + seconds / len(before)
        self.promised = min(turn, now + LONGEST_PAUSE)
        later = max(1, math.ceil((self.promised - now) / 2))
        waiting: Counter[str] = Counter()
        for job in before:
            waiting[job.unit] += job.count
        listed = " and ".join(_counted(unit, count) for unit, count in waiting.most_common())
        return Overloaded(
            f"{listed} come before this, which would wait some {seconds:.0f} seconds for them; "
            f"this server lets a request wait {self.max_seconds:g}. Try again in {later}.",
            retry_after_seconds=later,
        )

    def next(self) -> Job:
        """Return the job of which a piece runs next; it stays in the queue."""
        oldest = next(iter(self.jobs))
        self.oldest_is_next = not self.oldest_is_next
        if self.oldest_is_next or len(oldest.calls) == 1:
            return oldest
        return min(self.jobs, key=lambda job: len(job.calls))


def _counted(unit: str, count: int) -> str:
    noun, _, rest = unit.partition(" ")
    return f"{count:,} {noun}{'' if count == 1 else 's'} {rest}"
