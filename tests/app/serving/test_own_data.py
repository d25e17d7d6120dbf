"""Models of data sets of one's own, whose images are gone or were imported anew."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.settings import Settings
from model.data import datasets
from model.data.own import install_own
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import serving
from tests.app.logged import messages
from tests.model.tiny import idx

Install = Callable[[int, int], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what imports so many test images of one grey; the working folder is its own."""
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    source.mkdir()

    def put(tests: int, grey: int) -> None:
        for half, images in (("train", 6), ("t10k", tests)):
            levels = np.full((images, 28, 28), grey, np.uint8)
            (source / f"{half}-images-idx3-ubyte").write_bytes(idx(levels))
            labels = np.arange(images).astype(np.uint8) % 2
            (source / f"{half}-labels-idx1-ubyte").write_bytes(idx(labels))
        install_own("mine", source, tmp_path / "data", replace=True)

    return put


@pytest.fixture
def checkpoints(tmp_path: Path, install: Install) -> Path:
    """A model of MNIST, and one of a data set of one's own."""
    folder = tmp_path / "checkpoints"
    install(8, 30)
    untrained.write(folder, "of-mnist")
    untrained.write(folder, "of-mine", dataset="mine")
    for known in (datasets._own_tests, datasets._first_found, datasets.labels_of_tests):
        known.cache_clear()  # a server is another process
    return folder


def settings(checkpoints: Path) -> Settings:
    return Settings(checkpoints=checkpoints, default_model="of-mnist")


@pytest.mark.parametrize("tests", [8, 3])
def test_a_model_of_images_that_were_imported_anew_is_skipped_by_name_and_the_others_go_on(
    checkpoints: Path,
    install: Install,
    tests: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    install(tests, 31)
    with (
        caplog.at_level(logging.ERROR, "explorer"),
        serving(settings(checkpoints)) as server,
        server.client() as client,
    ):
        (skipped,) = [text for text in messages(caplog) if "of-mine" in text]
        assert "of-mine was trained on other images than mine has now" in skipped
        listed = client.get("/api/v1/models").json()["models"]
        assert [card["id"] for card in listed] == ["of-mnist"]
        answer = client.get("/api/v1/datasets").json()
        assert [one["id"] for one in answer["datasets"]] == ["mnist"]


def test_a_model_without_its_images_is_skipped_by_name_and_the_others_go_on(
    checkpoints: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(Path("data"))
    with (
        caplog.at_level(logging.ERROR, "explorer"),
        serving(settings(checkpoints)) as server,
        server.client() as client,
    ):
        (skipped,) = [text for text in messages(caplog) if "of-mine" in text]
        assert "mine/dataset.json" in skipped
        assert client.get("/api/v1/datasets").json()["datasets"][0]["id"] == "mnist"
        assert client.get("/").status_code == 200


def test_a_server_does_not_mix_the_images_of_two_imports(
    checkpoints: Path,
    install: Install,
    refused: Refused,
) -> None:
    with serving(settings(checkpoints)) as server, server.client() as client:
        tests = "/api/v1/datasets/mine"
        assert client.get("/api/v1/models/of-mine/codes").status_code == 200
        install(8, 31)
        refused(client.get(f"{tests}/images/0.png"), 503)
        assert [one["id"] for one in client.get("/api/v1/datasets").json()["datasets"]] == ["mnist"]
        assert client.get("/api/v1/models/of-mine/codes").status_code == 200
        assert client.get("/api/v1/models/of-mnist/decode.png?z=0,0").status_code == 200


def test_a_model_that_is_asked_for_after_another_import_is_refused_by_name(
    checkpoints: Path, install: Install, refused: Refused
) -> None:
    with serving(settings(checkpoints)) as server, server.client() as client:
        install(3, 31)
        problem = refused(client.get("/api/v1/models/of-mine/decode.png?z=0,0"), 503)
        assert "The model of-mine cannot be loaded now" in problem
        assert client.get("/api/v1/models/of-mnist/decode.png?z=0,0").status_code == 200


def test_a_browser_asks_again_for_an_image_of_ones_own(checkpoints: Path) -> None:
    with serving(settings(checkpoints)) as server, server.client() as client:
        for part in ("images/0.png", "sprites/0.png", "labels"):
            answer = client.get(f"/api/v1/datasets/mine/{part}")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-cache"
            assert (
                "immutable" in client.get(f"/api/v1/datasets/mnist/{part}").headers["cache-control"]
            )
