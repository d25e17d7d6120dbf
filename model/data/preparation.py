"""Bring a picture to the form of a data set's images, for uploads and folders of pictures alike.

A picture is seen in grey, upright and small enough to work on quickly, and then goes through the
steps of the data set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from model.data import strokes
from model.data.pictures import WHOLE, Seen, see
from model.data.sharpening import is_soft, own_pixels
from model.data.steps import DIGITS, GreyImage, Ground, Reading, steps_for

DIGIT_SIDE, PLAIN_SIDE, WORKING_SIDE = 320, 160, 1024
"""Pixels of the longer side that are worked on: of a photograph of a digit, of one that is drawn on
a plain ground, which shows its stroke on fewer, and of everything else."""
THUMBNAIL_SIDE = 112

AS_SEEN = Reading()
Levels = UInt8[np.ndarray, "height width"]


@dataclass(frozen=True)
class Step:
    """A step that changed a picture, and the result."""

    name: str
    detail: str
    image: Levels


@dataclass(frozen=True)
class Prepared:
    """An image that a model can encode, and the steps that led to it."""

    image: Float32[np.ndarray, "28 28"]
    steps: list[Step]


def prepare(
    picture: Image.Image, dataset: str, reading: Reading = AS_SEEN, *, with_steps: bool = True
) -> Prepared:
    """Bring an opened picture to the form of a data set's images.

    One that has this form already stays as it is. Without `with_steps`, `steps` is empty.

    Raises:
        ImageError: It is too large, damaged or blank.
    """
    is_digit = dataset == DIGITS
    seen = see(picture, DIGIT_SIDE if is_digit else WORKING_SIDE, reading.box)
    levels, ground = np.asarray(seen.grey), Ground.LIT
    if is_digit:
        levels, ground = _at_working_size(levels)
    cut = levels / np.float32(255)
    pixels = cut**2.0**-reading.brightness if reading.brightness else cut
    steps = []
    if with_steps:
        is_whole = reading.box == WHOLE
        whole = _thumbnail(cut) if is_whole else np.asarray(see(picture, THUMBNAIL_SIDE).grey)
        steps += _steps_of_file(seen, whole)
        steps += _steps_of_reading(reading, cut, pixels)
    for name, transform in steps_for(pixels, dataset, reading, ground).items():
        pixels, detail = transform(pixels)
        if detail and with_steps:
            steps.append(Step(name, detail, _thumbnail(pixels)))
    return Prepared(np.asarray(pixels, np.float32), steps)


def _at_working_size(levels: Levels) -> tuple[Levels, Ground]:
    """Return a digit at the size at which it is looked for, and what its ground is.

    Few pixels of its own say nothing of the light on a picture.
    """
    levels = own_pixels(levels)
    grey = Image.fromarray(levels)
    longest = max(grey.size)
    reduced = np.asarray(grey.reduce(math.ceil(longest / PLAIN_SIDE)))
    if is_soft(reduced):
        width, height = (max(1, round(side * PLAIN_SIDE / longest)) for side in grey.size)
        return np.asarray(grey.resize((width, height))), Ground.SOFT
    if strokes.is_plain(levels):
        return reduced, Ground.PLAIN
    return levels, Ground.LIT


def _steps_of_file(seen: Seen, whole: Levels) -> list[Step]:
    """Return what was done to see a picture, each time with the whole of it."""
    width, height = seen.size
    steps = [
        Step("read", f"A {seen.format} file of {width} x {height} pixels, seen in grey.", whole)
    ]
    if seen.is_turned:
        steps.append(Step("turned", "The camera was held turned; its note was followed.", whole))
    if seen.sheet:
        steps.append(Step("flattened", f"What is transparent was laid on {seen.sheet}.", whole))
    return steps


def _steps_of_reading(reading: Reading, cut: GreyImage, bright: GreyImage) -> list[Step]:
    """Return what a client asked for: what the box holds, and that in another brightness."""
    steps = []
    if reading.box != WHOLE:
        detail = "Only what lies in the box that you drew is looked at."
        steps.append(Step("boxed", detail, _thumbnail(cut)))
    if reading.brightness:
        detail = f"The brightness was changed by {reading.brightness:+.2f}, as you said."
        steps.append(Step("brightened", detail, _thumbnail(bright)))
    return steps


def _thumbnail(pixels: GreyImage) -> Levels:
    levels = np.floor(255 * pixels + 0.5).astype(np.uint8)
    if max(levels.shape) <= THUMBNAIL_SIDE:
        return levels
    image = Image.fromarray(levels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return np.asarray(image)
