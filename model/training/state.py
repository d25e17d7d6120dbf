"""The state of a run on disk between epochs, from which it can be resumed at any time."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from model.errors import CheckpointError


@dataclass
class Progress:
    """The progress of a run: `epoch` epochs of stage number `stage` are done."""

    recipe: dict[str, Any]
    stage: int = 0
    epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    """An entry for each epoch: stage, epoch, train_loss, seconds, and what the stage follows."""


def save_state(path: Path, progress: Progress, tensors: dict[str, Tensor]) -> None:
    """Replace the state at `path` atomically: a kill leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, partial, metadata={"progress": json.dumps(asdict(progress))})
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def load_state(path: Path, recipe: dict[str, Any]) -> tuple[Progress, dict[str, Tensor]]:
    """Read a state back.

    Raises:
        CheckpointError: The state is missing or damaged, or its recipe has changed since.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no run to resume at {path}; leave out --resume.")
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); start without --resume.") from error
    if progress.recipe != json.loads(json.dumps(recipe)):
        raise CheckpointError(
            f"The recipe has changed since the run at {path} began; "
            "restore it, or start anew without --resume."
        )
    return progress, tensors


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
