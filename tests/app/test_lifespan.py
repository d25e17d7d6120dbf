import gc
import json
import logging
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.errors import StartError
from app.serving import loading
from app.serving.loading import batchers, fill
from app.serving.registry import Registry
from app.settings import ROOT, Settings
from app.telemetry.counters import Counters
from tests.app.live_server import DEFAULT, serving

OTHER = "mnist-vae-20d"


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    for name in (DEFAULT, OTHER):
        shutil.copytree(ROOT / "checkpoints" / name, tmp_path / name)
    return tmp_path


def filled(settings: Settings) -> Registry:
    registry = Registry(settings.default_model, settings.model_memory_bytes)
    with ThreadPoolExecutor(1) as executor:
        fill(settings, registry, batchers(settings, executor, Counters()))
    return registry


def offered(settings: Settings) -> list[str]:
    return [card.id for card in filled(settings).cards]


def damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def test_all_checkpoints_of_the_folder_are_offered_and_the_default_one_is_loaded(
    checkpoints: Path,
) -> None:
    (checkpoints / "notes").mkdir()
    for default in (DEFAULT, OTHER):
        registry = filled(Settings(checkpoints=checkpoints, default_model=default))
        assert {card.id for card in registry.cards} == {DEFAULT, OTHER}
        assert [served.card.id for served in registry.loaded] == [default]


def test_only_the_models_asked_for_are_offered(checkpoints: Path) -> None:
    assert offered(Settings(checkpoints=checkpoints, models=(DEFAULT,))) == [DEFAULT]


def rewrite(folder: Path, **fields: object) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, **fields}))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: damage(folder / "card.json"), "card.json"),
        (lambda folder: rewrite(folder, latent_dim="two"), "latent_dim"),
        (lambda folder: rewrite(folder, id=DEFAULT), f"holds the card of {DEFAULT}"),
        (lambda folder: rewrite(folder, group=""), "group is empty"),
    ],
    ids=["cut off", "wrong type", "another's", "no group"],
)
def test_a_bad_card_is_reported_and_its_model_skipped(
    checkpoints: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    says: str,
) -> None:
    spoil(checkpoints / OTHER)
    with caplog.at_level(logging.ERROR):
        assert offered(Settings(checkpoints=checkpoints)) == [DEFAULT]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"Model {OTHER} is skipped: ")
    assert says in record.getMessage()


def test_a_damaged_default_model_stops_the_start_with_its_reason(checkpoints: Path) -> None:
    damage(checkpoints / DEFAULT / "model.safetensors")
    with pytest.raises(StartError, match=r"mnist-vae-2d cannot be served: .*model\.safetensors"):
        filled(Settings(checkpoints=checkpoints))


def test_a_model_that_does_not_exist_stops_the_start_with_those_that_do(checkpoints: Path) -> None:
    with pytest.raises(StartError, match=r"EXPLORER_MODELS names other; .* holds mnist-vae-20d"):
        filled(Settings(checkpoints=checkpoints, models=(DEFAULT, "other")))
    with pytest.raises(StartError, match=r"EXPLORER_DEFAULT_MODEL is other; .*mnist-vae-20d"):
        filled(Settings(checkpoints=checkpoints, default_model="other"))
    with pytest.raises(StartError, match="must be one of mnist-vae-20d"):
        filled(Settings(checkpoints=checkpoints, models=(OTHER,)))
    with pytest.raises(StartError, match="holds no model"):
        filled(Settings(checkpoints=checkpoints / "empty"))


def test_a_device_that_does_not_exist_stops_the_start_with_its_name(checkpoints: Path) -> None:
    with pytest.raises(StartError, match="cuda:7"):
        filled(Settings(checkpoints=checkpoints, device="cuda:7"))


@pytest.mark.parametrize("put_off", [True, False])
def test_a_ready_server_collects_garbage_except_among_the_objects_of_its_start(
    put_off: bool,
) -> None:
    frozen = gc.get_freeze_count()
    try:
        if put_off:
            gc.disable()
        with serving(Settings(models=(DEFAULT,))):
            assert gc.isenabled()
            assert (gc.get_freeze_count() > frozen + 10_000) == put_off
    finally:
        gc.enable()
        gc.unfreeze()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is on Linux")
@pytest.mark.parametrize("can", [True, False])
def test_a_ready_server_has_returned_freed_memory_where_the_c_library_can(
    can: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    library = SimpleNamespace(malloc_trim=asked.append) if can else SimpleNamespace()
    monkeypatch.setattr(loading, "ctypes", SimpleNamespace(CDLL=lambda name: library))
    with serving(Settings(models=(DEFAULT,))):
        assert asked == ([0] if can else [])
