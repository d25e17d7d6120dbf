"""GET /metrics, read back by Prometheus's own parsers."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from app.api.metrics import METRICS
from app.errors import Overloaded
from app.main import VERSION
from app.serving.batcher import Batcher
from app.settings import ROOT, Settings
from app.telemetry.counters import Counters
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving

TILE = f"/api/v1/models/{DEFAULT}/planes/latent/tiles/0/0/0.png"


@pytest.fixture(scope="module")
def fresh() -> Iterator[Serving]:
    """Yield a server that only these tests use."""
    with serving(Settings(models=(DEFAULT,))) as running:
        yield running


def read(server: Serving) -> dict[tuple[str, tuple[str, ...]], float]:
    """Scrape: return the value of each sample by its name and the sorted values of its labels."""
    with server.client() as client:
        text = client.get("/metrics").text
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in parse_text(text)
        for sample in family.samples
    }


def change(server: Serving, name: str, *labels: str) -> Iterator[float]:
    """Yield how much a sample has grown by then."""
    key = (name, tuple(sorted(labels)))
    before = read(server).get(key, 0)
    while True:
        yield read(server).get(key, 0) - before


def test_requests_are_counted_by_route_method_and_class_of_status(fresh: Serving) -> None:
    before = read(fresh)
    with fresh.client() as client:
        for name in (DEFAULT, "nobody", "no-one"):
            client.get(f"/api/v1/models/{name}")
        client.head("/healthz")
    after = read(fresh)

    def grown(name: str, *labels: str) -> float:
        key = (name, tuple(sorted(labels)))
        return after.get(key, 0) - before.get(key, 0)

    route = "/api/v1/models/{model}"
    assert grown("explorer_requests_total", route, "GET", "2xx") == 1
    assert grown("explorer_requests_total", route, "GET", "4xx") == 2
    assert grown("explorer_requests_total", "/healthz", "HEAD", "2xx") == 1
    assert grown("explorer_request_seconds_count", route) == 3
    assert grown("explorer_request_seconds_bucket", route, "+Inf") == 3
    assert grown("explorer_request_seconds_sum", route) > 0


def test_a_path_or_method_that_a_client_invents_becomes_no_label(fresh: Serving) -> None:
    with fresh.client() as client:
        client.get("/")
        before = set(read(fresh))
        for name in ("a", "b", "c"):
            client.get(f"/invented-{name}")
            client.get(f"/static/invented-{name}")
            client.request("PROPFIND", f"/invented-{name}")
            client.get(f"/api/v1/models/invented-{name}/planes/at-AAAA/tiles/1/2/3.png")
    after = read(fresh)
    assert "invented" not in str(after)
    routes = {labels for name, labels in set(after) - before if name == "explorer_requests_total"}
    assert ("4xx", "PROPFIND", "none") not in routes
    assert ("4xx", "none", "other") in routes
    assert len(routes) <= 5


def test_a_route_has_the_same_label_under_a_root_path() -> None:
    with serving(Settings(models=(DEFAULT,), root_path="/explorer")) as server:
        with server.client() as client:
            client.get(f"/explorer/api/v1/models/{DEFAULT}")
            client.get(f"/api/v1/models/{DEFAULT}")
        found = read(server)
    assert found["explorer_requests_total", ("/api/v1/models/{model}", "2xx", "GET")] == 2


def test_frames_of_a_stream_and_the_calls_that_made_them_are_counted(fresh: Serving) -> None:
    frames = change(fresh, "explorer_frame_seconds_count")
    images = change(fresh, "explorer_batch_images_sum", "small")
    calls = change(fresh, "explorer_batch_seconds_count", "small")
    route = "/api/v1/models/{model}/stream"
    ended = change(fresh, "explorer_requests_total", route, "STREAM", "1xx")
    assert (next(frames), next(images), next(calls), next(ended)) == (0, 0, 0, 0)
    with fresh.stream() as stream:
        for _ in range(5):
            stream.send(bytes(12))
            stream.recv()
        assert read(fresh)["explorer_open_streams", ()] == 1
    while next(ended) == 0:
        pass
    assert (next(frames), next(images), next(calls)) == (5, 5, 5)
    assert read(fresh)["explorer_open_streams", ()] == 0


def test_bulk_is_counted_separately(fresh: Serving) -> None:
    images = change(fresh, "explorer_batch_images_sum", "bulk")
    calls = change(fresh, "explorer_batch_seconds_count", "bulk")
    assert (next(images), next(calls)) == (0, 0)
    with fresh.client() as client:
        body = {"latents": [[0, 0]] * 100}
        client.post(f"/api/v1/models/{DEFAULT}/decode", json=body).raise_for_status()
    assert (next(images), next(calls)) == (128, 2)  # two chunks of at most 64


def test_the_image_cache_counts_its_hits_and_misses(fresh: Serving) -> None:
    hits = change(fresh, "explorer_picture_lookups_total", "hit")
    misses = change(fresh, "explorer_picture_lookups_total", "miss")
    size = change(fresh, "explorer_picture_cache_bytes")
    assert (next(hits), next(misses), next(size)) == (0, 0, 0)
    with fresh.client() as client:
        client.get(TILE)
        client.get(TILE.replace("0/0/0", "3/1/2"))
        client.get(TILE.replace("0/0/0", "3/1/2"))
    assert (next(hits), next(misses)) == (2, 1)  # the first was made at the start
    assert next(size) > 0


def test_a_request_that_finds_the_queue_full_is_counted() -> None:
    counters = Counters()

    async def ask_twice() -> list[object]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(lambda z: z, executor, max_queue=1, counters=counters)
            latent = np.zeros((1, 2), np.float32)
            both = batcher.run(latent), batcher.run(latent)
            return list(await asyncio.gather(*both, return_exceptions=True))

    _, second = asyncio.run(ask_twice())
    assert isinstance(second, Overloaded)
    assert (counters.small.refused, sum(counters.small.images.counts)) == (1, 1)


def test_the_state_of_the_server_is_reported(fresh: Serving) -> None:
    found = read(fresh)
    assert found["explorer_model_memory_bytes", (DEFAULT,)] == fresh.registry.sizes[DEFAULT]
    assert found["explorer_workers", ()] == 1
    (build,) = [labels for name, labels in found if name == "explorer_build_info"]
    assert {VERSION, "cpu"} <= set(build)
    assert found["explorer_queue_images", ("small",)] == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it is read from /proc")
def test_the_process_is_reported(fresh: Serving) -> None:
    found = read(fresh)
    assert found["process_resident_memory_bytes", ()] > 100e6
    assert found["process_cpu_seconds_total", ()] > 0
    assert 0 < found["process_open_fds", ()] < found["process_max_fds", ()]
    assert found["process_start_time_seconds", ()] > 1.7e9


def test_openmetrics_is_answered_if_accept_asks_for_it(fresh: Serving) -> None:
    with fresh.client() as client:
        accept = "application/openmetrics-text; version=1.0.0; q=0.6, text/plain; q=0.3"
        answer = client.get("/metrics", headers={"accept": accept})
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        families = list(parse_openmetrics(answer.text))  # type: ignore[no-untyped-call]
        assert client.get("/metrics").headers["content-type"].startswith("text/plain")
    assert {family.name for family in families} == {name.removesuffix("_total") for name in METRICS}


def test_metrics_switched_off_are_not_served(refused: Refused) -> None:
    with serving(Settings(models=(DEFAULT,), metrics="off")) as server, server.client() as client:
        refused(client.get("/metrics"), 404)


def test_every_metric_has_its_row_in_the_document(client: httpx.Client) -> None:
    document = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| (.*?) \| (.*) \|$", document, re.M)
    documented = {(name, kind, labels) for name, kind, labels, _ in rows}
    labels = {name: ", ".join(f"`{one}`" for one in METRICS[name].labels) for name in METRICS}
    assert {(name, named) for name, _, named in documented} == set(labels.items())
    kinds = re.findall(r"^# TYPE (\S+) (\w+)$", client.get("/metrics").text, re.M)
    assert set(kinds) == {(name, kind) for name, kind, _ in documented}
    for name, kind in kinds:
        assert name.endswith("_total") == (kind == "counter"), name
        assert bool(METRICS[name].bounds) == (kind == "histogram"), name


def test_names_follow_the_conventions() -> None:
    for name, metric in METRICS.items():
        assert re.fullmatch(r"(explorer|process)(_[a-z]+)+", name)
        assert metric.bounds == tuple(sorted(metric.bounds))
