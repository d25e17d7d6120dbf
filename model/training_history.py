"""How training went: what a card tells of it, by epochs that count as the atlas's moments do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MEASURED = ("train_loss", "reconstruction", "kl", "elbo")
_ASIDE = {"stage", "epoch", "seconds", *MEASURED}


@dataclass(frozen=True)
class Epoch:
    """One epoch; None is what its stage does not measure. All in nats per image."""

    epoch: int
    """Counted through all stages; a model that was taught counts on from its teacher's last."""
    stage: str
    train_loss: float | None
    """What the stage makes small, on training images."""
    reconstruction: float | None
    """With `kl` and `elbo`, on images that were not trained on."""
    kl: float | None
    elbo: float | None
    more: dict[str, float]
    """What only this stage measures, such as `kl_to_teacher`."""


def read_history(training: dict[str, Any], moments: Sequence[int]) -> list[Epoch]:
    """The epochs of a card's block `training`.

    Args:
        training: As in the card; without a `history` there are no epochs.
        moments: The epochs of the atlas's moments, in order. The last is that of the last epoch,
            which tells how many a teacher had before.
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
