"""Bring a picture to the form of a data set's images, for uploads and folders of pictures alike.

A picture is seen upright and small enough to work on quickly. A digit or a thing is seen in grey
and goes through the steps of the data set. A photograph keeps its colours: it is cropped to the
proportions of the data set's images, or laid on the colour of its border where that would cut off
much of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from model.data import strokes
from model.data.datasets import Form
from model.data.pictures import WHOLE, Seen, see
from model.data.sharpening import is_soft, own_pixels
from model.data.steps import FAINTEST, Ground, Reading, blank, steps_for
from model.errors import ImageError
from model.image_shape import ImageShape

DIGIT_SIDE, PLAIN_SIDE, WORKING_SIDE = 320, 160, 1024
"""Pixels of the longer side that are worked on: of a photograph of a digit, of one that is drawn on
a plain ground, which shows its stroke on fewer, and of everything else."""
THUMBNAIL_SIDE = 112
LEAST_KEPT = 2 / 3
"""Share of a photograph that must be left of it where it is cropped."""

AS_SEEN = Reading()
Levels = UInt8[np.ndarray, "height width ..."]
Pixels = Float[np.ndarray, "height width ..."]


@dataclass(frozen=True)
class Step:
    """A step that changed a picture, and the result."""

    name: str
    detail: str
    image: Levels


@dataclass(frozen=True)
class Prepared:
    """An image that a model can encode, and the steps that led to it."""

    image: Float32[np.ndarray, "height width ..."]
    steps: list[Step]


def prepare(
    picture: Image.Image, form: Form, reading: Reading = AS_SEEN, *, with_steps: bool = True
) -> Prepared:
    """Bring an opened picture to the form of a data set's images.

    One that has this form already stays as it is. Without `with_steps`, `steps` is empty.

    Raises:
        ImageError: It is too large, damaged or blank; or the reading is none for photographs.
    """
    if form.preprocessing == "photo":
        return _photograph(picture, form.image, reading, with_steps=with_steps)
    is_digit = form.preprocessing == "digit"
    seen = see(picture, DIGIT_SIDE if is_digit else WORKING_SIDE, reading.box)
    levels, ground = np.asarray(seen.image), Ground.LIT
    if is_digit:
        levels, ground = _at_working_size(levels)
    cut = levels / np.float32(255)
    pixels = cut**2.0**-reading.brightness if reading.brightness else cut
    steps = []
    if with_steps:
        is_whole = reading.box == WHOLE
        whole = _thumbnail(cut) if is_whole else np.asarray(see(picture, THUMBNAIL_SIDE).image)
        steps += _steps_of_file(seen, whole)
        steps += _steps_of_reading(reading, cut, pixels)
    for name, transform in steps_for(pixels, form, reading, ground).items():
        pixels, detail = transform(pixels)
        if detail and with_steps:
            steps.append(Step(name, detail, _thumbnail(pixels)))
    return Prepared(np.asarray(pixels, np.float32), steps)


def _photograph(
    picture: Image.Image, shape: ImageShape, reading: Reading, *, with_steps: bool
) -> Prepared:
    """Bring a photograph to a shape, as `prepare` does."""
    if reading.at is not None or reading.is_dark_on_light is not None:
        raise ImageError(
            "A photograph is taken as it is: `at` and `polarity` are for digits and things. Leave "
            "them out, and send `box` to choose a part."
        )
    mode = "RGB" if shape.is_colour else "L"
    seen = see(picture, WORKING_SIDE, reading.box, mode=mode)
    cut = np.asarray(seen.image) / np.float32(255)
    contrast = float(np.ptp(cut, axis=(0, 1)).max())
    if contrast < FAINTEST:
        raise blank(contrast)
    pixels = cut**2.0**-reading.brightness if reading.brightness else cut
    steps = []
    if with_steps:
        whole = see(picture, THUMBNAIL_SIDE, mode=mode).image
        steps += _steps_of_file(seen, np.asarray(whole))
        steps += _steps_of_reading(reading, cut, pixels)
    shown = Image.fromarray(_levels(pixels))
    if shown.size == (shape.width, shape.height):
        fitted, name, detail = shown, "kept", "It has the size of the data set's images already."
    else:
        fitted, name, detail = _proportioned(shown, shape)
    pixels = np.asarray(fitted) / np.float32(255)
    if with_steps:
        steps.append(Step(name, detail, _thumbnail(pixels)))
    return Prepared(pixels, steps)


def _proportioned(image: Image.Image, shape: ImageShape) -> tuple[Image.Image, str, str]:
    """Crop or pad an image to a shape; return it with the name of the step and what it did."""
    across, down = shape.width / image.width, shape.height / image.height
    kept = min(across, down) / max(across, down)
    if kept >= LEAST_KEPT:
        width, height = shape.width / max(across, down), shape.height / max(across, down)
        left, top = (image.width - width) / 2, (image.height - height) / 2
        box = (left, top, left + width, top + height)
        cropped = image.resize((shape.width, shape.height), box=box)
        detail = f"Scaled to {shape.width} x {shape.height}; {kept:.0%} of it, the middle, is left."
        return cropped, "cropped", detail
    width, height = (max(1, round(min(across, down) * side)) for side in image.size)
    border = np.asarray(image)
    edges = np.concatenate([border[0], border[-1], border[:, 0], border[:, -1]])
    ground = np.median(edges, axis=0).astype(np.uint8)
    sheet = Image.fromarray(np.broadcast_to(ground, shape.axes).copy())
    place = ((shape.width - width) // 2, (shape.height - height) // 2)
    sheet.paste(image.resize((width, height)), place)
    detail = f"Scaled to {width} x {height}, and laid in the middle on the colour of its border."
    return sheet, "padded", detail


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
    how = "in grey" if seen.image.mode == "L" else "in colour"
    steps = [Step("read", f"A {seen.format} file of {width} x {height} pixels, seen {how}.", whole)]
    if seen.is_turned:
        steps.append(Step("turned", "The camera was held turned; its note was followed.", whole))
    if seen.sheet:
        steps.append(Step("flattened", f"What is transparent was laid on {seen.sheet}.", whole))
    return steps


def _steps_of_reading(reading: Reading, cut: Pixels, bright: Pixels) -> list[Step]:
    """Return what a client asked for: what the box holds, and that in another brightness."""
    steps = []
    if reading.box != WHOLE:
        detail = "Only what lies in the box that you drew is looked at."
        steps.append(Step("boxed", detail, _thumbnail(cut)))
    if reading.brightness:
        detail = f"The brightness was changed by {reading.brightness:+.2f}, as you said."
        steps.append(Step("brightened", detail, _thumbnail(bright)))
    return steps


def _levels(pixels: Pixels) -> Levels:
    return np.floor(255 * pixels + 0.5).astype(np.uint8)


def _thumbnail(pixels: Pixels) -> Levels:
    levels = _levels(pixels)
    if max(levels.shape) <= THUMBNAIL_SIDE:
        return levels
    image = Image.fromarray(levels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return np.asarray(image)
