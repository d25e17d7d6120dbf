"""A picture of a table: a bar a row, and a mark where it was asked to reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from model.evaluation.figures import INK, PAPER

PALE, ACCENT, FALLS_SHORT = "#bbbbbb", "#1b6ca8", "#b8860b"

Bar = tuple[str, float, float]
"""What it is called, what it is, and what is asked, which may be nothing: not a number."""


def bars(path: Path, unit: str, rows: Sequence[Bar], *, most: bool = False) -> None:
    """Write a PNG file of horizontal bars.

    Args:
        path: Of the file.
        unit: Under the axis: what the values are.
        rows: From top to bottom.
        most: Whether what is asked is the most that a value may be, and not the least.
    """
    figure = Figure(figsize=(7, 0.9 + 0.3 * len(rows)), facecolor=PAPER, layout="constrained")
    ax = figure.subplots()
    for place, (_, value, asked) in enumerate(rows):
        falls_short = value > asked if most else value < asked
        ax.barh(place, value, height=0.62, color=FALLS_SHORT if falls_short else ACCENT)
        beyond = asked if value < asked < 1.3 * value else value  # or the mark lies on the number
        ax.annotate(f" {value:.3g}", (beyond, place), va="center", fontsize=8, color=INK)
        if not math.isnan(asked):
            ax.plot([asked, asked], [place - 0.42, place + 0.42], color=INK, linewidth=1.5)
    ax.set_yticks(range(len(rows)), [label for label, *_ in rows], fontsize=8, color=INK)
    ax.invert_yaxis()
    ax.set_xlabel(f"{unit}; the mark is what is asked", fontsize=8, color=INK)
    ax.tick_params(colors=INK, labelsize=8)
    ax.margins(x=0.1)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(PALE)
    figure.savefig(path, dpi=110, facecolor=PAPER, metadata={"Software": None})
