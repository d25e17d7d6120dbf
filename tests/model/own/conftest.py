"""What the tests of images of one's own share."""

from pathlib import Path

import numpy as np
import pytest

from model.__main__ import main
from tests.app import untrained
from tests.model.tiny import idx


def write_files(folder: Path, grey: int, tests: int = 4) -> Path:
    folder.mkdir(exist_ok=True)
    for half, count in (("train", 6), ("t10k", tests)):
        images = np.full((count, 28, 28), grey, np.uint8)
        (folder / f"{half}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{half}-labels-idx1-ubyte").write_bytes(idx(np.zeros(count, np.uint8)))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a checkpoint of a data set `import-me` that has been replaced since."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        command = ["data", "--name", "import-me", "--from"]
        assert main([*command, str(write_files(folder / "old", 30))]) == 0
        untrained.write(folder / "models", "of-mine", dataset="import-me")
        assert main([*command, str(write_files(folder / "new", 31, 3)), "--replace"]) == 0
    return folder


@pytest.fixture(autouse=True)
def at_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
