"""A map and a loss as text, for a terminal.

Shapes: N codes, W columns, H rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

COLUMNS, ROWS = 64, 20
BARS = "▁▂▃▄▅▆▇█"
SIGNS = "0123456789"
COLOURS = (31, 32, 33, 34, 35, 36, 91, 92, 94, 95)
"""Of ANSI terminals, one for each label."""


def scatter(
    points: Float[np.ndarray, "codes 2"], labels: Int[np.ndarray, " codes"], *, coloured: bool
) -> list[str]:
    """Return lines in which each place shows the number of the label that most codes there have.

    Of points, `x` goes right and `y` up; the picture has all of them.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    share_N2 = (points - low) / np.maximum(high - low, 1e-9)
    column_N = np.minimum((share_N2[:, 0] * COLUMNS).astype(int), COLUMNS - 1)
    row_N = np.minimum(((1 - share_N2[:, 1]) * ROWS).astype(int), ROWS - 1)
    count_HWL = np.zeros((ROWS, COLUMNS, len(SIGNS)), int)
    np.add.at(count_HWL, (row_N, column_N, labels), 1)
    signs = [_sign(label, coloured) for label in range(len(SIGNS))]
    return [
        "".join(signs[int(places.argmax())] if places.any() else " " for places in row)
        for row in count_HWL
    ]


def legend(names: Sequence[str], *, coloured: bool) -> str:
    """Return which number stands for which label."""
    return "  ".join(f"{_sign(label, coloured)} {name}" for label, name in enumerate(names))


def curve(values: Sequence[float]) -> str:
    """Return a curve of bars, the highest value the longest; at most `COLUMNS` of them."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    step = math.ceil(len(finite) / COLUMNS)
    shown = [float(np.mean(finite[start : start + step])) for start in range(0, len(finite), step)]
    low, high = min(shown), max(shown)
    scale = (len(BARS) - 1) / max(high - low, 1e-9)
    return "".join(BARS[round((value - low) * scale)] for value in shown)


def _sign(label: int, coloured: bool) -> str:
    return f"\x1b[{COLOURS[label]}m{SIGNS[label]}\x1b[0m" if coloured else SIGNS[label]
