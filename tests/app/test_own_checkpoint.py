"""The guide docs/own-checkpoint.md, followed word by word in an empty folder."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import ROOT
from tests.app.documents import blocks, environment, follow
from tests.waiting import until
from tools.server import free_port

GUIDE = (ROOT / "docs" / "own-checkpoint.md").read_text()

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not shutil.which("curl"), reason="the guide calls curl"),
]


@dataclass
class Followed:
    """What is there when the guide has been followed to its end."""

    folder: Path
    url: str
    said: str
    mapped: str
    """Where the one command of the last section serves."""
    growing: dict[str, Any]
    """The card of its model, as the page had it first."""


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    def ready() -> bool:
        assert process.poll() is None, "the server ended"
        with suppress(httpx.TransportError):
            return asking.get("/readyz").status_code == 200
        return False

    with httpx.Client(base_url=url, trust_env=False) as asking:
        until(ready, "the server", seconds=900)  # the one command trains before it serves


def card_of(model: str, url: str) -> dict[str, Any]:
    answer = httpx.get(f"{url}/api/v1/models/{model}", trust_env=False, timeout=60)
    card: dict[str, Any] = answer.raise_for_status().json()
    return card


def is_mapped(url: str) -> bool:
    """Tell whether the finished model is served; between two servers nobody answers."""
    with suppress(httpx.TransportError):
        return "codes" in card_of("shapes", url)["metrics"]
    return False


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    folder, host = tmp_path_factory.mktemp("own"), f"127.0.0.1:{free_port()}"
    mapped = f"127.0.0.1:{free_port()}"
    (recipe,) = re.findall(r"Save this as `(\S+\.toml)`", GUIDE)
    servers, said, growing = [], "", {}
    try:
        for language, code in blocks(GUIDE):
            if language == "toml":
                (folder / recipe).write_text(code)
            elif "python -m app" in code or "python -m model map" in code:
                at = host if "python -m app" in code else mapped
                command = code.replace("python -m", "exec python -m").rstrip()
                shell = ["bash", "-ec", f"{command} --port {at[10:]}"]
                servers.append(subprocess.Popen(shell, cwd=folder, env=environment()))
                wait_until_ready(servers[-1], f"http://{at}")
                if at == mapped:
                    growing = card_of("shapes", f"http://{at}")
                    until(lambda: is_mapped(f"http://{mapped}"), "the measured map", seconds=900)
            else:
                said += follow(language, code, folder, host)
        yield Followed(folder, f"http://{host}", said, f"http://{mapped}", growing)
    finally:
        for process in servers:
            process.terminate()
            process.wait()


@pytest.fixture
def client(followed: Followed) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=followed.url, trust_env=False, timeout=60) as client:
        yield client


def test_the_guide_leads_to_a_checkpoint_that_the_server_offers(client: httpx.Client) -> None:
    answer = client.get("/api/v1/models").json()
    assert answer["default"] == "shapes-vae-2d"
    assert [card["dataset"] for card in answer["models"]] == ["my-shapes"]
    assert answer["models"][0]["metrics"]["codes"]["knn_accuracy"] > 0.4
    assert client.get("/").status_code == 200


def test_the_labels_of_a_users_own_data_set_have_their_names(client: httpx.Client) -> None:
    (dataset,) = client.get("/api/v1/datasets").json()["datasets"]
    assert dataset["labels"] == ["circle", "square", "triangle"]
    assert (dataset["title"], dataset["licence"]) == ("My shapes", "CC0-1.0")
    assert dataset["images"] == 78


def test_a_users_own_image_comes_back_much_as_it_was(
    client: httpx.Client, followed: Followed
) -> None:
    with (followed.folder / "shapes" / "square" / "005.png").open("rb") as file:
        answer = client.post("/api/v1/models/shapes-vae-2d/encode", files={"file": file})
    (item,) = answer.json()["items"]
    assert len(item["mean"]) == 2
    assert item["elbo"]["reconstruction"] > -784 * 0.693, "better than a guess of half for each"


def test_the_map_and_the_test_images_of_a_users_own_model_are_served(client: httpx.Client) -> None:
    at = "/api/v1/models/shapes-vae-2d"
    for path in (
        f"{at}/planes/latent/tiles/0/0/0.png",
        f"{at}/planes/latent/fields/label.png",
        f"{at}/history?projected=true",
        f"{at}/distances?z=0,0",
        f"{at}/neighbours?z=0,0&k=78",
        "/api/v1/datasets/my-shapes/images/77.png",
        "/api/v1/datasets/my-shapes/sprites/0.png",
    ):
        assert client.get(path).status_code == 200, path
    assert client.get("/api/v1/datasets/my-shapes/images/78.png").status_code == 404


def test_the_one_command_serves_a_map_of_the_folder(followed: Followed) -> None:
    with httpx.Client(base_url=followed.mapped, trust_env=False, timeout=60) as client:
        answer = client.get("/api/v1/models").json()
        assert followed.growing["metrics"]["progress"]["epochs"] > 1
        assert followed.growing["summary"].startswith("In training: epoch ")
        assert answer["default"] == "shapes"
        cards = {card["id"]: card for card in answer["models"]}
        assert cards.keys() == {"shapes", "shapes-vae-2d"}
        assert cards["shapes"]["metrics"]["codes"]["knn_accuracy"] > 0.4
        assert client.get("/api/v1/models/shapes/planes/latent/tiles/0/0/0.png").status_code == 200


def test_the_stripes_from_idx_files_are_a_data_set_too(followed: Followed) -> None:
    table = json.loads((followed.folder / "data" / "my-stripes" / "dataset.json").read_text())
    assert table["label_names"] == ["lying", "standing"]
    assert "its labels are lying, standing" in followed.said


def test_a_server_without_the_data_set_says_which_file_it_misses(followed: Followed) -> None:
    settings = {
        "EXPLORER_CHECKPOINTS": str(followed.folder / "my-checkpoints"),
        "EXPLORER_DEFAULT_MODEL": "shapes-vae-2d",
    }
    elsewhere = followed.folder / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        ["python", "-m", "app", "--port", str(free_port())],
        cwd=elsewhere,
        env={**environment(), **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert os.path.join("data", "my-shapes", "dataset.json") in done.stderr + done.stdout  # noqa: PTH118
    assert "Traceback" not in done.stderr
