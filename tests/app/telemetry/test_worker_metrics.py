"""Workers add up their metrics: as objects, then as two real processes of which one is killed."""

import asyncio
import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.api.metrics import LASTING, merged
from app.telemetry.worker_metrics import SILENT_SECONDS, Sample, SharedMetrics
from tests.app.live_server import DEFAULT
from tests.waiting import until
from tools.server import Server

DECODE = f"/api/v1/models/{DEFAULT}/decode.png?z=0,0"
REQUESTS, OPEN = "explorer_requests_total", "explorer_open_streams"


def worker(folder: Path | str, requests: int) -> SharedMetrics:
    samples: list[Sample] = [(REQUESTS, ("/", "GET", "2xx"), (requests,)), (OPEN, (), (1,))]
    return SharedMetrics(str(folder), lambda: samples, LASTING)


def added(worker: SharedMetrics) -> dict[str, float]:
    return {
        name: value
        for name, found in merged(worker.all(list(worker.own()))).items()
        for (value,) in found.values()
    }


def test_a_worker_that_is_alone_answers_for_itself_and_writes_nothing() -> None:
    async def run() -> dict[str, float]:
        async with (alone := worker("", 3)).publishing():
            return added(alone)

    assert asyncio.run(run()) == {REQUESTS: 3, OPEN: 1}


def test_workers_add_up_and_one_that_stopped_leaves_its_counters(tmp_path: Path) -> None:
    one, other = worker(tmp_path, 3), worker(tmp_path, 4)

    async def run() -> list[dict[str, float]]:
        found = []
        async with one.publishing():
            async with other.publishing():
                await asyncio.sleep(0)  # the other writes for the first time
                found.append(added(one))
            found.append(added(one))
        return found

    both, after = asyncio.run(run())
    assert both == {REQUESTS: 7, OPEN: 2}
    assert after == {REQUESTS: 7, OPEN: 1}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_worker_that_fell_silent_leaves_its_counters_too(tmp_path: Path) -> None:
    one, other = worker(tmp_path, 3), worker(tmp_path, 4)
    added(other)
    assert added(one) == {REQUESTS: 7, OPEN: 2}
    file = tmp_path / other.name
    long_ago = file.stat().st_mtime - SILENT_SECONDS - 1
    os.utime(file, (long_ago, long_ago))
    assert added(one) == {REQUESTS: 7, OPEN: 1}


def test_the_start_time_is_that_of_the_oldest_worker() -> None:
    name = "process_start_time_seconds"
    samples: list[Sample] = [(name, (), (20.0,)), (name, (), (10.0,))]
    assert merged(samples) == {name: {(): (10.0,)}}


@pytest.mark.server
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are found in /proc")
def test_of_two_real_workers_one_that_is_killed_is_replaced_and_no_counter_falls() -> None:
    folders = set(Path(tempfile.gettempdir()).glob("latent-explorer-*"))
    with Server("--models", DEFAULT, "--workers", "2") as server:
        first = sorted(server.workers())
        wait(server, alive=2)
        asked, answered = 0, 0.0
        while asked < 40:
            httpx.get(f"{server.url}/healthz", trust_env=False)
            asked += 1
            before, answered = answered, scrape(server)[1]
            assert before <= answered
        until(lambda: scrape(server)[1] >= asked, "counts, which are at most a second old")
        assert scrape(server)[1] == asked
        os.kill(first[0], signal.SIGKILL)
        while first[0] in server.workers() or len(server.workers()) < 2:
            with suppress(httpx.TransportError):  # it was on its way to the one that died
                answer = httpx.get(f"{server.url}{DECODE}", trust_env=False, timeout=60)
                assert answer.status_code == 200
        assert first[1] in server.workers()
        assert wait(server, alive=2, other_than=first) == asked
    assert set(Path(tempfile.gettempdir()).glob("latent-explorer-*")) == folders


def scrape(server: Server) -> tuple[float, float]:
    """Return how many workers live, and how many probes they have answered."""
    text = httpx.get(f"{server.url}/metrics", trust_env=False, timeout=60).text
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    (alive,) = (sample.value for sample in samples if sample.name == "explorer_workers")
    probes = [
        sample.value
        for sample in samples
        if sample.name == REQUESTS and sample.labels["route"] == "/healthz"
    ]
    return alive, sum(probes)


def wait(server: Server, alive: int, other_than: list[int] | None = None) -> float:
    """Wait until so many workers live, others than before; return the probes answered."""

    def settled() -> list[float]:
        try:
            now, probes = scrape(server)
        except httpx.TransportError:  # it was just killed
            return []
        serving = sorted(server.workers())
        return [probes] if now == len(serving) == alive and serving != other_than else []

    (probes,) = until(settled, f"{alive} workers")
    return probes
