"""Training as a whole, on a few images: what decides its result, and what must not."""

import math
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from model.data import datasets
from model.errors import CheckpointError
from model.recipe import Recipe
from model.training.run import Average, Run, schedule
from model.training.stages import Distil
from tests.model import tiny

SHIPPED = datasets.test_set("mnist").images
TRAIN, TEST = SHIPPED[: tiny.COUNT], SHIPPED[tiny.COUNT : 2 * tiny.COUNT]


def silent(line: str) -> None:
    pass


def start(
    folder: Path,
    recipe: Recipe,
    *,
    train: np.ndarray = TRAIN,
    test: np.ndarray = TEST,
    resume: bool = False,
    say: Callable[[str], object] = silent,
) -> Run:
    return Run(recipe, train, test, folder / "state.safetensors", resume=resume, say=say)


def weights(run: Run) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in run.finish().state_dict().items()}


def assert_identical(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.fixture(autouse=True, scope="module")
def short_distillation() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Distil, "steps_per_epoch", 10)
        yield


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return tiny.recipe(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("finished")
    start(folder, tiny.recipe(folder)).finish()
    return folder


@pytest.fixture(scope="module")
def unbroken(finished: Path) -> dict[str, Tensor]:
    return weights(start(finished, tiny.recipe(finished), resume=True))


@pytest.fixture
def state(finished: Path, tmp_path: Path) -> Path:
    """What the finished run left, in this test's own folder."""
    return Path(shutil.copy(finished / "state.safetensors", tmp_path))


def test_training_goes_through_its_stages_and_keeps_a_history(
    tmp_path: Path, recipe: Recipe
) -> None:
    run = start(tmp_path, recipe)
    run.finish()
    history = run.progress.history
    assert [(entry["stage"], entry["epoch"]) for entry in history] == [
        ("fit", 1), ("fit", 2), ("fit", 3), ("distil", 1), ("distil", 2), ("refit", 1),
    ]  # fmt: skip
    assert all(math.isfinite(entry["train_loss"]) for entry in history)
    assert history[2]["elbo"] > history[0]["elbo"]
    assert history[4]["kl_to_teacher"] < history[3]["kl_to_teacher"]


@pytest.mark.parametrize("text", [tiny.AUTOENCODER, tiny.ARTICLE], ids=["autoencoder", "article"])
def test_the_other_families_train_in_one_stage(tmp_path: Path, text: str) -> None:
    run = start(tmp_path, tiny.recipe(tmp_path, text))
    run.finish()
    history = run.progress.history
    assert [entry["stage"] for entry in history] == ["fit"] * 3
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert ("kl" in history[0]) == (text is tiny.ARTICLE)


def test_the_same_seed_gives_the_same_weights(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor]
) -> None:
    torch.manual_seed(99)  # what went before has no say
    assert_identical(weights(start(tmp_path, recipe)), unbroken)


def test_another_seed_gives_other_weights(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor]
) -> None:
    other = weights(start(tmp_path, replace(recipe, seed=5)))
    assert not torch.equal(other["encoder.0.weight"], unbroken["encoder.0.weight"])


def test_neither_held_out_nor_test_images_ever_train(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor]
) -> None:
    train = TRAIN.copy()
    train[-recipe.training.held_out :] = 255
    assert_identical(weights(start(tmp_path, recipe, train=train, test=255 - TEST)), unbroken)


@pytest.mark.parametrize("passes", [1, 2, 5, 9, 13, 20, 30, 34])
def test_a_run_that_ctrl_c_stops_anywhere_resumes_to_the_result_of_an_unbroken_one(
    tmp_path: Path, recipe: Recipe, unbroken: dict[str, Tensor], passes: int
) -> None:
    run = start(tmp_path, recipe)
    left = iter(range(passes))

    def press_ctrl_c_after_the_last_pass(*_: object) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGINT)

    for network in (run.autoencoder.encoder, run.student):
        network.register_forward_pre_hook(press_ctrl_c_after_the_last_pass)
    with pytest.raises(KeyboardInterrupt):
        run.finish()
    resumed = start(tmp_path, recipe, resume=True)
    assert_identical(weights(resumed), unbroken)
    assert len(resumed.progress.history) == 6


def test_a_finished_run_resumes_to_its_result_without_training(
    tmp_path: Path, recipe: Recipe, state: Path, unbroken: dict[str, Tensor]
) -> None:
    said: list[str] = []
    assert_identical(weights(start(tmp_path, recipe, resume=True, say=said.append)), unbroken)
    assert said == []


def test_refitting_leaves_the_decoder_alone(tmp_path: Path, recipe: Recipe) -> None:
    assert recipe.distillation is not None
    (tmp_path / "refitted").mkdir()
    refitted = weights(start(tmp_path / "refitted", recipe))
    plain = replace(recipe, distillation=replace(recipe.distillation, refit_epochs=0))
    distilled = weights(start(tmp_path, plain))
    for name, tensor in distilled.items():
        same = torch.equal(refitted[name], tensor)
        assert same == (name.startswith("decoder.") or not tensor.dtype.is_floating_point), name


def test_moments_are_taken_from_the_first_step_to_what_ships(
    tmp_path: Path, recipe: Recipe
) -> None:
    run = start(tmp_path, recipe)
    shipped = run.finish()
    run.take_last_moment(shipped)
    assert [moment.epoch for moment in run.moments] == [0, 1, 2, 3]
    image = torch.from_numpy(TEST[:5].reshape(5, -1).copy()).float() / 255
    codes = shipped.code(image).detach().numpy()
    np.testing.assert_allclose(run.moments[-1].codes[:5], codes, rtol=1e-3, atol=1e-3)


def test_nothing_to_resume_is_refused(tmp_path: Path, recipe: Recipe) -> None:
    with pytest.raises(CheckpointError, match=r"no run to resume at .*state\.safetensors"):
        start(tmp_path, recipe, resume=True)


def test_a_changed_recipe_does_not_resume(tmp_path: Path, recipe: Recipe, state: Path) -> None:
    changed = replace(recipe, training=replace(recipe.training, learning_rate=0.5))
    with pytest.raises(CheckpointError, match=r"recipe has changed since the run at .* began"):
        start(tmp_path, changed, resume=True)


@pytest.mark.parametrize("length", [0, 7, 1000, -1])
def test_a_damaged_state_does_not_resume(
    tmp_path: Path, recipe: Recipe, state: Path, length: int
) -> None:
    os.truncate(state, length if length >= 0 else state.stat().st_size + length)
    with pytest.raises(CheckpointError, match=r"state\.safetensors is damaged .* without --resume"):
        start(tmp_path, recipe, resume=True)


def test_a_state_that_was_cut_off_while_being_written_leaves_the_one_before(
    tmp_path: Path, recipe: Recipe, state: Path, unbroken: dict[str, Tensor]
) -> None:
    state.with_suffix(".partial").write_bytes(state.read_bytes()[:100])
    assert_identical(weights(start(tmp_path, recipe, resume=True)), unbroken)


def test_the_learning_rate_rises_in_the_warm_up_and_falls_as_a_cosine() -> None:
    assert [schedule(p, 0.1, "cosine") for p in (0, 0.05, 0.1)] == pytest.approx([0, 0.5, 1])
    for share in (0, 0.25, 0.5, 0.75, 1):
        expected = math.cos(math.pi * share / 2) ** 2
        assert schedule(0.1 + 0.9 * share, 0.1, "cosine") == pytest.approx(expected)


def test_without_decay_the_learning_rate_stays_at_its_peak() -> None:
    assert [schedule(p, 0.0, "none") for p in (0, 0.3, 1)] == [1, 1, 1]


def test_the_average_of_the_weights_is_that_of_a_slow_loop() -> None:
    parameter = torch.nn.Parameter(torch.tensor([3.0]))
    average = Average([parameter], decay=0.6)
    expected = 3.0
    for step, value in enumerate([5.0, -1.0, 2.0, 8.0, 1.0, 1.0, 4.0, 2.0, 9.0]):
        parameter.data.fill_(value)
        average.update(step)
        kept = min(0.6, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * value
    with average.applied():
        assert parameter.item() == pytest.approx(expected)
    assert parameter.item() == 9
    average.keep()
    assert parameter.item() == pytest.approx(expected)
