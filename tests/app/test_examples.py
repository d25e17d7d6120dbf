"""The programs of examples/, run against a real server."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.settings import ROOT
from model.engine import LabelledImages
from tests.app.documents import blocks, follow
from tests.app.live_server import Serving

EXAMPLES = ROOT / "examples"


def run(server: Serving, folder: Path, name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), "--server", f"http://{server.host}"]
    return follow("sh", " ".join([*command, *arguments]), folder)


def test_a_walk_ends_in_a_gif_and_a_strip_of_as_many_images(
    server: Serving, tmp_path: Path
) -> None:
    seven = str(EXAMPLES / "seven.png")
    said = run(server, tmp_path, "walk.py", "--image", seven, "--to", "3", "--out", "walk.gif")
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.format == "GIF"
        assert getattr(film, "n_frames", 1) == 24
    with Image.open(tmp_path / "walk.png") as strip:
        assert strip.size == (24 * 56, 56)
    assert "steps to 28 x 28: read, kept" in said
    assert "a typical 3" in said


def test_a_walk_among_clothes_takes_the_names_of_their_labels(
    server: Serving, tmp_path: Path
) -> None:
    more = ["--model", "fashion-vae-2d", "--to", "Dress", "--path", "linear", "--steps", "5"]
    assert "linear path" in run(server, tmp_path, "walk.py", *more)
    with pytest.raises(AssertionError, match="no label 3; there is T-shirt/top, Trouser"):
        run(server, tmp_path, "walk.py", "--model", "fashion-vae-2d", "--to", "3")


@pytest.mark.parametrize("model", ["mnist-vae-2d", "mnist-vae-20d"])
def test_a_drag_reports_its_round_trips_and_shows_its_last_image(
    server: Serving, tmp_path: Path, model: str
) -> None:
    said = run(server, tmp_path, "drag.py", "--seconds", "0.3", "--rate", "0", "--model", model)
    told = re.search(
        r"(\d+) images; a round trip took ([\d.]+) ms, one in a hundred ([\d.]+)", said
    )
    assert told
    assert int(told[1]) > 0
    assert 0 < float(told[2]) <= float(told[3])
    picture = said.splitlines()[1:]
    assert [len(row) for row in picture] == [28] * 14
    assert len(set("".join(picture))) > 4, "ink, and shades of it"


def test_the_example_image_is_the_first_of_the_test_set(mnist: LabelledImages) -> None:
    with Image.open(EXAMPLES / "seven.png") as image:
        np.testing.assert_array_equal(np.asarray(image), mnist.images[0])


def test_the_commands_of_the_examples_own_page_run(server: Serving, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(EXAMPLES)
    for language, code in blocks((EXAMPLES / "README.md").read_text()):
        follow(language, code, tmp_path, server.host)
    assert {file.name for file in tmp_path.iterdir()} == {"examples", "walk.gif", "walk.png"}
