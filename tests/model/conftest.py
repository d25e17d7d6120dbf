"""What the tests of `model` share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from model.__main__ import main
from model.data import datasets
from tests.model import tiny

torch.set_num_threads(1)  # as the engine does


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints, small-vae and small-ae: `python -m model train`."""
    folder = tmp_path_factory.mktemp("trained")
    tiny.write(folder / "data" / "mnist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
        for text in (tiny.RECIPE, tiny.AUTOENCODER):
            tiny.recipe(folder, text)
            places = {"--data": "data", "--runs": "runs", "--to": "checkpoints"}
            options = [word for option in places for word in (option, str(folder / places[option]))]
            assert main(["train", str(folder / "recipe.toml"), "--device", "cpu", *options]) == 0
    return folder / "checkpoints"


@pytest.fixture(autouse=True)
def denormals_kept() -> Iterator[None]:
    """Undo what training switches on for the whole process; hypothesis refuses to draw under it."""
    yield
    torch.set_flush_denormal(False)
