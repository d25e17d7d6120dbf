"""The queues before an engine: bounded, and a request beyond the bound is refused at once."""

import heapq
import math
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
EARLY = 3
"""The part of the time until its turn after which a refused client is told to come again. Who comes
early may find room, for a pace that was measured during a rush is too slow, or is refused cheaply;
while all are late, the server rests."""


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


@dataclass(frozen=True, eq=False)
class Place:
    """The place in a queue of a job that was admitted and is yet to come."""

    pieces: int
    weight: int
    unit: str
    count: int
    """All four as those of the job."""


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
    place: Place | None = None
    """What was kept for it in the queue, if anything."""
    results: list[Any] = field(default_factory=list)
    waiter: Waiter = field(init=False)
    """Who waits for the result; set when the job is submitted."""

    @property
    def pieces(self) -> int:
        """How many wait."""
        return len(self.calls)

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
    places: dict[Place, None] = field(default_factory=dict)
    """Those kept for jobs that are yet to come."""
    returns: list[float] = field(default_factory=list)
    """When the clients that were refused come again as they were told; a heap."""

    @contextmanager
    def kept(self, place: Place) -> Iterator[Place]:
        """Keep a place for a job meanwhile; raises Overloaded if that would wait for too long."""
        self.require_room(place.pieces)
        self.places[place] = None
        try:
            yield place
        finally:
            self.places.pop(place, None)

    def put(self, job: Job) -> None:
        """Queue a job, in its place if one is kept for it.

        Raises:
            Overloaded: There is none, and the job would wait for too long.
        """
        if job.place in self.places:
            del self.places[job.place]
        else:
            self.require_room(job.pieces)
        self.jobs[job] = None

    @property
    def waiting(self) -> int:
        """Images decoded, or what costs as much, that wait."""
        return sum(job.weight * job.pieces for job in self.jobs if not job.waiter.done())

    def require_room(self, pieces: int) -> None:
        """Raise Overloaded if a job of so many pieces would be refused now.

        It waits for no more pieces of another job than it has itself, because they take turns.
        """
        waiting = [job for job in self.jobs if not job.waiter.done()]
        before: list[Job | Place] = [*waiting, *self.places]
        seconds = sum(
            self.paces[one.unit].of(one.weight * min(one.pieces, pieces)) for one in before
        )
        if seconds > self.max_seconds:
            raise self._refusal(before, seconds)

    def _refusal(self, before: list[Job | Place], seconds: float) -> Overloaded:
        """Count and return the refusal of a job that would wait so long for others.

        Its turn is after those who wait and after those who were refused and are yet to come again.
        At random, so that they do not come together, it is told about a third of that time.
        """
        self.stats.refused += 1
        now = perf_counter()
        while self.returns and self.returns[0] <= now:
            heapq.heappop(self.returns)
        turn = seconds + seconds / len(before) * len(self.returns)
        about = min(turn / EARLY, LONGEST_PAUSE / 1.5)
        later = max(1, math.ceil(about * random.uniform(0.5, 1.5)))
        heapq.heappush(self.returns, now + later)
        waiting: Counter[str] = Counter()
        for one in before:
            waiting[one.unit] += one.count
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
