"""`python -m model train`, run as users run it: stopped, killed, resumed, and refused."""

import hashlib
import json
import platform
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from model.__main__ import main
from model.checkpoint import read_checkpoint
from model.data import datasets
from tests.model import tiny

ROOT = Path(__file__).parents[3]


def command(folder: Path, *more: str) -> list[str]:
    return [
        "train", str(folder / "recipe.toml"), "--device", "cpu", "--threads", "1",
        "--data", str(folder / "data"), "--runs", str(folder / "runs"),
        "--to", str(folder / "checkpoints"), *more,
    ]  # fmt: skip


def prepared(folder: Path) -> Path:
    tiny.recipe(folder)
    tiny.write(folder / "data" / "mnist")
    return folder


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    """The command as a process of its own, that tells its lines as it goes."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.model.tiny", *command(folder, *more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.skipif(platform.system() == "Windows", reason="has no such signals")
def test_a_run_that_is_stopped_and_then_killed_gives_the_checkpoint_of_an_unbroken_one(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = prepared(tmp_path)
    with started(folder) as first:
        assert first.stdout is not None
        first.stdout.readline()
        first.send_signal(signal.SIGINT)
        rest, _ = first.communicate()
    assert first.returncode == 130
    assert f"Go on with: python -m model train {folder / 'recipe.toml'} --resume" in rest

    with started(folder, "--resume") as second:
        assert second.stdout is not None
        second.stdout.readline()
        second.kill()
    assert second.returncode == -signal.SIGKILL

    monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
    assert main(command(folder, "--resume")) == 0
    for name in ("model.safetensors", "atlas.npz"):
        resumed = (folder / "checkpoints" / "small-vae" / name).read_bytes()
        assert resumed == (trained / "small-vae" / name).read_bytes(), name


def test_a_checkpoint_says_what_it_is_and_where_it_comes_from(trained: Path) -> None:
    folder = trained / "small-vae"
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    for field, name in (("sha256", "model.safetensors"), ("atlas_sha256", "atlas.npz")):
        assert card[field] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert card["id"] == "small-vae"
    assert card["recipe"]["training"]["epochs"] == 3
    assert card["data_sha256"] == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in tiny.contents().items()
        if name.startswith("train")
    }
    assert card["training"]["versions"]["torch"] == torch.__version__
    assert len(card["training"]["history"]) == 6
    # 2 latents, 8 frequencies, 16 hidden units, 784 pixels
    assert card["multiply_adds"]["decoder"] == 2 * 8 + 18 * 16 + 16 * 784


def test_a_checkpoint_holds_the_codes_of_the_shipped_images(trained: Path) -> None:
    checkpoint = read_checkpoint(trained / "small-vae")
    images = torch.from_numpy(datasets.test_set("mnist").images.reshape(10_000, -1).copy()) / 255
    with torch.no_grad():
        codes = checkpoint.autoencoder.code(images)
    np.testing.assert_allclose(checkpoint.atlas.codes, codes.numpy(), rtol=1e-3, atol=1e-4)


def test_a_checkpoint_is_no_larger_than_its_weights_in_half_precision_need(trained: Path) -> None:
    checkpoint = read_checkpoint(trained / "small-vae")
    numbers = sum(tensor.numel() for tensor in checkpoint.autoencoder.state_dict().values())
    size = (trained / "small-vae" / "model.safetensors").stat().st_size
    assert size < 2 * numbers + 10_000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train", "mnist-vae-3d"], "There is no recipe"),
        (["train", "mnist-vae-2d", "--data", "nowhere"], "`python -m model data mnist`"),
        (["train", "mnist-vae-2d", "--device", "tpu"], 'Device "tpu" is not on this machine'),
        (["train", "mnist-vae-2d", "--threads", "-1"], "threads"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main(arguments)
    except SystemExit as refusal:  # argparse's own way
        status = int(str(refusal.code))
    assert status == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []
