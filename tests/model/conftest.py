"""What the tests of `model` share."""

import json
import shutil
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch

from model.__main__ import main
from model.checkpoint import Checkpoint, read_checkpoint
from model.data import datasets
from model.data.datasets import LabelledImages
from model.engine import Engine
from model.training import command
from model.training.distillation import Distil
from tests.model import tiny

torch.set_num_threads(1)  # as the engine does


@pytest.fixture(scope="session")
def few() -> LabelledImages:
    """What `trained` and `relatives` are measured on."""
    return tiny.few()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, few: LabelledImages) -> Path:
    """A folder of checkpoints, small-vae and small-ae: `python -m model train`."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
        patch.setattr(command, "test_set", lambda *_: few)
        train(folder, tiny.RECIPE, tiny.AUTOENCODER)
    return folder / "checkpoints"


@pytest.fixture(scope="session")
def relatives(trained: Path, tmp_path_factory: pytest.TempPathFactory, few: LabelledImages) -> Path:
    """A folder of the other kinds of checkpoints."""
    folder = tmp_path_factory.mktemp("relatives")
    shutil.copytree(trained / "small-vae", folder / "checkpoints" / "small-vae")
    texts = (tiny.TAUGHT, tiny.STACKED, tiny.CODEBOOK, tiny.GAUSSIAN, tiny.CONTINUOUS_BERNOULLI)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
        patch.setattr(command, "test_set", lambda *_: few)
        patch.setattr(Distil, "steps_per_epoch", 10)
        train(folder, *texts)
    return folder / "checkpoints"


def train(folder: Path, *recipes: str) -> None:
    """Train recipes, one after another, into `folder/checkpoints`."""
    tiny.write(folder / "data" / "mnist")
    places = {"--data": "data", "--runs": "runs", "--to": "checkpoints"}
    options = [word for option in places for word in (option, str(folder / places[option]))]
    for text in recipes:
        tiny.recipe(folder, text)
        assert main(["train", str(folder / "recipe.toml"), "--device", "cpu", *options]) == 0


def kind_of(recipe: dict[str, Any]) -> tuple[object, ...]:
    """What the code tells checkpoints apart by; the widths of their layers are no kind."""
    encoder, decoder = recipe["encoder"], recipe["decoder"]
    family = [recipe[field] for field in ("family", "likelihood", "posterior")]
    return (*family, encoder["kind"], encoder.get("output"), decoder["kind"])


def one_of_each() -> dict[str, Path]:
    """The shipped checkpoints that decode vectors; of each kind the first."""
    found: dict[tuple[object, ...], Path] = {}
    for path in sorted((Path(__file__).parents[2] / "checkpoints").glob("*/card.json")):
        recipe = json.loads(path.read_text(encoding="utf-8"))["recipe"]
        if recipe["family"] != "vqvae":
            found.setdefault(kind_of(recipe), path.parent)
    return {folder.name: folder for folder in found.values()}


AT_ONCE = {
    *("mnist-vae-2d", "mnist-vae-20d", "mnist-conv-vae-2d"),
    *("mnist-recurrent-ae-2d", "mnist-sparse-ae-20d"),
}
"""Each network, family and posterior at least once; the other combinations are marked `slow`."""


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(name, marks=() if name in AT_ONCE else pytest.mark.slow)
        for name in one_of_each()
    ],
)
def folder(request: pytest.FixtureRequest) -> Path:
    """Of one checkpoint after another, each with vectors for latents."""
    return one_of_each()[str(request.param)]


@pytest.fixture(scope="session")
def engine(folder: Path) -> Engine:
    """Of the checkpoint in `folder`; loaded once."""
    return engine_of(folder)


@pytest.fixture(scope="session")
def checkpoint(folder: Path) -> Checkpoint:
    """Of the same, to compute with by other means; leave it as it is."""
    return checkpoint_of(folder)


engine_of = cache(partial(Engine.load, device="cpu"))
checkpoint_of = cache(read_checkpoint)


@pytest.fixture(scope="session")
def small(trained: Path) -> Engine:
    """A variational autoencoder."""
    return Engine.load(trained / "small-vae", "cpu")


@pytest.fixture(scope="session")
def plain(trained: Path) -> Engine:
    """A plain autoencoder."""
    return Engine.load(trained / "small-ae", "cpu")


@pytest.fixture(autouse=True)
def denormals_kept() -> Iterator[None]:
    """Undo what training switches on for the whole process; hypothesis refuses to draw under it."""
    yield
    torch.set_flush_denormal(False)
