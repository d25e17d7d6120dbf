"""What the tests of training share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from model.checkpoint import Checkpoint
from model.recipes.recipe import Recipe
from model.training.distillation import Distil
from tests.model import tiny
from tests.model.training.runs import start, taught_by


@pytest.fixture(scope="module")
def short_distillation() -> Iterator[None]:
    """Epochs of 10 steps instead of 500."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Distil, "steps_per_epoch", 10)
        yield


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Of tiny.RECIPE, trained on tiny.COUNT images."""
    folder = tmp_path_factory.mktemp("teacher")
    run = start(folder, tiny.recipe(folder))
    run.finish()
    return taught_by(run, folder)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """tiny.RECIPE."""
    return tiny.recipe(tmp_path)
