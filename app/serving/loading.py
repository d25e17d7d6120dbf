"""Loading: which models a server offers, and how each is read, checked and warmed."""

import ctypes
import logging
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from zipfile import ZipFile

from app.errors import StartError, Unavailable
from app.serving.batcher import Batcher, Decode
from app.serving.registry import Offer, Registry, ServedModel
from app.settings import Settings, variable
from app.telemetry.counters import Counters
from model.card import Card
from model.engine import Engine, read_card
from model.errors import CheckpointError, ModelError

UNPACKED = 5
"""Times that weights grow in memory, at most: float16 becomes float32, and a decoder is there
three times. The models that ship grow to 2.5 to 4.6 times."""

WEIGHTS = ("*.safetensors", "*.onnx")

MakeBatcher = Callable[[Decode], Batcher]
log = logging.getLogger("explorer")


def batchers(settings: Settings, executor: Executor, counters: Counters) -> MakeBatcher:
    """Return what makes a model's batcher from the decoder of its engine."""
    return partial(
        Batcher,
        executor=executor,
        max_queue=settings.max_queue,
        max_wait_seconds=settings.max_wait_seconds,
        counters=counters,
    )


def fill(settings: Settings, registry: Registry, batcher: MakeBatcher) -> None:
    """Offer every model that is asked for, and load and warm the default one.

    Of the others only the card is read; one that cannot be read is reported and skipped.

    Raises:
        StartError: the default model cannot be served, or a model asked for by name is missing.
    """
    names = _names(settings)
    _load_default(settings, registry, batcher)
    for name in names:
        if name == settings.default_model:
            continue
        folder = settings.checkpoints / name
        try:
            card = _card(folder)
            load = partial(_load, folder, card, settings.device, batcher)
            registry.offer(Offer(card, memory_needed(folder), load))
        except (ModelError, OSError) as error:
            log.error("Model %s is skipped: %s", name, error)
    offered = [card.id for card in registry.cards]
    log.info("%d models are offered: %s", len(offered), ", ".join(offered))


def _load_default(settings: Settings, registry: Registry, batcher: MakeBatcher) -> None:
    name = settings.default_model
    try:
        read_default(settings)
        served, size = serve_default(settings, batcher)
    except (ModelError, OSError) as error:
        raise StartError(f"The default model {name} cannot be served: {error}") from error
    registry.keep(served, size)
    log.info("Model %s is ready on %s", name, served.engine.device)
    if size > settings.model_memory_bytes:
        log.warning(
            "The default model takes %d bytes, more than %s; no other model will be loaded",
            size, variable("model_memory_bytes"),
        )  # fmt: skip


def read_default(settings: Settings) -> Card:
    """Return the card of the default model; raises ModelError and OSError."""
    return _card(settings.checkpoints / settings.default_model)


def serve_default(settings: Settings, batcher: MakeBatcher) -> tuple[ServedModel, int]:
    """Return the default model, loaded and warm, and its bytes; raises ModelError and OSError."""
    folder = settings.checkpoints / settings.default_model
    return _served(folder, settings.device, batcher), memory_needed(folder)


def _load(folder: Path, offered: Card, device: str, batcher: MakeBatcher) -> ServedModel:
    """Load a model that was offered with this card; raise Unavailable if that cannot be done."""
    name = folder.name
    try:
        served = _served(folder, device, batcher)
        if served.card != offered:  # clients and caches would take its answers for the other's
            raise CheckpointError(f"{folder} was replaced since the start; restart the server.")
    except Exception as error:  # whatever the device does: the other models go on
        refused = isinstance(error, ModelError | OSError)
        log.error("Model %s cannot be loaded: %s", name, error, exc_info=not refused)
        raise Unavailable(
            f"The model {name} cannot be loaded now. The server's log says why and which file it "
            "is, if one is damaged; its operator must restore that. The other models go on."
        ) from error
    give_memory_back()  # of the models that made room for it
    log.info("Model %s is loaded", name)
    return served


def _served(folder: Path, device: str, batcher: MakeBatcher) -> ServedModel:
    engine = Engine.load(folder, device)
    engine.warm_up()
    return ServedModel(engine, batcher(engine.draw))


def _card(folder: Path) -> Card:
    card = read_card(folder)
    if card.id != folder.name:
        raise CheckpointError(
            f"{folder} holds the card of {card.id}; a checkpoint's folder has its model's name."
        )
    return card


def memory_needed(folder: Path) -> int:
    """Return the bytes that a checkpoint will take in memory; it is not loaded for it."""
    weights = sum(file.stat().st_size for kind in WEIGHTS for file in folder.glob(kind))
    return UNPACKED * weights + sum(map(_unpacked, folder.glob("*.npz")))


def _unpacked(archive: Path) -> int:
    try:
        with ZipFile(archive) as file:
            return sum(entry.file_size for entry in file.infolist())
    except OSError:
        raise
    except Exception:  # damaged, in ways without number; reported when the model is asked for
        return archive.stat().st_size


def _names(settings: Settings) -> list[str]:
    found = sorted(card.parent.name for card in settings.checkpoints.glob("*/card.json"))
    there = f"{settings.checkpoints} holds {', '.join(found) or 'no model'}"
    for name in settings.models:
        if name not in found:
            raise StartError(f"{variable('models')} names {name}; {there}.")
    wanted = list(settings.models) or found
    if settings.default_model not in wanted:
        raise StartError(
            f"{variable('default_model')} is {settings.default_model}; it must be one of "
            f"{', '.join(wanted) or 'the models'} ({there})."
        )
    return wanted


def give_memory_back() -> None:
    """Return freed memory to the system: glibc keeps what does not lie at the end of its heap."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries lack it
        if trim:
            trim(0)
