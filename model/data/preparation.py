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
from model.data.steps import DIGITS, GreyImage, Reading, steps_for

DIGIT_SIDE, PLAIN_SIDE, WORKING_SIDE = 320, 160, 1024
"""Pixels of the longer side that are worked on: of a photograph of a digit, of one that is drawn on
a plain ground, which shows its stroke on fewer, and of everything else."""
THUMBNAIL_SIDE = 112

AS_SEEN = Reading()


@dataclass(frozen=True)
class Step:
    """A step that changed a picture, and the result."""

    name: str
    detail: str
    image: UInt8[np.ndarray, "height width"]


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
    grey = seen.grey
    is_plain = is_digit and strokes.is_plain(np.asarray(grey))
    if is_plain:
        grey = grey.reduce(math.ceil(max(grey.size) / PLAIN_SIDE))
    pixels = np.asarray(grey, np.float32) / 255
    if reading.brightness:
        pixels = pixels**2.0**-reading.brightness
    steps = _first_steps(picture, seen, reading, pixels) if with_steps else []
    for name, transform in steps_for(pixels, dataset, reading, is_plain=is_plain).items():
        pixels, detail = transform(pixels)
        if detail and with_steps:
            steps.append(Step(name, detail, _thumbnail(pixels)))
    return Prepared(np.asarray(pixels, np.float32), steps)


def _first_steps(
    picture: Image.Image, seen: Seen, reading: Reading, pixels: GreyImage
) -> list[Step]:
    """Return what was done before the steps of a data set."""
    width, height = picture.size
    did = {"read": f"A {picture.format} file of {width} x {height} pixels, seen in grey."}
    if seen.is_turned:
        did["turned"] = "The camera was held turned; its note was followed."
    if seen.sheet:
        did["flattened"] = f"What is transparent was laid on {seen.sheet}."
    if reading.box != WHOLE:
        did["boxed"] = "Only what lies in the box that you drew is looked at."
    if reading.brightness:
        did["brightened"] = f"The brightness was changed by {reading.brightness:+.2f}, as you said."
    shown = _thumbnail(pixels)
    return [Step(name, detail, shown) for name, detail in did.items()]


def _thumbnail(pixels: GreyImage) -> UInt8[np.ndarray, "height width"]:
    levels = np.floor(255 * pixels + 0.5).astype(np.uint8)
    if max(levels.shape) <= THUMBNAIL_SIDE:
        return levels
    image = Image.fromarray(levels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return np.asarray(image)
