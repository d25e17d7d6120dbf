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
    size = picture.size  # that of the file: a large JPEG is decoded smaller
    seen = see(picture, DIGIT_SIDE if is_digit else WORKING_SIDE, reading.box)
    grey = seen.grey
    is_plain = is_digit and strokes.is_plain(np.asarray(grey))
    if is_plain:
        grey = grey.reduce(math.ceil(max(grey.size) / PLAIN_SIDE))
    cut = np.asarray(grey, np.float32) / 255
    pixels = cut**2.0**-reading.brightness if reading.brightness else cut
    steps = _first_steps(picture, size, seen, reading, cut, pixels) if with_steps else []
    for name, transform in steps_for(pixels, dataset, reading, is_plain=is_plain).items():
        pixels, detail = transform(pixels)
        if detail and with_steps:
            steps.append(Step(name, detail, _thumbnail(pixels)))
    return Prepared(np.asarray(pixels, np.float32), steps)


def _first_steps(
    picture: Image.Image,
    size: tuple[int, int],
    seen: Seen,
    reading: Reading,
    cut: GreyImage,
    bright: GreyImage,
) -> list[Step]:
    """Return what was done before the steps of a data set, with what was seen after each.

    Args:
        picture: Opened and decoded.
        size: Its width and height as they are in the file.
        seen: What was seen of it.
        reading: What the client says of it.
        cut: What its box holds.
        bright: The same in the brightness that is asked for.
    """
    shown = _thumbnail(cut)
    whole = shown if reading.box == WHOLE else np.asarray(see(picture, THUMBNAIL_SIDE).grey)
    kind, (width, height) = picture.format, size
    steps = [Step("read", f"A {kind} file of {width} x {height} pixels, seen in grey.", whole)]
    if seen.is_turned:
        steps.append(Step("turned", "The camera was held turned; its note was followed.", whole))
    if seen.sheet:
        steps.append(Step("flattened", f"What is transparent was laid on {seen.sheet}.", whole))
    if reading.box != WHOLE:
        detail = "Only what lies in the box that you drew is looked at."
        steps.append(Step("boxed", detail, shown))
    if reading.brightness:
        detail = f"The brightness was changed by {reading.brightness:+.2f}, as you said."
        steps.append(Step("brightened", detail, _thumbnail(bright)))
    return steps


def _thumbnail(pixels: GreyImage) -> UInt8[np.ndarray, "height width"]:
    levels = np.floor(255 * pixels + 0.5).astype(np.uint8)
    if max(levels.shape) <= THUMBNAIL_SIDE:
        return levels
    image = Image.fromarray(levels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return np.asarray(image)
