"""The image, built and run as an operator would: `make test-image`, as root, with buildah.

Its name keeps it out of `make test`: it builds for minutes and takes some gigabytes.
"""

import json
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.main import VERSION
from tests.app.stopping import accepted_request, rest_of, wait_until_closed
from tests.browser.conftest import Visitor
from tests.image.container import ROOT, SCRIPT, STORAGE, Container, configuration
from tools import chromium

MODEL = "/api/v1/models/mnist-vae-2d"
HOME = "srv/latent-explorer"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Build the image; buildah's words are shown if it fails."""
    subprocess.run([SCRIPT, "build"], check=True)


@pytest.fixture(scope="module")
def container(built: None) -> Iterator[Container]:
    with Container() as running:
        yield running


def test_it_runs_as_an_ordinary_user_that_can_become_no_other(container: Container) -> None:
    status = container.status()
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"10001"}
    assert status["Groups"] == ""
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["NSpid"].split()[-1] == "1"
    assert configuration()["User"] == "10001:10001"


def test_it_says_what_it_is_and_listens_where_an_engine_can_reach_it() -> None:
    said = configuration()
    labels = {name.rpartition(".")[2]: value for name, value in said["Labels"].items()}
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert labels["version"] == VERSION
    assert labels["revision"].removesuffix("-dirty") == revision
    assert labels["title"] == "Latent Explorer"
    assert labels["licenses"] == "MIT"
    assert list(said["ExposedPorts"]) == ["8000/tcp"]
    assert {"EXPLORER_HOST=0.0.0.0", "EXPLORER_PORT=8000"} <= set(said["Env"])


def test_a_change_of_the_code_installs_no_package_anew(tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    apart = shutil.ignore_patterns(".git", ".venv", "node_modules", "build")
    shutil.copytree(ROOT, changed, ignore=apart)
    with (changed / "app" / "page.py").open("a") as code:
        code.write("# changed\n")
    names = {"IMAGE": "latent-explorer-changed", "STORAGE": str(STORAGE)}
    script = changed / "deploy" / "image.sh"
    run = subprocess.run(
        [script, "build"], env=os.environ | names, check=True, capture_output=True, text=True
    )
    written = run.stdout + run.stderr
    assert "COPY --from=code" in written
    assert "Using cache" in written
    assert "Collecting" not in written


def test_nothing_but_tmp_can_be_written(container: Container) -> None:
    lines = (container.init / "mounts").read_text().splitlines()
    options = {line.split()[1]: line.split()[3].split(",") for line in lines}
    assert {place for place, those in options.items() if "rw" in those} == {"/tmp", "/proc"}
    assert "ro" in options["/"]
    assert "Read-only file system" not in container.written()


def test_code_and_checkpoints_are_read_by_all_and_written_by_root_alone(
    container: Container,
) -> None:
    entries = [container.files / HOME, *(container.files / HOME).rglob("*")]
    assert any(entry.name == "model.safetensors" for entry in entries)
    for entry in entries:
        found = entry.stat()
        assert (found.st_uid, found.st_gid) == (0, 0)
        assert found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) == 0
        assert found.st_mode & stat.S_IROTH


def test_no_tool_to_build_with_is_left_inside(container: Container) -> None:
    tools = ["pip", "pip3", "gcc", "cc", "c++", "make", "git", "curl", "wget", "protoc"]
    folders = ["opt/venv/bin", "usr/local/bin", "usr/bin", "bin", "usr/sbin"]
    there = [container.files / folder / tool for folder in folders for tool in tools]
    assert [place for place in there if place.is_symlink() or place.exists()] == []
    (packages,) = (container.files / "opt/venv/lib").glob("python3*/site-packages")
    names = {entry.name for entry in packages.iterdir()}
    assert names & {"pip", "setuptools", "wheel", "pytest", "triton", "nvidia"} == set()
    assert list(packages.rglob("*.h")) == list(packages.rglob("*.a")) == []


def test_it_serves_the_models_of_the_checkout(container: Container) -> None:
    with httpx.Client(base_url=container.url, trust_env=False, timeout=60) as ask:
        models = ask.get("/api/v1/models").json()["models"]
        cards = [json.loads(file.read_text()) for file in ROOT.glob("checkpoints/*/card.json")]
        assert {m["id"]: m["sha256"] for m in models} == {c["id"]: c["sha256"] for c in cards}
        for model in models:
            answer = ask.post(f"/api/v1/models/{model['id']}/sample", json={"count": 1, "seed": 1})
            assert answer.status_code in (200, 409), model["id"]  # 409: VQ has no plain latent
        picture = ask.get(f"{MODEL}/decode.png?z=0.5,-1.2").content
        form = {"file": ("digit.png", picture)}
        assert ask.post(f"{MODEL}/encode", files=form).status_code == 200
        walk = {"start": {"latent": [-2, 1]}, "end": {"latent": [2, -1]}, "steps": 8}
        for path in ("linear", "spherical", "geodesic"):
            asked = {**walk, "path": path}
            assert ask.post(f"{MODEL}/interpolate", json=asked).status_code == 200
        for path in ("planes/latent/tiles/3/1/2.png", "planes/latent/fields/density.png"):
            assert ask.get(f"{MODEL}/{path}").headers["content-type"] == "image/png"


def test_its_page_opens_in_a_browser(container: Container) -> None:
    with sync_playwright() as playwright:
        executable = chromium.find()
        browser = playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS)
        visitor = Visitor(browser, container.url)
        visitor.open()
        browser.close()
    assert visitor.complaints == []


def test_its_health_check_hears_of_a_server_that_works_and_of_one_that_does_not(
    container: Container,
) -> None:
    assert container.check_health() == 0
    server = int(container.init.name)
    os.kill(server, signal.SIGSTOP)
    try:
        assert container.check_health() != 0
    finally:
        os.kill(server, signal.SIGCONT)


def drag(stream: ClientConnection) -> tuple[int, int | None]:
    """Drag until the server closes; count the frames, and give the code of the close."""
    frames = 0
    with suppress(ConnectionClosed):
        while True:
            stream.send(bytes(12))
            frames += len(stream.recv(timeout=60)) == 788
    return frames, stream.close_code


@pytest.mark.parametrize("workers", ["1", "2"])
def test_told_to_stop_during_a_drag_it_answers_what_it_accepted_and_ends_well(
    workers: str,
) -> None:
    with Container(WORKERS=workers, MODELS="mnist-vae-2d") as container:
        address = f"{container.url.replace('http', 'ws')}{MODEL}/stream"
        with connect(address, compression=None, proxy=None) as stream:
            accepted = accepted_request(container.port)
            container.terminate()
            frames, code = drag(stream)
            assert frames
            assert code == 1012
        wait_until_closed(container.port)
        answer = rest_of(accepted)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert container.wait() == 0
        assert "Traceback" not in container.written()
