import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.lifespan import StartError, load
from app.registry import Registry
from app.settings import ROOT, Settings
from tests.app.serving import DEFAULT

OTHER = "mnist-vae-20d"


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    for name in (DEFAULT, OTHER):
        shutil.copytree(ROOT / "checkpoints" / name, tmp_path / name)
    return tmp_path


def loaded(settings: Settings) -> list[str]:
    registry = Registry(settings.default_model)
    with ThreadPoolExecutor(1) as executor:
        load(settings, registry, executor)
    return [served.card.id for served in registry]


def damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def test_all_checkpoints_of_the_folder_are_loaded_the_default_one_first(checkpoints: Path) -> None:
    (checkpoints / "notes").mkdir()
    assert loaded(Settings(checkpoints=checkpoints)) == [DEFAULT, OTHER]
    assert loaded(Settings(checkpoints=checkpoints, default_model=OTHER)) == [OTHER, DEFAULT]


def test_only_the_models_asked_for_are_loaded(checkpoints: Path) -> None:
    assert loaded(Settings(checkpoints=checkpoints, models=(DEFAULT,))) == [DEFAULT]


@pytest.mark.parametrize("file", ["model.safetensors", "atlas.npz", "card.json"])
def test_a_damaged_checkpoint_is_reported_and_skipped(
    checkpoints: Path, caplog: pytest.LogCaptureFixture, file: str
) -> None:
    damage(checkpoints / OTHER / file)
    with caplog.at_level(logging.ERROR):
        assert loaded(Settings(checkpoints=checkpoints)) == [DEFAULT]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"Model {OTHER} is skipped: ")
    assert file in record.getMessage()


def test_a_damaged_default_model_stops_the_start_with_its_reason(checkpoints: Path) -> None:
    damage(checkpoints / DEFAULT / "model.safetensors")
    with pytest.raises(StartError, match=r"mnist-vae-2d cannot be served: .*model\.safetensors"):
        loaded(Settings(checkpoints=checkpoints))


def test_a_model_that_is_not_there_stops_the_start_with_those_that_are(checkpoints: Path) -> None:
    with pytest.raises(StartError, match=r"EXPLORER_MODELS names other; .* holds mnist-vae-20d"):
        loaded(Settings(checkpoints=checkpoints, models=(DEFAULT, "other")))
    with pytest.raises(StartError, match=r"EXPLORER_DEFAULT_MODEL is other; .*mnist-vae-20d"):
        loaded(Settings(checkpoints=checkpoints, default_model="other"))
    with pytest.raises(StartError, match="must be one of mnist-vae-20d"):
        loaded(Settings(checkpoints=checkpoints, models=(OTHER,)))
    with pytest.raises(StartError, match="holds no model"):
        loaded(Settings(checkpoints=checkpoints / "empty"))


def test_a_device_that_is_not_there_stops_the_start_with_those_that_are(checkpoints: Path) -> None:
    with pytest.raises(StartError, match="cuda:7"):
        loaded(Settings(checkpoints=checkpoints, device="cuda:7"))
