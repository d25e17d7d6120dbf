"""The guide docs/own-model.md, followed word by word in an empty folder."""

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.settings import ROOT
from model.inference.onnx_file import OPERATORS
from tests.app.documents import blocks, environment, follow
from tests.waiting import until
from tools.server import free_port

GUIDE = (ROOT / "docs" / "own-model.md").read_text()

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="the guide calls curl")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Follow the guide, and yield where its server answers."""
    folder, host = tmp_path_factory.mktemp("guide"), f"127.0.0.1:{free_port()}"
    for place in ("examples", "checkpoints"):  # as in a checkout
        (folder / place).symlink_to(ROOT / place)
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for language, code in blocks(GUIDE):
            if "python -m app" in code:
                command = code.replace("python -m", "exec python -m").rstrip()
                shell = ["bash", "-ec", f"{command} --port {host.partition(':')[2]}"]
                servers.append(subprocess.Popen(shell, cwd=folder, env=environment()))
                until(lambda: _is_ready(servers[-1], host), "the server", seconds=300)
            elif language in ("sh", "python"):
                follow(language, code, folder, host)
        yield f"http://{host}/api/v1/models/shapes-vae"
    finally:
        for process in servers:
            process.terminate()
            process.wait()


def _is_ready(process: subprocess.Popen[bytes], host: str) -> bool:
    assert process.poll() is None, "the server ended"
    with suppress(httpx.TransportError):
        return httpx.get(f"http://{host}/readyz", trust_env=False).status_code == 200
    return False


@pytest.mark.server
def test_the_guide_leads_to_a_model_that_the_server_offers(url: str) -> None:
    card = httpx.get(url, trust_env=False).raise_for_status().json()
    assert card["title"] == "Shapes, my own network"
    assert (card["family"], card["latent_dim"]) == ("vae", 3)
    assert card["image"] == {"height": 32, "width": 32, "channels": 3}
    assert 0 < card["metrics"]["latents"]["active_units"] <= 3


@pytest.mark.server
def test_the_network_of_the_guide_has_learned_to_draw(url: str) -> None:
    """Images come back nearer to themselves than to the others."""
    with httpx.Client(trust_env=False, headers={"Accept": "application/json"}) as client:
        codes = client.get(f"{url}/codes").raise_for_status().json()["codes"]
        asked, form = {"latents": codes}, {"Accept": "application/x-npy"}
        answer = client.post(f"{url}/decode", json=asked, headers=form).raise_for_status()
        drawn = np.load(io.BytesIO(answer.content)).astype(float)
        images = []
        for n in range(len(codes)):
            file = client.get(
                url.replace("models/shapes-vae", f"datasets/my-shapes/images/{n}.png")
            )
            with Image.open(io.BytesIO(file.raise_for_status().content)) as image:
                images.append(np.asarray(image.convert("RGB"), float))
    apart = np.abs(drawn - np.stack(images)).mean()
    assert apart < np.abs(drawn - np.stack(images[1:] + images[:1])).mean() / 1.5


def test_what_the_guide_quotes_of_a_script_stands_in_it() -> None:
    ((_, quoted),) = [block for block in blocks(GUIDE) if block[0] == "py"]
    assert quoted in (ROOT / "examples" / "export" / "plain_torch.py").read_text()


def test_the_guide_lists_the_operators_that_may_be_run() -> None:
    listed = re.search(r"^`Abs`.*?\n\n", GUIDE, flags=re.DOTALL | re.MULTILINE)
    assert listed
    assert set(re.findall(r"`(\w+)`", listed[0])) == OPERATORS


def test_every_script_of_the_examples_is_told_of() -> None:
    folder = ROOT / "examples" / "export"
    told = GUIDE + (folder / "README.md").read_text()
    assert [path.name for path in Path(folder).glob("*.py") if path.name not in told] == []
