"""The history of training, read from a card; epochs are counted as in the atlas's moments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MEASURED = ("train_loss", "reconstruction", "kl", "elbo")
_ASIDE = {"stage", "epoch", "seconds", *MEASURED}


@dataclass(frozen=True)
class Epoch:
    """One epoch, in nats per image; what its stage does not measure is None."""

    epoch: int
    """Counted through all stages; a distilled model counts on from its teacher's last epoch."""
    stage: str
    train_loss: float | None
    """What the stage minimises, on training images."""
    reconstruction: float | None
    """Like `kl` and `elbo`, measured on images that were not trained on."""
    kl: float | None
    elbo: float | None
    more: dict[str, float]
    """Other measurements of the stage, such as `kl_to_teacher`."""


def read_history(training: dict[str, Any], moments: Sequence[int]) -> list[Epoch]:
    """Return the epochs of a card's block `training`.

    Args:
        training: The block; without a `history` it has no epochs.
        moments: The epochs of the atlas's moments, in order. The last moment is of the last epoch,
            which shows how many epochs a teacher had before.
    """
    entries = training.get("history", [])
    before = max(moments[-1] - len(entries), 0) if moments else 0
    return [_epoch(before + count, entry) for count, entry in enumerate(entries, 1)]


def _epoch(number: int, entry: dict[str, Any]) -> Epoch:
    numbers = {name: float(value) for name, value in entry.items() if _is_number(value)}
    more = {name: value for name, value in numbers.items() if name not in _ASIDE}
    loss, fit, kl, elbo = (numbers.get(name) for name in MEASURED)
    return Epoch(number, str(entry.get("stage", "")), loss, fit, kl, elbo, more)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
