"""The factors of portraits: what each is, how they are drawn at random, and how they are stored.

`portraits.py` draws the portraits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

HAIR_COLOURS = ("black", "brown", "blond", "red", "grey")
HAIR_STYLES = ("bald", "short", "parted", "curly", "long")


@dataclass(frozen=True)
class Face:
    """The factors of a portrait."""

    skin: float = 0.3
    """From light, 0, to dark, 1."""
    hair_colour: int = 1
    """Index in `HAIR_COLOURS`."""
    hair_style: int = 1
    """Index in `HAIR_STYLES`."""
    face_width: float = 0.5
    """From narrow, 0, to wide, 1."""
    eyes: float = 0.6
    """From nearly closed, 0, to wide open, 1."""
    glasses: int = 0
    moustache: int = 0
    beard: int = 0
    mouth: float = 0.4
    """From a frown, -1, to a smile, 1."""
    turn: float = 0.0
    """From the picture's left, -1, to its right, 1."""
    background: float = 0.55
    """Hue, as a share of the colour circle."""


RANGES = {
    "skin": (0.0, 1.0),
    "face_width": (0.0, 1.0),
    "eyes": (0.0, 1.0),
    "mouth": (-1.0, 1.0),
    "turn": (-1.0, 1.0),
    "background": (0.0, 1.0),
}
"""The factors that are numbers, and their least and greatest values."""
NO_YES = ("without", "with")
CHOICES = {
    "hair_colour": HAIR_COLOURS,
    "hair_style": HAIR_STYLES,
    "glasses": NO_YES,
    "moustache": NO_YES,
    "beard": NO_YES,
}
"""The factors that are choices, and what their indices stand for."""
FACTORS = tuple(field.name for field in fields(Face))
LEVELS = 256
"""A factor that is a number has so many values, evenly over its range."""
WORN = 1 / 3
"""The share of heads with glasses, with a moustache and with a beard."""

HALVES = {"train": (24_000, 1), "t10k": (2_000, 2)}
"""How many portraits are to train and to test with, and the seeds of their factors."""

Levels = UInt8[np.ndarray, "count 11"]
"""The factors of portraits as whole numbers, in the order of `FACTORS`: levels, or indices."""


def random_levels(count: int, seed: int) -> Levels:
    """Draw the factors of portraits, each on its own; the same for the same seed."""
    rng = np.random.default_rng(seed)
    levels = np.empty((count, len(FACTORS)), np.uint8)
    for column, name in enumerate(FACTORS):
        choices = CHOICES.get(name)
        if choices is NO_YES:
            levels[:, column] = rng.random(count) < WORN
        else:
            levels[:, column] = rng.integers(len(choices) if choices else LEVELS, size=count)
    return levels


def face_of(levels: UInt8[np.ndarray, " 11"]) -> Face:
    """Return the face that has these factors."""
    values: dict[str, Any] = {}
    for name in FACTORS:
        (value,) = factor_values(levels[None], name)
        values[name] = float(value) if name in RANGES else int(value)
    return Face(**values)


def factor_distance(
    name: str, one: Float[np.ndarray, " count"], other: Float[np.ndarray, " count"]
) -> Float[np.ndarray, " count"]:
    """Return how far values of a factor that is a number are apart, as a share of its range.

    The background is a hue: both ends of its range are red.
    """
    low, high = RANGES[name]
    apart = np.abs(one - other) / (high - low)
    return np.asarray(np.minimum(apart, 1 - apart) if name == "background" else apart)


def factor_values(levels: Levels, name: str) -> Float[np.ndarray, " count"]:
    """Return the values of one factor; of a choice, the indices."""
    column = levels[:, FACTORS.index(name)].astype(float)
    if name not in RANGES:
        return column
    low, high = RANGES[name]
    return np.asarray(low + (high - low) * column / (LEVELS - 1))
