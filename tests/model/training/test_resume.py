"""A run that is cut off anywhere ends where an unbroken one does, in every stage there is."""

import os
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.modules.module import register_module_forward_pre_hook

from model.checkpoint import Checkpoint
from model.errors import CheckpointError
from model.recipes.recipe import Recipe
from tests.model import tiny
from tests.model.training.runs import TEST, assert_identical, start, weights

pytestmark = pytest.mark.usefixtures("short_distillation")

KINDS = {
    "vae": (tiny.RECIPE, ["fit", "fit", "fit", "importance", "refit"]),
    "taught": (tiny.TAUGHT, ["distil", "distil", "refit"]),
    "laid-out": (tiny.LAID_OUT, ["layout", "fit", "fit", "fit"]),
    "stacked": (tiny.STACKED, ["pretrain", "pretrain", "pretrain", "fit", "fit"]),
    "codebook": (tiny.CODEBOOK, ["fit", "fit"]),
}


@dataclass(frozen=True)
class Kind:
    """A recipe and what its run gave when nothing stopped it."""

    recipe: Recipe
    teacher: Checkpoint | None
    stages: list[str]
    weights: dict[str, Tensor]
    passes: int
    """How often one of its modules was called."""
    state: Path


@pytest.fixture(scope="module", params=KINDS)
def kind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, teacher: Checkpoint
) -> Kind:
    text, stages = KINDS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    recipe = tiny.recipe(folder, text)
    asked = teacher if recipe.distillation else None
    run, passes = start(folder, recipe, teacher=asked), 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    with register_module_forward_pre_hook(count):
        found = weights(run)
    return Kind(recipe, asked, stages, found, passes, folder / "state.safetensors")


@pytest.mark.parametrize("share", [0.01, 0.15, 0.35, 0.55, 0.75, 0.99])
def test_a_run_that_ctrl_c_stops_anywhere_resumes_to_the_result_of_an_unbroken_one(
    tmp_path: Path, kind: Kind, share: float
) -> None:
    run = start(tmp_path, kind.recipe, teacher=kind.teacher)
    left = iter(range(int(share * kind.passes)))

    def press_ctrl_c_after_the_last_pass(*_: object) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGINT)

    with (
        register_module_forward_pre_hook(press_ctrl_c_after_the_last_pass),
        pytest.raises(KeyboardInterrupt),
    ):
        run.finish()
    torch.manual_seed(77)  # what went before has no say
    resumed = start(tmp_path, kind.recipe, teacher=kind.teacher, resume=True)
    assert_identical(weights(resumed), kind.weights)
    assert [entry["stage"] for entry in resumed.progress.history] == kind.stages


def test_a_finished_run_resumes_to_its_result_without_training(tmp_path: Path, kind: Kind) -> None:
    shutil.copy(kind.state, tmp_path)
    said: list[str] = []
    resumed = start(tmp_path, kind.recipe, teacher=kind.teacher, resume=True, say=said.append)
    assert_identical(weights(resumed), kind.weights)
    assert said == []


def test_a_resumed_run_keeps_the_moments_from_before(tmp_path: Path, kind: Kind) -> None:
    unbroken = start(kind.state.parent, kind.recipe, teacher=kind.teacher, resume=True)
    shutil.copy(kind.state, tmp_path)
    resumed = start(tmp_path, kind.recipe, teacher=kind.teacher, resume=True)
    epochs = [moment.epoch for moment in resumed.moments]
    assert epochs == [moment.epoch for moment in unbroken.moments]
    assert bool(epochs) == (kind.recipe.family != "vqvae")
    assert resumed.epochs == resumed.epochs_before + len(kind.stages)


@pytest.fixture
def state(tmp_path: Path, recipe: Recipe) -> Path:
    """What a run has left before its first epoch."""
    start(tmp_path, recipe)
    return tmp_path / "state.safetensors"


def test_nothing_to_resume_is_refused(tmp_path: Path, recipe: Recipe) -> None:
    with pytest.raises(CheckpointError, match=r"no run to resume at .*state\.safetensors"):
        start(tmp_path, recipe, resume=True)


def test_a_changed_recipe_does_not_resume(tmp_path: Path, recipe: Recipe, state: Path) -> None:
    changed = replace(recipe, training=replace(recipe.training, learning_rate=0.5))
    with pytest.raises(CheckpointError, match=r"recipe has changed since the run at .* began"):
        start(tmp_path, changed, resume=True)


@pytest.mark.usefixtures("state")
def test_other_images_do_not_resume(tmp_path: Path, recipe: Recipe) -> None:
    others = TEST[: len(TEST) // 2]
    with pytest.raises(CheckpointError, match=r"images of mnist have changed since the run at"):
        start(tmp_path, recipe, resume=True, test=others)
    with pytest.raises(CheckpointError, match=r"images of mnist have changed since the run at"):
        start(tmp_path, recipe, resume=True, train=others)


@pytest.mark.parametrize("length", [0, 7, 1000, -1])
def test_a_damaged_state_does_not_resume(
    tmp_path: Path, recipe: Recipe, state: Path, length: int
) -> None:
    os.truncate(state, length if length >= 0 else state.stat().st_size + length)
    with pytest.raises(CheckpointError, match=r"state\.safetensors is damaged .* with --replace"):
        start(tmp_path, recipe, resume=True)


def test_a_state_that_was_cut_off_while_being_written_leaves_the_one_before(
    tmp_path: Path, recipe: Recipe, state: Path
) -> None:
    before = start(tmp_path, recipe, resume=True).autoencoder.state_dict()
    state.with_name(f"{state.name}.partial").write_bytes(state.read_bytes()[:100])
    after = start(tmp_path, recipe, resume=True).autoencoder.state_dict()
    assert_identical(after, before)
