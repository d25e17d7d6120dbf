"""Counters and histograms of one worker: plain numbers, which the hot path adds to.

Nothing here locks or formats: only the event loop adds, and `app.api.metrics` reads on request.
Adding to a histogram takes a third of a microsecond. The multiprocess histogram of
`prometheus_client` takes seven, four times for each frame of a drag.
"""

from bisect import bisect_left
from collections.abc import Sequence

SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
IMAGES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class Histogram:
    """A histogram: how many values fall into each bin, and their sum.

    Attributes:
        bounds: The upper bounds of the bins but the last, ascending; each belongs to its bin.
        counts: One for each bound, and a last one for the values above all bounds.
        sum: Of all values.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class NullHistogram(Histogram):
    """Ignores every value, for a server whose metrics are off."""

    def add(self, value: float) -> None:
        """Ignore the value."""


class QueueStats:
    """What has passed through one queue of the batchers.

    Attributes:
        images: The cost of each call of an engine, in images decoded.
        seconds: The duration of each call.
        refused: Requests that were refused because the queue was full.
    """

    def __init__(self, kind: type[Histogram]) -> None:
        self.images = kind(IMAGES)
        self.seconds = kind(SECONDS)
        self.refused = 0

    def add(self, images: int, seconds: float) -> None:
        """Count one call that succeeded."""
        self.images.add(images)
        self.seconds.add(seconds)


class Counters:
    """Everything that one worker counts.

    Attributes:
        on: Whether anything is counted.
        requests: Requests answered, by route, method and class of status, such as `2xx`.
        seconds: How long they took, by route; streams are left out.
        frames: Seconds from a message of a stream to its image.
        foreign_origins: Streams refused because a page of a foreign origin asked for them.
        small: The queue of drags.
        tiles: The queue of tiles.
        bulk: The queue of everything else.
    """

    def __init__(self, *, on: bool = True) -> None:
        kind = Histogram if on else NullHistogram
        self.on = on
        self.requests: dict[tuple[str, str, str], int] = {}
        self.seconds: dict[str, Histogram] = {}
        self.frames = kind(SECONDS)
        self.foreign_origins = 0
        self.small = QueueStats(kind)
        self.tiles = QueueStats(kind)
        self.bulk = QueueStats(kind)

    def request(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count an answered request; for a stream that has ended, `seconds` is None."""
        if not self.on:
            return
        key = (route, method, CLASSES.get(status // 100, "5xx"))
        self.requests[key] = self.requests.get(key, 0) + 1
        if seconds is not None:
            histogram = self.seconds.get(route)
            if histogram is None:
                histogram = self.seconds[route] = Histogram(SECONDS)
            histogram.add(seconds)


CLASSES = {hundred: f"{hundred}xx" for hundred in range(1, 6)}
