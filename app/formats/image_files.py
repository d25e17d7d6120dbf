"""Image files: an upload is read, and brought to what a model was trained on."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import ExifTags, Image, UnidentifiedImageError

from app.formats.image_limits import BoundedFile
from app.formats.overrides import NOTHING_SAID, WHOLE, Box, Overrides
from model.engine import GreyImage, Reading, Transform, steps_for
from model.errors import ImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 25_000_000
WORKING_SIDE, DIGIT_SIDE = 1024, 320
"""Pixels of the longer side that are worked on; a digit shows its stroke on fewer."""
LARGEST_SIDE = 2048
"""Pixels of the longer side of an image of which no more than a box is worked on."""
THUMBNAIL_SIDE = 112

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transposition that undoes each orientation of EXIF 2.3, table 4."""
SIDEWAYS = {TURNS[orientation] for orientation in (5, 6, 7, 8)}
"""Those that exchange width and height."""

# Pillow's own bound is a second one: it also checks frames and tiles while it decodes.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", module="PIL")  # about damaged files: one for each tag
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Step:
    """A step that changed an upload, and the result."""

    name: str
    detail: str
    image: UInt8[np.ndarray, "height width"]


@dataclass(frozen=True)
class Prepared:
    """An image that a model can encode, and the steps that led to it."""

    image: Float32[np.ndarray, "28 28"]
    steps: list[Step]


def prepare(
    content: bytes,
    dataset: str,
    *,
    overrides: Overrides = NOTHING_SAID,
    with_steps: bool = True,
) -> Prepared:
    """Read an image file and bring it to the form of a data set's images.

    An image that has this form already stays as it is. What a client says is done first, the rest
    is guessed. Without `with_steps`, `steps` is empty.

    Raises:
        ImageError: It is no image of an accepted format, too large, damaged or blank.
    """
    side = DIGIT_SIDE if dataset == "mnist" else WORKING_SIDE
    pixels, read = _read(content, side, overrides.box, with_steps)
    pixels, said = _changed(pixels, _said(overrides), with_steps)
    reading = Reading(overrides.is_dark_on_light, overrides.at_in_box)
    pixels, found = _changed(pixels, steps_for(pixels, dataset, reading), with_steps)
    return Prepared(pixels.astype(np.float32), [*read, *said, *found])


def _changed(
    pixels: GreyImage, transforms: Mapping[str, Transform], with_steps: bool
) -> tuple[GreyImage, list[Step]]:
    """Apply transforms in their order; return the result, and a step for each that did anything."""
    steps = []
    for name, transform in transforms.items():
        pixels, detail = transform(pixels)
        if detail and with_steps:
            steps.append(Step(name, detail, _thumbnail(pixels)))
    return pixels, steps


def _said(overrides: Overrides) -> Mapping[str, Transform]:
    """Return the transforms that a client asks for before anything is guessed."""
    name = "brightened" if overrides.brightness > 0 else "darkened"
    return {
        "cut": partial(_cut, box=overrides.box),
        name: partial(_brightened, brightness=overrides.brightness),
    }


def _cut(image: GreyImage, *, box: Box) -> tuple[GreyImage, str | None]:
    if box == WHOLE:
        return image, None
    height, width = image.shape
    left, top, right, bottom = box
    rows = slice(math.floor(top * height), math.ceil(bottom * height))
    columns = slice(math.floor(left * width), math.ceil(right * width))
    detail = (
        f"You said where to look: {100 * left:.0f} to {100 * right:.0f} % of the width, and "
        f"{100 * top:.0f} to {100 * bottom:.0f} % of the height."
    )
    return image[rows, columns], detail


def _brightened(image: GreyImage, *, brightness: float) -> tuple[GreyImage, str | None]:
    if brightness == 0:
        return image, None
    exponent = 2**-brightness
    return image**exponent, f"You set the brightness: each level x became x ^ {exponent:.2f}."


def _read(content: bytes, side: int, box: Box, with_steps: bool) -> tuple[GreyImage, list[Step]]:
    try:
        file = BoundedFile(content)
        image = Image.open(file, formats=FORMATS)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Image.DecompressionBombError
        file.allow_body()
        turned = _turn(image)
        side = _side_of_whole((height, width) if turned in SIDEWAYS else (width, height), side, box)
        image.draft("L", (side, side))  # a JPEG is decoded no larger than is needed
        image.load()
        turn = _turn(image) if image.format == "TIFF" else turned  # Pillow has turned a TIFF itself
        grey, paper = _flat(image, side)
    except UnidentifiedImageError as error:
        raise ImageError(
            f"This is no image file that can be read here. Send {', '.join(FORMATS)}."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"The image has more than the {MAX_PIXELS} pixels that are taken. Send a smaller one."
        ) from error
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # Pillow raises many types for damaged files
        raise ImageError(
            "The image file is damaged and cannot be decoded. Save it again, as PNG for example."
        ) from error
    grey = grey if turn is None else grey.transpose(turn)
    pixels = np.asarray(grey, np.float64) / 255
    if not with_steps:
        return pixels, []
    grey.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    shown = np.asarray(grey)
    detail = f"A {image.format} file of {width} x {height} pixels, seen in grey."
    steps = [Step("read", detail, shown)]
    if turned is not None:
        steps.append(Step("turned", "The camera was held turned; its note was followed.", shown))
    if paper:
        steps.append(Step("flattened", f"What is transparent was laid on {paper}.", shown))
    return pixels, steps


def _side_of_whole(size: tuple[int, int], side: int, box: Box) -> int:
    """Return the longer side of an upright image of which a box is `side` long."""
    (width, height), (left, top, right, bottom) = size, box
    length = max((right - left) * width, (bottom - top) * height)
    return round(min(side * max(size) / length, LARGEST_SIDE))


def _turn(image: Image.Image) -> Image.Transpose | None:
    """Return the transposition that its EXIF orientation asks for, if any."""
    try:
        return TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # an orientation that cannot be read counts as none
        return None


def _flat(image: Image.Image, side: int) -> tuple[Image.Image, str | None]:
    """Return a grey, opaque image, no side above `side`, and the colour put behind it."""
    if image.mode.startswith(("I", "F")):  # more than 8 bits, with a range of their own
        return _levelled(image, side), None
    transparent = image.has_transparency_data
    image = image.convert("RGBA").convert("LA") if transparent else image.convert("L")
    image.thumbnail((side, side))
    if not transparent:
        return image, None
    grey, alpha = image.split()
    weights = np.asarray(alpha, np.float64)
    dark = np.average(np.asarray(grey), weights=weights + 1e-9) < 128  # dark ink needs white paper
    sheet = Image.new("L", image.size, 255 if dark else 0)
    sheet.paste(grey, mask=alpha)
    return sheet, "white" if dark else "black"


def _levelled(image: Image.Image, side: int) -> Image.Image:
    """Stretch the levels to 0..255, after scaling down: a level takes 8 bytes here."""
    image.thumbnail((side, side), reducing_gap=None)  # fails with 16 bits
    levels = np.asarray(image, np.float64)
    if not np.isfinite(levels).all():
        raise ValueError("levels that are not finite")
    levels = levels - levels.min()
    return Image.fromarray((255 * levels / max(levels.max(), 1e-300)).astype(np.uint8))


def _thumbnail(pixels: GreyImage) -> UInt8[np.ndarray, "height width"]:
    levels = np.floor(255 * pixels + 0.5).astype(np.uint8)
    if max(levels.shape) <= THUMBNAIL_SIDE:
        return levels
    image = Image.fromarray(levels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return np.asarray(image)
