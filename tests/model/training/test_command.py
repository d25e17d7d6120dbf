"""`python -m model train`, run as users run it: stopped, killed, resumed, and refused."""

import hashlib
import json
import platform
import re
import shlex
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from model.__main__ import main
from model.checkpoint import read_checkpoint
from model.data import datasets
from model.data.datasets import LabelledImages
from model.engine import Engine
from model.training import command as training_command
from tests.model import tiny

ROOT = Path(__file__).parents[3]


def command(folder: Path, *more: str) -> list[str]:
    return [
        "train", str(folder / "recipe.toml"), "--device", "cpu", "--threads", "1",
        "--data", str(folder / "data"), "--runs", str(folder / "runs"),
        "--to", str(folder / "checkpoints"), *more,
    ]  # fmt: skip


def prepared(folder: Path, text: str = tiny.RECIPE) -> Path:
    tiny.recipe(folder, text)
    tiny.write(folder / "data" / "mnist")
    return folder


def started(words: list[str]) -> subprocess.Popen[str]:
    """A command as a process of its own, that tells its lines as it goes."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.model.tiny", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )


def words_of_hint(said: str) -> list[str]:
    """What follows `python -m model` in the command that a message tells to go on with."""
    (hint,) = re.findall(r"o on with: (.*?)(?:;|$)", said, flags=re.MULTILINE)
    assert hint.startswith("python -m model ")
    return shlex.split(hint)[3:]


@pytest.mark.skipif(platform.system() == "Windows", reason="has no such signals")
def test_a_run_that_is_stopped_and_then_killed_gives_the_checkpoint_of_an_unbroken_one(
    trained: Path, few: LabelledImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = prepared(tmp_path)
    with started(command(folder)) as first:
        assert first.stdout is not None
        first.stdout.readline()
        first.send_signal(signal.SIGINT)
        rest, _ = first.communicate()
    assert first.returncode == 130
    again = words_of_hint(rest)
    assert again == command(folder, "--resume")

    with started(again) as second:
        assert second.stdout is not None
        second.stdout.readline()
        second.kill()
    assert second.returncode == -signal.SIGKILL

    monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
    monkeypatch.setattr(training_command, "test_set", lambda *_: few)
    assert main(again) == 0
    assert not (folder / "runs" / "small-vae").exists(), "the checkpoint has all that it kept"
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
        name: hashlib.sha256(content).hexdigest() for name, content in tiny.contents().items()
    }
    assert card["training"]["versions"]["torch"] == version("torch")
    assert card["training"]["precision"] == "medium"
    assert len(card["training"]["history"]) == 5
    assert card["group"] == "map"
    # 2 latents, 8 frequencies, 16 hidden units, 784 pixels
    assert card["multiply_adds"]["decoder"] == 2 * 8 + 18 * 16 + 16 * 784
    # four matrices of 32 x 32, and 2 means, 2 scales and a slope
    assert card["multiply_adds"]["encoder"] == 784 * 32 + 4 * 32 * 32 + 32 * 5


@pytest.mark.parametrize(
    "name",
    [
        "small-taught",
        "small-stacked",
        "small-vqvae",
        "small-gaussian",
        "small-continuous-bernoulli",
    ],
)
def test_every_kind_of_recipe_ends_in_a_checkpoint_that_the_engine_loads(
    relatives: Path, name: str
) -> None:
    engine = Engine.load(relatives / name, "cpu")
    engine.warm_up()
    assert engine.card.id == name
    assert tuple(plane.id for plane in engine.planes[:1]) == engine.card.planes
    assert engine.card.beta == (1.0 if engine.card.family == "vae" else None)
    assert engine.card.multiply_adds["decoder"] > 784
    drawn = engine.encode(datasets.test_set("mnist").images[:3] / np.float32(255))
    assert drawn.reconstruction_image.shape == (3, 28, 28)


def test_a_taught_checkpoint_shows_the_moments_of_its_teacher_and_of_what_ships(
    relatives: Path,
) -> None:
    teacher, taught = (read_checkpoint(relatives / f"small-{name}") for name in ("vae", "taught"))
    epochs = [moment.epoch for moment in teacher.atlas.moments]
    assert [moment.epoch for moment in taught.atlas.moments] == [*epochs, epochs[-1] + 3]


def test_a_checkpoint_has_the_measures_of_its_family(relatives: Path, trained: Path) -> None:
    folders = [trained / "small-vae", *sorted(relatives.iterdir())]
    measures = {folder.name: read_checkpoint(folder).card.metrics for folder in folders}
    for name, table in measures.items():
        grey = name in ("small-gaussian", "small-continuous-bernoulli")
        assert list(table) == (["grey"] if grey else ["grey", "binarised"])
        is_plain = name == "small-stacked"
        assert (table["grey"]["elbo"] is None) == (table["grey"]["kl"] is None) == is_plain
        assert table["grey"]["reconstruction"] is not None


def test_a_checkpoint_holds_the_codes_of_the_test_images(
    trained: Path, few: LabelledImages
) -> None:
    checkpoint = read_checkpoint(trained / "small-vae")
    images = torch.from_numpy(few.images.reshape(1000, -1).copy()) / 255
    with torch.no_grad():
        codes = checkpoint.autoencoder.code(images)
    np.testing.assert_allclose(checkpoint.atlas.codes, codes.numpy(), rtol=1e-3, atol=1e-4)


def test_a_checkpoint_is_no_larger_than_its_weights_in_half_precision_need(trained: Path) -> None:
    checkpoint = read_checkpoint(trained / "small-vae")
    numbers = sum(tensor.numel() for tensor in checkpoint.autoencoder.state_dict().values())
    size = (trained / "small-vae" / "model.safetensors").stat().st_size
    assert size < 2 * numbers + 10_000


def test_another_seed_than_the_recipes_is_told_by_the_card(
    tmp_path: Path, few: LabelledImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
    monkeypatch.setattr(training_command, "test_set", lambda *_: few)
    folder = prepared(tmp_path, tiny.AUTOENCODER)
    assert main(command(folder, "--seed", "7")) == 0
    (written,) = (folder / "checkpoints").iterdir()
    assert read_checkpoint(written).card.recipe["seed"] == 7


def test_a_missing_teacher_is_refused_in_a_sentence_with_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
    folder = prepared(tmp_path, tiny.TAUGHT)
    assert main(command(folder)) == 2
    error = capsys.readouterr().err
    assert "There is no" in error
    assert "small-vae/card.json" in error
    assert "`python -m model train`" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train", "mnist-vae-3d"], "There is no recipe"),
        (["train", "mnist-vae-2d", "--data", "nowhere"], "`python -m model data mnist`"),
        (["train", "mnist-vae-2d", "--device", "tpu"], 'Device "tpu" is not on this machine'),
        (["train", "mnist-vae-2d", "--threads", "-1"], "threads"),
        (["train", "mnist-vae-2d", "--seed", "-1"], "seed must be 0 to 2147483647."),
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
