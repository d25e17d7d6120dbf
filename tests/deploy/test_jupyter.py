"""The page through the real jupyter-server-proxy, as in JupyterHub and Binder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import sync_playwright

from app.settings import ROOT
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tests.deploy.schemas import MISSING
from tests.waiting import until
from tools import chromium
from tools.server import Server, free_port

pytest.importorskip("jupyter_server_proxy", reason=MISSING)

TOKEN = "lovelace"


@contextmanager
def jupyter(folder: Path, *arguments: str) -> Iterator[str]:
    """Run a Jupyter server that keeps all its files in a folder; give its address."""
    port = free_port()
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    options = [f"--port={port}", "--ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}"]
    kinds = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    environment = os.environ | {f"JUPYTER_{kind}": str(folder) for kind in kinds}
    log = folder / "jupyter.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*command, *options, *arguments],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            until(lambda: answers(address) or process.poll() is not None, "the Jupyter server")
            assert process.poll() is None, log.read_text()
            yield address
        finally:
            process.terminate()


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_a_drag_has_its_stream_through_jupyter_server_proxy(tmp_path: Path) -> None:
    with Server("--models", "mnist-vae-2d") as server, jupyter(tmp_path) as address:
        drag(f"{address}/proxy/{server.port}", server)


def test_the_entry_starts_an_explorer_for_who_opens_it(tmp_path: Path) -> None:
    config = f"--config={ROOT / 'deploy' / 'jupyter' / 'jupyter_server_config.py'}"
    with Server("--models", "mnist-vae-2d") as other, jupyter(tmp_path, config) as address:
        drag(f"{address}/explorer", other)


def drag(home: str, server: Server) -> None:
    """Drag the point on a page, and hold its image against the API of a server."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        visitor = Visitor(browser, home)
        page = visitor.open(f"?z=2,2&token={TOKEN}").page
        explorer = Explorer(page, server.url)
        page.mouse.click(*explorer.middle())
        page.mouse.down()
        page.mouse.move(*explorer.middle(-0.4, 0.6), steps=20)
        explorer.expect_image_of(explorer.latent_at(*explorer.middle(-0.4, 0.6)))
        page.mouse.up()
        browser.close()
    assert visitor.complaints == []
