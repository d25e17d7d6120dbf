"""GET /metrics: what this server has counted, for Prometheus; read on request."""

import asyncio
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import accumulate
from typing import Literal

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


@dataclass(frozen=True)
class Described:
    """A metric: summed over all workers that live, and for a counter over those that died, too."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


METRICS = (
    Described(
        "explorer_requests_total",
        "counter",
        "Requests answered, and streams that have ended",
        ("route", "method", "status"),
    ),
    Described(
        "explorer_request_seconds",
        "histogram",
        "From a request's head to the end of its answer; streams are left out",
        ("route",),
        SECONDS,
    ),
    Described(
        "explorer_frame_seconds",
        "histogram",
        "From a message of a stream to its image; those that were overtaken are left out",
        bounds=SECONDS,
    ),
    Described("explorer_open_streams", "gauge", "Streams that are open"),
    Described(
        "explorer_batch_images",
        "histogram",
        "Images decoded by one call of an engine, or what the call costs in such",
        ("queue",),
        IMAGES,
    ),
    Described(
        "explorer_batch_seconds", "histogram", "How long that call took", ("queue",), SECONDS
    ),
    Described("explorer_queue_images", "gauge", "Images that wait to be decoded", ("queue",)),
    Described(
        "explorer_queue_refusals_total",
        "counter",
        "Requests and frames refused because the queue was full",
        ("queue",),
    ),
    Described(
        "explorer_picture_lookups_total",
        "counter",
        "Tiles and fields looked for among those at hand",
        ("result",),
    ),
    Described("explorer_picture_cache_bytes", "gauge", "What the tiles and fields at hand take"),
    Described("explorer_model_memory_bytes", "gauge", "What a loaded model takes", ("model",)),
    Described("explorer_workers", "gauge", "Workers that live"),
    Described(
        "explorer_build_info",
        "gauge",
        "Always 1 a worker; the labels say what runs",
        ("version", "python", "torch", "device"),
    ),
    Described("process_cpu_seconds_total", "counter", "Processor time, user and system"),
    Described("process_resident_memory_bytes", "gauge", "Resident memory"),
    Described("process_virtual_memory_bytes", "gauge", "Virtual memory"),
    Described("process_open_fds", "gauge", "Open file descriptors"),
    Described("process_max_fds", "gauge", "Most file descriptors that may be open"),
    Described("process_start_time_seconds", "gauge", "When the oldest worker started (Unix time)"),
)
LASTING = {metric.name for metric in METRICS if metric.kind != "gauge"}
OLDEST = "process_start_time_seconds"
"""The one metric that is not summed."""


class WorkerMetrics:
    """The metrics of one worker."""

    def __init__(
        self,
        version: str,
        counters: Counters,
        registry: Registry,
        images: ImageCache,
        streams: Stream,
    ) -> None:
        self.version = version
        self.counters = counters
        self.registry = registry
        self.images = images
        self.streams = streams
        self.process = ProcessCollector(registry=None)

    def samples(self) -> list[Sample]:
        """Return every metric; runs on the event loop, so that nothing changes meanwhile."""
        return [*self._requests(), *self._engines(), *self._state(), *self._process()]

    def _requests(self) -> Iterator[Sample]:
        for key, count in self.counters.requests.items():
            yield "explorer_requests_total", key, (count,)
        for route, histogram in self.counters.seconds.items():
            yield "explorer_request_seconds", (route,), _values(histogram)
        yield "explorer_frame_seconds", (), _values(self.counters.frames)
        yield "explorer_open_streams", (), (self.streams.open,)
        yield "explorer_picture_lookups_total", ("hit",), (self.images.hits,)
        yield "explorer_picture_lookups_total", ("miss",), (self.images.misses,)
        yield "explorer_picture_cache_bytes", (), (self.images.nbytes,)

    def _engines(self) -> Iterator[Sample]:
        waiting = [served.batcher.waiting for served in self.registry.loaded]
        for place, queue in enumerate(("small", "tiles", "bulk")):
            stats = getattr(self.counters, queue)
            yield "explorer_batch_images", (queue,), _values(stats.images)
            yield "explorer_batch_seconds", (queue,), _values(stats.seconds)
            yield "explorer_queue_images", (queue,), (sum(each[place] for each in waiting),)
            yield "explorer_queue_refusals_total", (queue,), (stats.refused,)
        for model, size in self.registry.sizes.items():
            yield "explorer_model_memory_bytes", (model,), (size,)

    def _state(self) -> Iterator[Sample]:
        yield "explorer_workers", (), (1,)
        parts = (platform.python_version(), version("torch"), self.registry.device)
        yield "explorer_build_info", (self.version, *parts), (1,)

    def _process(self) -> Iterator[Sample]:
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
        for metric in METRICS:
            yield _family(metric, self.found.get(metric.name, {}))


def _family(metric: Described, found: dict[tuple[str, ...], tuple[float, ...]]) -> Metric:
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        ends = [*map(floatToGoString, metric.bounds), "+Inf"]
        for labels, (*counts, total) in found.items():
            cumulative = zip(ends, accumulate(counts), strict=True)
            histogram.add_metric(labels, list(cumulative), total)
        return histogram
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
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
