"""The state of a run on disk between epochs, from which it can be resumed at any time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from model.checkpoint import replace_files
from model.errors import CheckpointError

STATE_FILE = "state.safetensors"


@dataclass
class Progress:
    """The progress of a run: `epoch` epochs of stage number `stage` are done."""

    recipe: dict[str, Any]
    stage: int = 0
    epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    """An entry for each epoch: stage, epoch, train_loss, seconds, and what the stage follows."""
    images_sha256: str = ""
    """Hash of the images of both halves; empty where only published ones are trained on."""


def save_state(path: Path, progress: Progress, tensors: dict[str, Tensor]) -> None:
    """Replace the state at `path` atomically: a kill or a full disk leaves the old one.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(contiguous, metadata={"progress": json.dumps(asdict(progress))})
    replace_files({path: content})


def read_progress(path: Path) -> Progress:
    """Read how far a run is, without its tensors.

    Raises:
        CheckpointError: The state is missing or damaged.
    """
    return _read(path, with_tensors=False)[0]


def load_state(path: Path, begun: Progress) -> tuple[Progress, dict[str, Tensor]]:
    """Read a state back, of a run that began as `begun`.

    Raises:
        CheckpointError: The state is missing or damaged, or its recipe or its images have changed
            since.
    """
    progress, tensors = _read(path, with_tensors=True)
    if progress.recipe != json.loads(json.dumps(begun.recipe)):
        raise CheckpointError(
            f"The recipe has changed since the run at {path} began; "
            "restore it, or start anew with --replace and without --resume."
        )
    if progress.images_sha256 != begun.images_sha256:
        raise CheckpointError(
            f"The images of {progress.recipe['dataset']} have changed since the run at {path} "
            "began; restore them, or start anew with --replace and without --resume."
        )
    return progress, tensors


def _read(path: Path, *, with_tensors: bool) -> tuple[Progress, dict[str, Tensor]]:
    if not path.is_file():
        raise CheckpointError(f"There is no run to resume at {path}; leave out --resume.")
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            names = file.keys() if with_tensors else ()
            return progress, {name: file.get_tensor(name) for name in names}
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); start anew with --replace.") from error


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return Adam's moments and step counts, by parameter number."""
    state = optimiser.state_dict()["state"]
    return {f"adam.{i}.{name}": t for i, entry in state.items() for name, t in entry.items()}


def load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restore what `optimiser_tensors` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("adam."):
            _, number, name = key.split(".", maxsplit=2)
            state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
