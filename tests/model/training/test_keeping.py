"""`python -m model train` replaces nothing by accident, and loses nothing that it has trained."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model.__main__ import main
from model.data import datasets
from model.data.datasets import LabelledImages
from model.recipes.recipe import Recipe
from model.training import command as training_command
from model.training.run import Run
from tests.model import tiny
from tests.model.training.test_command import command, prepared, words_of_hint

RECIPE = tiny.ARTICLE.replace("epochs = 3", "epochs = 1")
ID = "small-article"


@pytest.fixture
def folder(tmp_path: Path, few: LabelledImages, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With data and a recipe; its name needs quotes in a shell."""
    monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
    monkeypatch.setattr(training_command, "test_set", lambda *_: few)
    place = tmp_path / "my images"
    place.mkdir()
    return prepared(place, RECIPE)


def interrupted(folder: Path) -> tuple[Run, Path]:
    """A run that has trained nothing yet, and its state."""
    state = folder / "runs" / ID / "state.safetensors"
    images = datasets.train_set("mnist", folder / "data").images
    recipe = Recipe.load(folder / "recipe.toml")
    return Run(recipe, images, tiny.few().images, state), state


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow beyond 10 kB."""
    resource = pytest.importorskip("resource", reason="the system sets no limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_that_is_there_stays_unless_replace_says_otherwise(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(folder)) == 0
    place = folder / "checkpoints" / ID
    before = contents(place)
    assert main(command(folder, "--seed", "5")) == 2
    assert f"{place} exists already" in capsys.readouterr().err
    assert contents(place) == before
    assert main(command(folder, "--seed", "5", "--replace")) == 0
    assert contents(place)["model.safetensors"] != before["model.safetensors"]


def test_a_recipe_with_the_id_of_a_shipped_model_does_not_replace_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user's own recipe, under a name that is taken."""
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.replace(ID, "mnist-vae-20d"), encoding="utf-8")
    place = folder / "checkpoints" / "mnist-vae-20d"
    shutil.copytree(Path("checkpoints/mnist-vae-20d"), place)
    before = contents(place)
    assert main(command(folder)) == 2
    assert "--replace" in capsys.readouterr().err
    assert contents(place) == before


def test_an_interrupted_run_stays_unless_replace_says_otherwise(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, state = interrupted(folder)
    before = state.read_bytes()
    assert main(command(folder)) == 2
    error = capsys.readouterr().err
    assert f"{state} holds a run that was interrupted" in error
    assert words_of_hint(error) == command(folder, "--resume")
    assert state.read_bytes() == before
    assert main(command(folder, "--replace")) == 0


@pytest.mark.parametrize("option", ["--to", "--runs"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_the_first_epoch(
    folder: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("no folder")
    place = folder / "file" / "below"
    assert main(command(folder, option, str(place))) == 2
    assert f"{place} cannot be written to: Not a directory" in (error := capsys.readouterr().err)
    assert f"by {option}" in error
    assert not (folder / "runs" / ID).exists()


def test_a_full_disk_in_an_epoch_keeps_the_epochs_before(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, state = interrupted(folder)
    before = state.read_bytes()
    with full_disk():
        assert main(command(folder, "--resume")) == 2
    assert f"{state} cannot be written: File too large" in (error := capsys.readouterr().err)
    assert contents(state.parent) == {state.name: before}
    assert main(words_of_hint(error)) == 0


def test_a_full_disk_at_the_end_keeps_what_was_trained_and_the_checkpoint_before(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(folder, "--seed", "5")) == 0
    place = folder / "checkpoints" / ID
    before = contents(place)
    run, state = interrupted(folder)
    run.finish()
    with full_disk():
        assert main(command(folder, "--replace", "--resume")) == 2
    error = capsys.readouterr().err
    assert f"{place / 'model.safetensors'} cannot be written: File too large" in error
    assert f"is kept in {state}" in error
    assert contents(place) == before
    assert main(words_of_hint(error)) == 0
    assert contents(place) != before
    assert not state.exists()


def test_ctrl_c_before_anything_was_trained_gives_no_hint(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There would be nothing to resume."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training_command, "Run", stop)
    assert main(command(folder)) == 130
    assert "Go on" not in capsys.readouterr().out
    assert os.listdir(folder / "runs") == []  # noqa: PTH208
