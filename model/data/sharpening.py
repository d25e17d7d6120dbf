"""Make the stroke of a digit sharp that was enlarged from few pixels.

Such a stroke ends in slopes as wide as itself, which fill the loops of a digit. A picture is soft
if even its steepest slope is a large share of its size.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageFilter

GreyImage = Float[np.ndarray, "height width"]
"""Grey levels in [0, 1], light on 0."""
Levels = UInt8[np.ndarray, "height width"]

SOFT = 0.07
"""Of the longer side: a steepest slope of this width is that of a picture of 12 pixels or fewer."""
REACH = 1.2
"""Of the width of a slope: the standard deviation of what is around a pixel."""
STROKE_WIDTH = 2.4 / 20
"""Of the longer side of a digit: how wide the strokes of MNIST are on average."""
OUTLINES = np.arange(0.15, 0.8, 0.05)
"""Levels at which the outline of a stroke may be drawn."""
GREY = 0.3
"""How wide a range around that level stays grey."""
SHOWN = 0.2
"""Level from which a pixel counts to the size of a digit."""


def own_pixels(levels: Levels) -> Levels:
    """Return a picture without the pixels that repeat others, as in one enlarged by whole numbers.

    Its rows and columns then change only at multiples of a number.
    """
    times = math.gcd(*levels.shape)
    for lines in (levels, levels.T):
        if times > 1:
            changes = np.flatnonzero((lines[1:] != lines[:-1]).any(axis=1)) + 1
            times = int(np.gcd.reduce(changes, initial=times))
    return levels[::times, ::times]


def is_soft(levels: Levels) -> bool:
    """Return whether a picture was enlarged smoothly from few pixels."""
    return bool(_slope(levels) >= SOFT * max(levels.shape))


def sharpened(image: GreyImage) -> GreyImage:
    """Return a soft stroke with steep slopes, as wide as those of MNIST as far as its levels go.

    What differs from its surroundings is made to differ twice as much, which opens loops; then the
    outline is drawn at the level that gives the right width.
    """
    reach = REACH * _slope(image)
    margin = round(reach)
    padded = np.pad(image, margin)
    around = Image.fromarray(np.asarray(np.floor(255 * padded + 0.5), np.uint8))
    blurred = np.asarray(around.filter(ImageFilter.GaussianBlur(reach))) / 255
    clear = 2 * padded - blurred
    clear = clear[margin:-margin, margin:-margin] / clear.max()
    outlined = (np.clip((clear - level) / GREY + 0.5, 0, 1) for level in OUTLINES)
    return min(outlined, key=lambda drawn: abs(_stroke_width(drawn) - STROKE_WIDTH))


def _slope(image: GreyImage | Levels) -> float:
    """Return over how many pixels the steepest slope goes from the least level to the most."""
    pairs = ((image[1:], image[:-1]), (image[:, 1:], image[:, :-1]))
    steepest = max(
        float((np.maximum(one, other) - np.minimum(one, other)).max(initial=0))
        for one, other in pairs
    )
    return float(np.ptp(image)) / steepest if steepest else 0.0


def _stroke_width(image: GreyImage) -> float:
    """Return how wide a stroke is on average, as a share of the longer side of what is shown.

    That is twice its area by the length of its outline, as for any long band.
    """
    padded = np.pad(image, 1)
    down, across = np.diff(padded, axis=0)[:, 1:], np.diff(padded, axis=1)[1:]
    shown = image > SHOWN
    size = max(np.ptp(np.flatnonzero(shown.any(axis=axis))) + 1 for axis in (0, 1))
    return float(2 * image.sum() / (np.hypot(down, across).sum() * size))
