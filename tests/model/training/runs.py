"""Runs of tiny recipes on a few images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.checkpoint import Checkpoint, read_checkpoint
from model.data import datasets
from model.recipes.recipe import Recipe
from model.training.command import write
from model.training.optimisation import PRECISIONS
from model.training.run import Run
from tests.model import tiny

SHIPPED = datasets.test_set("mnist").images
TRAIN, TEST = SHIPPED[: tiny.COUNT], SHIPPED[tiny.COUNT : 2 * tiny.COUNT]


def silent(line: str) -> None:
    """Say nothing."""


def start(
    folder: Path,
    recipe: Recipe,
    *,
    train: np.ndarray = TRAIN,
    test: np.ndarray = TEST,
    teacher: Checkpoint | None = None,
    resume: bool = False,
    say: Callable[[str], object] = silent,
    precision: str = PRECISIONS[0],
) -> Run:
    """A run that keeps its state in a folder."""
    state = folder / "state.safetensors"
    return Run(
        recipe, train, test, state, teacher=teacher, resume=resume, say=say, precision=precision
    )


def taught_by(run: Run, folder: Path) -> Checkpoint:
    """The checkpoint of a finished run, for others to learn from."""
    write(folder / "teacher", run, datasets.find("mnist"))
    return read_checkpoint(folder / "teacher")


def weights(run: Run) -> dict[str, Tensor]:
    """What the run ships, after whatever epochs it still has to go."""
    return {name: tensor.clone() for name, tensor in run.finish().state_dict().items()}


def assert_identical(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Bit by bit."""
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
