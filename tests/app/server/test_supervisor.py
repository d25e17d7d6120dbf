"""Several processes on one port: replaced under traffic, stopped, and not able to start."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from app.server.supervisor import WorkerProcess
from app.settings import ROOT
from tests.app.live_server import DEFAULT
from tests.app.stopping import accepted_request, rest_of, wait_until_closed
from tests.waiting import PAUSE_SECONDS, until
from tools.server import Server

MODEL = f"/api/v1/models/{DEFAULT}"

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at other processes"),
]


class Traffic:
    """What clients saw: how many answers, and every failure in words."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answers = {"kept": 0, "fresh": 0, "long": 0}
        self.failures: list[str] = []
        self.over = Event()

    def ask(self, kind: str, get: Callable[[], httpx.Response]) -> None:
        try:
            status = get().status_code
        except httpx.TransportError as error:
            self.failures.append(f"{kind}: {error!r}")
        else:
            self.answers[kind] += 1
            if status != 200:
                self.failures.append(f"{kind}: {status}")

    def keep_asking(self) -> None:
        """Ask on connections that are kept, as a proxy does, and on one for each request.

        One question at a time, and a pause: the workers that start want the processor too.
        """
        url = self.server.url
        options: dict[str, Any] = {"trust_env": False, "verify": False, "timeout": 60}
        with httpx.Client(base_url=url, **options) as kept, httpx.Client(**options) as long:
            while not self.over.wait(PAUSE_SECONDS):
                self.ask("kept", lambda: kept.get(f"{MODEL}/decode.png?z=0,0"))
                self.ask("long", lambda: long.get(f"{url}{MODEL}/planes/latent/fields/density.png"))
                self.ask("fresh", lambda: httpx.get(f"{url}/healthz", **options))

    @contextmanager
    def flowing(self) -> Iterator[None]:
        thread = Thread(target=self.keep_asking)
        thread.start()
        try:
            self.wait_for_more()
            yield
            self.wait_for_more()
        finally:
            self.over.set()
            thread.join()

    def wait_for_more(self) -> None:
        before = dict(self.answers)
        until(
            lambda: all(self.answers[kind] > count for kind, count in before.items()),
            "answers of each kind",
        )


def wait_for_workers(server: Server, count: int, without: list[int]) -> None:
    def settled() -> bool:
        found = server.workers()
        return len(found) == count and not set(found) & set(without)

    until(settled, f"{count} workers", seconds=120)


def wait_until_started(server: Server, count: int) -> None:
    """Wait until so many workers have started since the server has: all, not the first alone."""
    until(
        lambda: server.written().count("Application startup complete") == count,
        f"{count} starts",
        seconds=120,
    )


def test_restarts_replace_every_worker_or_none_and_fail_no_request(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "checkpoints" / DEFAULT, tmp_path / DEFAULT)
    with Server("--workers", "2", "--checkpoints", str(tmp_path)) as server:
        wait_until_started(server, 2)
        first = server.workers()
        address = f"{server.url.replace('http', 'ws')}{MODEL}/stream"
        traffic = Traffic(server)
        with connect(address, compression=None, proxy=None) as stream, traffic.flowing():
            os.kill(server.pid, signal.SIGHUP)
            with pytest.raises(ConnectionClosed) as closed:
                stream.recv(timeout=300)
            wait_for_workers(server, 2, without=first)
        assert traffic.failures == []
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        with connect(address, compression=None, proxy=None) as stream:
            stream.send(bytes(12))
            assert len(stream.recv(timeout=30)) == 788
        assert "Traceback" not in server.written()

        wait_until_started(server, 4)
        second = server.workers()
        (tmp_path / DEFAULT / "model.safetensors").write_bytes(b"damaged")
        os.kill(server.pid, signal.SIGHUP)
        until(lambda: "aborting the restart" in server.written(), "the end of the restart")
        assert server.workers() == second
        answer = httpx.get(f"{server.url}{MODEL}/decode.png?z=0,0", trust_env=False, timeout=60)
        assert answer.status_code == 200

        accepted = accepted_request(server.port)
        os.kill(server.pid, signal.SIGTERM)
        wait_until_closed(server.port)
        assert rest_of(accepted).startswith(b"HTTP/1.1 200 "), "what was accepted is answered"


def test_told_to_stop_during_a_rolling_restart_it_stops_before_the_next_worker() -> None:
    with Server("--workers", "2", "--models", DEFAULT) as server:
        wait_for_workers(server, 2, without=[])
        os.kill(server.pid, signal.SIGHUP)
        until(lambda: "restarting processes" in server.written(), "the restart")
        os.kill(server.pid, signal.SIGTERM)
        assert server._process is not None
        assert server._process.wait(timeout=60) == 0
        started = server.written().count("Started server process")
        assert started <= 3  # two, and at most the one that was on its way


def test_that_a_worker_has_ended_is_known_without_waiting_for_its_answer() -> None:
    worker = WorkerProcess(uvicorn.Config("nowhere:app", log_config=None), [])
    worker.start()
    worker.process.join()
    assert worker.parent_conn.poll(0)
    assert not worker.is_alive(timeout=60)
    assert worker.exitcode not in (0, None)


def test_workers_whose_metrics_cannot_be_kept_say_so_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "app", "--workers", "2", "--port", "0", "--models", DEFAULT]
    folder = str(tmp_path / "file" / "below")
    run = subprocess.run(
        [*command, "--metrics-folder", folder], capture_output=True, text=True, timeout=120
    )
    assert run.returncode not in (0, -signal.SIGTERM)
    assert "EXPLORER_METRICS_FOLDER cannot be made" in run.stderr
    assert "Traceback" not in run.stderr


def test_workers_that_cannot_start_end_the_server_with_a_failure(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--workers", "2", "--port", "0"]
    run = subprocess.run(
        [*command, "--checkpoints", str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert run.returncode not in (0, -signal.SIGTERM)
    assert f"EXPLORER_DEFAULT_MODEL is {DEFAULT}" in run.stderr
