"""Faults of the machine: a full disk, and a read-only one."""

import io
import resource
import sys

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.sync.client import connect

from tests.app.live_server import DEFAULT
from tests.waiting import until
from tools.server import READ_ONLY, Server, can_be_read_only

MODEL = f"/api/v1/models/{DEFAULT}"

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes"),
]


def fill_the_disk_for(*pids: int) -> None:
    """Let no file of these processes grow any more, including the log."""
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0))


def large_upload() -> dict[str, tuple[str, bytes]]:
    """Return an image of some megabytes: more than a form parser keeps in memory by default."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (1500, 2000), np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    assert len(file.getvalue()) > 2_000_000
    return {"file": ("noise.png", file.getvalue())}


def test_with_a_full_disk_everything_is_served_and_nothing_is_written() -> None:
    """Workers, which cannot write their counts either, answer for themselves."""
    with (
        Server("--models", DEFAULT, "--workers", "2") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=60) as ask,
    ):
        starts = "Application startup complete"
        until(lambda: server.written().count(starts) == 2, "both workers")
        fill_the_disk_for(server.pid, *server.workers())
        written = server.written()
        for path in ("/", f"{MODEL}/decode.png?z=0,0", f"{MODEL}/planes/latent/tiles/3/1/2.png"):
            assert ask.get(path).status_code == 200
        assert ask.post(f"{MODEL}/encode", files=large_upload()).status_code == 200
        assert "explorer_requests_total" in ask.get("/metrics").text
        address = f"{server.url.replace('http', 'ws')}{MODEL}/stream"
        with connect(address, compression=None, proxy=None) as stream:
            stream.send(bytes(12))
            assert len(stream.recv(timeout=30)) == 788
        assert server.written() == written


@pytest.mark.skipif(not can_be_read_only(), reason="no read-only file system can be made here")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_on_a_read_only_file_system_everything_is_served(workers: str) -> None:
    with (
        Server("--models", DEFAULT, "--workers", workers, within=READ_ONLY) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=60) as ask,
    ):
        for path in ("/", f"{MODEL}/decode.png?z=0,0", f"{MODEL}/planes/latent/tiles/3/1/2.png"):
            assert ask.get(path).status_code == 200
        assert ask.post(f"{MODEL}/encode", files=large_upload()).status_code == 200
        assert "explorer_requests_total" in ask.get("/metrics").text
        warned = "Workers cannot add up their metrics" in server.written()
    assert warned == (workers == "2")
