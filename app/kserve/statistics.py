"""What has been asked of each endpoint since the start, and how long it took.

The protocol's statistics extension, in its own words. The objects that count are those that are
answered.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, Field

VERSION = "1"
"""Every model here has one version: another one has another name."""


class Duration(BaseModel):
    """How often something was done, and how long it took in all."""

    count: int = 0
    ns: int = Field(0, description="Nanoseconds")

    def add(self, ns: int) -> None:
        self.count += 1
        self.ns += ns


class Computing(BaseModel):
    """The parts of the requests that were answered."""

    compute_input: Duration = Field(default_factory=Duration, description="Reading the tensor")
    compute_infer: Duration = Field(
        default_factory=Duration, description="The model's work, and its wait for other work"
    )
    compute_output: Duration = Field(default_factory=Duration, description="Writing the answer")


class InferenceStatistics(Computing):
    """All requests."""

    success: Duration = Field(default_factory=Duration)
    fail: Duration = Field(default_factory=Duration, description="Refused, failed or given up")
    queue: Duration = Field(
        default_factory=Duration, description="Waiting for the model to be loaded"
    )
    cache_hit: Duration = Field(default_factory=Duration, description="Always 0: there is no cache")


class BatchStatistics(Computing):
    """The requests of one size."""

    batch_size: int


class ModelStatistics(BaseModel):
    """What one endpoint of this worker has done since it started."""

    name: str
    version: str = VERSION
    last_inference: int = Field(0, description="Milliseconds since 1970; 0 if there was none")
    inference_count: int = Field(0, description="Rows of all batches that were answered")
    execution_count: int = Field(
        0, description="Pieces of work for them; small decodes that shared a pass count each"
    )
    inference_stats: InferenceStatistics = Field(default_factory=InferenceStatistics)
    batch_stats: list[BatchStatistics] = Field(default_factory=list)

    @contextmanager
    def request(self) -> Iterator["Clock"]:
        """Time one request from here on; whatever it raises makes it a failed one."""
        self.last_inference = time.time_ns() // 1_000_000
        clock = Clock()
        try:
            yield clock
        except BaseException:  # among them the cancelling of what nobody waits for any more
            self.inference_stats.fail.add(clock.total)
            raise
        self._succeeded(clock)

    def _succeeded(self, clock: "Clock") -> None:
        self.inference_count += clock.rows
        self.execution_count += clock.passes
        self.inference_stats.success.add(clock.total)
        batch = self._batch(clock.rows)
        for part, ns in clock.parts.items():
            getattr(self.inference_stats, part).add(ns)
            if part in Computing.model_fields:
                getattr(batch, part).add(ns)

    def _batch(self, size: int) -> BatchStatistics:
        for batch in self.batch_stats:
            if batch.batch_size == size:
                return batch
        self.batch_stats.append(BatchStatistics(batch_size=size))
        return self.batch_stats[-1]


class Clock:
    """Divides a request into parts, one after the other, and knows its size."""

    def __init__(self) -> None:
        self.start = self.last = time.perf_counter_ns()
        self.parts: dict[str, int] = {}
        self.rows = self.passes = 0

    def ends(self, part: str) -> None:
        """Give a part all the time since the one before it."""
        now = time.perf_counter_ns()
        self.parts[part] = now - self.last
        self.last = now

    @property
    def total(self) -> int:
        return time.perf_counter_ns() - self.start
