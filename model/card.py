"""The card: a checkpoint's description of itself, in `card.json`."""

from __future__ import annotations

import dataclasses
import json
import math
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from model.errors import CheckpointError
from model.image_shape import MNIST_SHAPE, ImageShape

PUBLIC = (
    "id",
    "title",
    "summary",
    "group",
    "family",
    "dataset",
    "latent_dim",
    "image",
    "likelihood",
    "beta",
    "planes",
    "metrics",
    "sha256",
)


DEEPEST = 20
"""Levels of nesting; the cards that ship have four."""
MOST_DIGITS = 18
"""Of a whole number: it fits into 64 bits."""


@dataclass(frozen=True)
class Group:
    """A heading under which models are listed: what they teach."""

    id: str
    title: str
    about: str


GROUPS = (
    Group(
        "map",
        "The map",
        "A plane of two numbers, laid out by t-SNE before training; a point decodes to an image.",
    ),
    Group(
        "holes",
        "With and without a prior",
        "Pairs that differ in the objective alone: reconstruction, or the ELBO.",
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
    Group("twenty", "Twenty numbers", "More room in the code, closer copies, no single map."),
    Group("clothes", "Clothes", "The same on Fashion-MNIST, with and without regularisation."),
)
"""In display order."""


def headings(groups: Iterable[str]) -> list[Group]:
    """Return all headings in display order: `GROUPS`, and after them those of other names."""
    own = set(groups) - {group.id for group in GROUPS}
    return [*GROUPS, *(Group(name, name, "") for name in sorted(own))]


@dataclass(frozen=True)
class Card:
    id: str
    title: str
    summary: str
    """One line: what to look for in this model."""
    group: str
    """What it teaches: the id of one of `GROUPS`, or a heading of one's own."""
    family: str
    """"vae", "ae" or "vqvae"."""
    dataset: str
    latent_dim: int
    """Numbers in a code; for a VQ-VAE, the 49 cells of its grid."""
    likelihood: str
    beta: float | None
    """Weight of the KL term in training; None for an autoencoder."""
    planes: tuple[str, ...]
    """Ids of the planes in the atlas; the first is the one to open."""
    metrics: dict[str, Any]
    """By block: numbers, and a sentence on how they were measured."""
    sha256: str
    """Hash of `model.safetensors`; of a model from elsewhere, of both its networks."""
    atlas_sha256: str
    """Hash of `atlas.npz`."""
    multiply_adds: dict[str, int]
    """Of the encoder and of the decoder, for one image."""
    recipe: dict[str, Any]
    data_sha256: dict[str, str]
    """Hashes of the data set's files, unzipped, to which weights and codes belong. Older cards
    have those of the training half alone."""
    training: dict[str, Any]
    """Time, machine, versions, and the history of each stage by epoch."""
    image: ImageShape = MNIST_SHAPE
    """The shape of the images that it encodes and decodes."""

    def public(self) -> dict[str, Any]:
        """Return the fields that the API shows."""
        fields = {name: getattr(self, name) for name in PUBLIC}
        return {**fields, "image": dataclasses.asdict(self.image)}

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, folder: Path) -> Card:
        """Read `folder/card.json`.

        Raises:
            CheckpointError: The card is missing, is not JSON, lacks a field, or has a value that
                no card can have.
        """
        path = folder / "card.json"
        try:
            table = json.loads(
                path.read_text(encoding="utf-8"),
                parse_int=_whole,
                parse_float=_finite,
                parse_constant=_finite,
            )
            _require_plain(table)
            hints = get_type_hints(cls)
            table = {"image": dataclasses.asdict(MNIST_SHAPE), **table}  # older cards lack it
            fields = {name: _fitting(name, table[name], hint) for name, hint in hints.items()}
            card = cls(**fields)
            _require_known(card)
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
        except RecursionError as error:
            raise CheckpointError(f"{path} is not a card: it is nested too deeply.") from error
        except (ValueError, TypeError) as error:
            raise CheckpointError(f"{path} is not a card: {error}.") from error
        return card


def _fitting(name: str, value: Any, hint: Any) -> Any:
    """Return a JSON value as its field's type; raise TypeError that names the field."""
    if hint is ImageShape:
        return ImageShape.from_json(value)
    if hint == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return tuple(value)
    elif hint == float | None:
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
    elif type(value) is (get_origin(hint) or hint):
        return value
    raise TypeError(f"its field {name} is {reprlib.repr(value)}, which is not of the type {hint}")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"it has a number of {len(digits)} digits")
    return int(digits)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it has a number that is not finite: {text[:MOST_DIGITS]}")
    return number


def _require_plain(value: Any, depth: int = 0) -> None:
    """Refuse what the API could not send: text that UTF-8 cannot encode, and deep nesting."""
    if depth > DEEPEST:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        value.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    elif isinstance(value, dict):
        for name, entry in value.items():
            _require_plain(name, depth)
            _require_plain(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _require_plain(entry, depth + 1)


def _require_known(card: Card) -> None:
    if not card.group.strip():
        raise ValueError("its field group is empty; give it a heading")
    history = card.training.get("history", [])
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise TypeError("its field training has a history that is not a list of objects")
