"""GET /metrics: what this server has counted, for Prometheus; read on request."""

import asyncio
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from itertools import accumulate
from typing import NamedTuple

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.responses import Response

from app.api.stream import Stream
from app.serving.image_cache import ImageCache
from app.serving.registry import Registry
from app.telemetry.counters import IMAGES, SECONDS, Counters, Histogram
from app.telemetry.worker_metrics import Sample, SharedMetrics


class Described(NamedTuple):
    """A metric: summed over all workers that live, and for a counter over those that died, too."""

    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """Of a histogram; what has none is a counter if its name ends in `_total`, else a gauge."""


QUEUE = ("queue",)
METRICS = {
    "explorer_requests_total": Described(
        "Requests answered, and streams that have ended", ("route", "method", "status")
    ),
    "explorer_request_seconds": Described(
        "From a request's head to the end of its answer; streams are left out", ("route",), SECONDS
    ),
    "explorer_frame_seconds": Described(
        "From a message of a stream to its image; those that were overtaken are left out",
        bounds=SECONDS,
    ),
    "explorer_open_streams": Described("Streams that are open"),
    "explorer_origin_refusals_total": Described(
        "Streams refused because a page of a foreign origin asked for them"
    ),
    "explorer_batch_images": Described(
        "Images decoded by one call of an engine, or what the call costs in such", QUEUE, IMAGES
    ),
    "explorer_batch_seconds": Described("How long that call took", QUEUE, SECONDS),
    "explorer_queue_images": Described("Images that wait to be decoded", QUEUE),
    "explorer_queue_refusals_total": Described(
        "Requests and frames refused because the queue was full", QUEUE
    ),
    "explorer_picture_lookups_total": Described(
        "Tiles and fields looked for among those at hand", ("result",)
    ),
    "explorer_picture_cache_bytes": Described("What the tiles and fields at hand take"),
    "explorer_model_memory_bytes": Described("What a loaded model takes", ("model",)),
    "explorer_workers": Described("Workers that live"),
    "explorer_build_info": Described(
        "Always 1 a worker; the labels say what runs", ("version", "python", "torch", "device")
    ),
    "process_cpu_seconds_total": Described("Processor time, user and system"),
    "process_resident_memory_bytes": Described("Resident memory"),
    "process_virtual_memory_bytes": Described("Virtual memory"),
    "process_open_fds": Described("Open file descriptors"),
    "process_max_fds": Described("Most file descriptors that may be open"),
    "process_start_time_seconds": Described("When the oldest worker started (Unix time)"),
}
LASTING = {name for name, metric in METRICS.items() if metric.bounds or name.endswith("_total")}
OLDEST = "process_start_time_seconds"
"""The one metric that is not summed."""


@dataclass
class WorkerMetrics:
    """The metrics of one worker."""

    version: str
    counters: Counters
    registry: Registry
    images: ImageCache
    streams: Stream
    process: ProcessCollector = field(default_factory=partial(ProcessCollector, registry=None))

    def samples(self) -> list[Sample]:
        """Return every metric; runs on the event loop, so that nothing changes meanwhile."""
        return list(self._each())

    def _each(self) -> Iterator[Sample]:
        for key, count in self.counters.requests.items():
            yield "explorer_requests_total", key, (count,)
        for route, histogram in self.counters.seconds.items():
            yield "explorer_request_seconds", (route,), _values(histogram)
        yield "explorer_frame_seconds", (), _values(self.counters.frames)
        yield "explorer_open_streams", (), (self.streams.open,)
        yield "explorer_origin_refusals_total", (), (self.counters.foreign_origins,)
        yield "explorer_picture_lookups_total", ("hit",), (self.images.hits,)
        yield "explorer_picture_lookups_total", ("miss",), (self.images.misses,)
        yield "explorer_picture_cache_bytes", (), (self.images.nbytes,)
        waiting = [served.batcher.waiting for served in self.registry.loaded]
        for place, queue in enumerate(("small", "tiles", "bulk")):
            stats = getattr(self.counters, queue)
            yield "explorer_batch_images", (queue,), _values(stats.images)
            yield "explorer_batch_seconds", (queue,), _values(stats.seconds)
            yield "explorer_queue_images", (queue,), (sum(each[place] for each in waiting),)
            yield "explorer_queue_refusals_total", (queue,), (stats.refused,)
        for model, size in self.registry.sizes.items():
            yield "explorer_model_memory_bytes", (model,), (size,)
        yield "explorer_workers", (), (1,)
        parts = (platform.python_version(), version("torch"), self.registry.device)
        yield "explorer_build_info", (self.version, *parts), (1,)
        for family in self.process.collect():
            for sample in family.samples:
                yield sample.name, (), (sample.value,)


def _values(histogram: Histogram) -> tuple[float, ...]:
    return (*histogram.counts, histogram.sum)


def merged(samples: Iterable[Sample]) -> dict[str, dict[tuple[str, ...], tuple[float, ...]]]:
    """Add up the samples of workers, by metric and labels."""
    found: dict[str, dict[tuple[str, ...], tuple[float, ...]]] = {}
    for name, labels, values in samples:
        series = found.setdefault(name, {})
        before = series.get(labels)
        if before is None:
            series[labels] = values
        elif name == OLDEST:
            series[labels] = min(before, values)
        else:
            series[labels] = tuple(map(sum, zip(before, values, strict=True)))
    return found


class _Merged(Collector):
    """Hands the metrics to `prometheus_client` in its own types."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.found = merged(samples)

    def collect(self) -> Iterable[Metric]:
        for name, metric in METRICS.items():
            yield _family(name, metric, self.found.get(name, {}))


def _family(
    name: str, metric: Described, found: dict[tuple[str, ...], tuple[float, ...]]
) -> Metric:
    if metric.bounds:
        histogram = HistogramMetricFamily(name, metric.meaning, labels=metric.labels)
        ends = [*map(floatToGoString, metric.bounds), "+Inf"]
        for labels, (*counts, total) in found.items():
            cumulative = zip(ends, accumulate(counts), strict=True)
            histogram.add_metric(labels, list(cumulative), total)
        return histogram
    kind = CounterMetricFamily if name in LASTING else GaugeMetricFamily
    family = kind(name, metric.meaning, labels=metric.labels)
    for labels, (value,) in found.items():
        family.add_metric(labels, value)
    return family


router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the metrics of all workers, as text or as OpenMetrics, whichever Accept asks for."""
    shared = request.app.state.shared_metrics
    assert isinstance(shared, SharedMetrics)
    request.app.state.log.write()  # this counts the requests that have ended since
    own = shared.own()
    encode, media_type = choose_encoder(request.headers.get("accept", ""))

    def answer() -> bytes:  # takes milliseconds, in which drags go on
        registry = CollectorRegistry()
        registry.register(_Merged(shared.all(own)))
        return encode(registry)

    return Response(await asyncio.to_thread(answer), headers={"Content-Type": media_type})
