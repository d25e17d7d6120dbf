"""SIGTERM to a real server: not ready first, closed later."""

import os
import signal

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.app.live_server import DEFAULT
from tools.server import Server

LONG, SHORT = "600", "0.5"

pytestmark = pytest.mark.server


def status(server: Server, path: str) -> int:
    return httpx.get(f"{server.url}{path}", trust_env=False, timeout=60).status_code


def stream(server: Server) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/api/v1/models/{DEFAULT}/stream", proxy=None)


def wait_until_not_ready(server: Server) -> None:
    while status(server, "/readyz") == 200:
        pass


def wait_for_the_end(server: Server) -> int:
    assert server._process is not None
    return server._process.wait(timeout=60)


@pytest.mark.parametrize("hurry", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_until_the_port_closes_a_server_that_stops_answers_but_is_not_ready(
    hurry: signal.Signals,
) -> None:
    arguments = ("--models", DEFAULT, "--device", "cpu", "--drain-seconds", LONG)
    with Server(*arguments) as server, stream(server) as open_one:
        os.kill(server.pid, signal.SIGTERM)
        wait_until_not_ready(server)
        answer = httpx.get(f"{server.url}/readyz", trust_env=False)
        assert (answer.status_code, answer.json()["title"]) == (503, "Not ready")
        assert status(server, "/healthz") == 200
        assert status(server, f"/api/v1/models/{DEFAULT}/decode.png?z=0,0") == 200
        with stream(server) as late:
            for connection in (open_one, late):
                connection.send(bytes(12))
                assert len(connection.recv(timeout=60)) == 788
        os.kill(server.pid, hurry)
        with pytest.raises(ConnectionClosed) as closed:
            open_one.recv(timeout=60)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        wait_for_the_end(server)
        assert "Model mnist-vae-2d is ready on cpu" in server.written()
        assert "Application shutdown complete" in server.written()
        assert "Traceback" not in server.written()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_after_the_grace_the_server_ends_by_itself(workers: str) -> None:
    arguments = ("--models", DEFAULT, "--drain-seconds", SHORT, "--workers", workers)
    with Server(*arguments) as server:
        os.kill(server.pid, signal.SIGTERM)
        assert wait_for_the_end(server) in (0, -signal.SIGTERM)
        written = server.written()
        assert "Stopping in 0.5 seconds" in written
        assert written.index("Stopping in") < written.index("Shutting down")
        assert "Traceback" not in written
