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
    "group",
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
class Group:
    """A heading under which models stand: what they teach."""

    id: str
    title: str
    about: str


GROUPS = (
    Group("map", "The map", "A plane where every point is a digit, and neighbours look alike."),
    Group(
        "holes",
        "No order without a prior",
        "Plain autoencoders copy well, but nothing says where their codes should lie.",
    ),
    Group(
        "kl",
        "What the KL term does",
        "The same network under a KL term from none to one that silences the code.",
    ),
    Group(
        "likelihood",
        "What a pixel may be",
        "Ink or none, a grey level between bounds, or any number: three decoders for grey images.",
    ),
    Group("network", "Other networks", "The same idea with convolutions, or row by row."),
    Group(
        "relatives",
        "Other autoencoders",
        "Sparse codes, noise removal, layers trained one at a time, and codes from a codebook.",
    ),
    Group("twenty", "Twenty numbers", "More room in the code, sharper images, no single map."),
    Group("clothes", "Clothes", "The same on Fashion-MNIST, with and without regularisation."),
)
"""In the order in which they are shown."""


@dataclass(frozen=True)
class Card:
    id: str
    title: str
    summary: str
    """One line: what to look for in this model."""
    group: str
    """Id of one of `GROUPS`: what it teaches."""
    family: str
    """"vae", "ae" or "vqvae"."""
    dataset: str
    latent_dim: int
    """Numbers in a code; of a VQ-VAE, the 49 places of its grid."""
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
