"""`python -m app` as a process: its command line, its start and its end."""

import os
import signal
import socket
import struct
import subprocess
import sys

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.app.live_server import DEFAULT
from tools.server import Server

pytestmark = pytest.mark.server


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def without_models(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The start of a server without a checkpoint, and with a variable that is misspelt."""
    empty = str(tmp_path_factory.mktemp("empty"))
    return run("--checkpoints", empty, EXPLORER_HOTS="0.0.0.0")


def test_help_shows_every_flag_with_its_variable() -> None:
    shown = run("--help").stdout
    assert "--max-body-bytes" in shown
    assert "EXPLORER_MAX_BODY_BYTES" in shown


def test_help_does_not_wait_for_torch() -> None:
    code = "import sys, app.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_bad_setting_stops_the_start_with_one_sentence() -> None:
    for outcome in (run("--port", "high"), run(EXPLORER_PORT="high")):
        assert outcome.returncode == 2
        assert outcome.stderr == "EXPLORER_PORT is 'high'; it must be a whole number.\n"


def test_a_port_that_is_taken_is_told_before_anything_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("--port", str(port))
    assert refused.returncode == 2
    assert f"port {port} of 127.0.0.1" in refused.stderr
    assert f"make serve PORT={port + 1}" in refused.stderr
    assert refused.stderr.count("\n") == 1  # nothing was loaded before


def test_an_address_of_another_machine_is_told() -> None:
    refused = run("--host", "192.0.2.1")
    assert refused.returncode == 2
    assert "port 8000 of 192.0.2.1" in refused.stderr


def test_a_misspelt_variable_is_told(without_models: subprocess.CompletedProcess[str]) -> None:
    said = without_models.stderr
    assert "EXPLORER_HOTS is not a setting; did you mean EXPLORER_HOST?" in said


def test_a_default_model_that_cannot_be_served_stops_the_start_with_its_reason(
    without_models: subprocess.CompletedProcess[str],
) -> None:
    assert without_models.returncode != 0
    assert f"EXPLORER_DEFAULT_MODEL is {DEFAULT}" in without_models.stderr
    assert "Traceback" not in without_models.stderr


WITHOUT_UVLOOP = (
    "import runpy, sys; sys.modules['uvloop'] = None; sys.argv = sys.argv[3:]; "
    "runpy.run_module('app', run_name='__main__')"
)
"""Becomes `python -m app` where uvloop is not installed, as on Windows."""


def test_without_uvloop_pictures_uploads_and_drags_are_answered_and_a_stop_ends_it() -> None:
    hidden = (sys.executable, "-c", WITHOUT_UVLOOP)
    with Server("--models", DEFAULT, within=hidden) as server:
        model = f"/api/v1/models/{DEFAULT}"
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            picture = client.get(f"{model}/decode.png?z=0.5,-1")
            assert picture.status_code == 200
            sent = {"file": ("digit.png", picture.content)}
            assert client.post(f"{model}/encode", files=sent).status_code == 200
        address = f"ws://127.0.0.1:{server.port}{model}/stream"
        with connect(address, compression=None, proxy=None) as stream:
            for number in range(3):
                stream.send(struct.pack("<Iff", number, 0.5, -1))
                image = stream.recv(timeout=60)
                assert image[:4] == struct.pack("<I", number)
            os.kill(server.pid, signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                stream.recv(timeout=60)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012  # service restart
