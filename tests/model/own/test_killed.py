"""`python -m model map`, killed at the worst of moments and given again: nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.app.documents import environment
from tests.app.test_own_checkpoint import wait_until_ready
from tests.model.own.test_mapping import draw
from tools.server import free_port

pytestmark = pytest.mark.training

COMMAND = """
import os, signal, sys
from pathlib import Path
from model.__main__ import main
from model.own import adapting

adapting.LEAST_STEPS = adapting.LEAST_LAYOUT_STEPS = 1
place, count, *words = sys.argv[1:]
seen = 0

def killed_before(move):
    def moved(self, target):
        global seen
        if str(target) == place:
            seen += 1
            if seen == int(count):
                os.kill(os.getpid(), signal.SIGKILL)
        return move(self, target)
    return moved

Path.rename, Path.replace = killed_before(Path.rename), killed_before(Path.replace)
sys.exit(main(words))
"""
"""Is killed when a finished file or folder is about to be put into a place, the n-th time."""

KILLS = [
    ("data/pictures", 1, "", "the import"),
    ("runs/pictures/state.safetensors", 3, "data/pictures is written", "the layout"),
    ("runs/pictures/state.safetensors", 8, "It goes on from the last whole epoch", "the fit"),
    ("runs/pictures/shown/pictures/atlas.npz", 2, "The map while it grows", "a map for the page"),
    ("my-checkpoints/pictures/atlas.npz", 1, "measuring the stored weights", "the checkpoint"),
    ("my-checkpoints/pictures/card.json", 2, "my-checkpoints/pictures is written", "the measures"),
]


def test_the_same_command_goes_on_after_it_was_killed_in_any_of_its_steps(tmp_path: Path) -> None:
    draw(tmp_path / "pictures", 135)
    port = str(free_port())
    words = ["map", "pictures", "--device", "cpu", "--port", port]
    epochs: list[int] = []

    def command(place: str, count: int) -> list[str]:
        return [sys.executable, "-c", COMMAND, place, str(count), *words]

    for place, count, says, step in KILLS:
        done = subprocess.run(
            command(place, count), cwd=tmp_path, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == -9, f"{step}: {done.stdout}\n{done.stderr}"
        assert says in done.stdout, step
        assert "Traceback" not in done.stderr, step
        epochs += [
            int(line.split()[1].split("/")[0])
            for line in done.stdout.splitlines()
            if line.startswith("fit ")
        ]
    assert epochs == sorted(set(epochs)), "no epoch of the fit was trained twice"
    serving = subprocess.Popen(command("", 0), cwd=tmp_path, env=environment())
    try:
        wait_until_ready(serving, f"http://127.0.0.1:{port}")
        answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/models", trust_env=False).json()
        assert "codes" in answer["models"][0]["metrics"]
    finally:
        serving.terminate()
        serving.wait()
    card = json.loads((tmp_path / "my-checkpoints/pictures/card.json").read_text())
    history = card["training"]["history"]
    assert [entry["epoch"] for entry in history if entry["stage"] == "fit"] == list(range(1, 25))
    assert not list((tmp_path / "data").glob("*.partial"))
    assert not (tmp_path / "runs" / "pictures").exists()
