"""The card: what a checkpoint says of itself, in `card.json`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from model.errors import CheckpointError

PUBLIC = (
    "id",
    "title",
    "summary",
    "family",
    "dataset",
    "latent_dim",
    "likelihood",
    "beta",
    "planes",
    "metrics",
    "sha256",
)


@dataclass(frozen=True)
class Card:
    id: str
    title: str
    summary: str
    """One line: what to look for in this model."""
    family: str
    """"vae" or "ae"."""
    dataset: str
    latent_dim: int
    likelihood: str
    beta: float | None
    """Weight of the KL term in training; None for an autoencoder."""
    planes: tuple[str, ...]
    """Ids of the planes in the atlas; the first is the one to open."""
    metrics: dict[str, Any]
    """By protocol: numbers in nats per image, and a sentence on how they were taken."""
    sha256: str
    """Of `model.safetensors`."""
    atlas_sha256: str
    """Of `atlas.npz`."""
    multiply_adds: dict[str, int]
    """Of encoder and decoder, for one image."""
    recipe: dict[str, Any]
    data_sha256: dict[str, str]
    """Of the training files, unpacked."""
    training: dict[str, Any]
    """Time, machine, versions, and the history of each stage by epoch."""

    def public(self) -> dict[str, Any]:
        """The part that the API shows."""
        return {name: getattr(self, name) for name in PUBLIC}

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, folder: Path) -> Card:
        """Read `folder/card.json`.

        Raises:
            CheckpointError: It is missing, not JSON, or lacks a field.
        """
        path = folder / "card.json"
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            hints = get_type_hints(cls)
            known = {name: _fitting(name, table[name], hint) for name, hint in hints.items()}
        except FileNotFoundError as error:
            raise CheckpointError(
                f"There is no {path}; a checkpoint is a folder that `python -m model train` wrote."
            ) from error
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
        except KeyError as error:
            raise CheckpointError(
                f"{path} lacks the field {error}; train the model again with this version."
            ) from error
        except (ValueError, TypeError) as error:
            raise CheckpointError(f"{path} is not a card: {error}.") from error
        return cls(**known)


def _fitting(name: str, value: Any, hint: Any) -> Any:
    """A JSON value as its field's type; raises TypeError that names the field."""
    if hint == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return tuple(value)
    elif hint == float | None:
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
    elif type(value) is (get_origin(hint) or hint):
        return value
    raise TypeError(f"its field {name} is {value!r}, which is not of the type {hint}")
