"""Picture files as they are seen: upright, opaque, in grey or in colour, within bounds."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from model.errors import ImageError

MAX_PIXELS = 25_000_000

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in shares of the width and the height of an upright picture."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

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

# Pillow's own bound is a second one: it also checks frames and tiles while it decodes.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", module="PIL")  # about damaged files: one for each tag
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Seen:
    """What is seen of a picture, and what was done to see it."""

    image: Image.Image
    """Of mode L, or in colour of mode RGB."""
    format: str | None
    """Of the file, as Pillow names it."""
    size: tuple[int, int]
    """Width and height as they are in the file."""
    is_turned: bool
    """Whether the camera was held turned."""
    sheet: str | None
    """The colour that was put behind a transparent picture."""


def open_picture(file: BinaryIO | Path, formats: tuple[str, ...] | None = None) -> Image.Image:
    """Open a picture file of some formats, or of any that Pillow reads; its pixels come later.

    Raises:
        ImageError: It is none, too large or damaged.
    """
    try:
        with _told():
            image = Image.open(file, formats=formats)
    except UnidentifiedImageError as error:
        remedy = f" Send {', '.join(formats)}." if formats else ""
        raise ImageError(f"This is no image file that can be read here.{remedy}") from error
    if image.width * image.height > MAX_PIXELS:
        raise _too_large()
    return image


def see(image: Image.Image, side: int, box: Box = WHOLE, *, mode: str = "L") -> Seen:
    """Decode what a box holds of an opened picture, no side longer than `side`.

    `mode` is L for grey or RGB for colour.

    Raises:
        ImageError: It is too large or damaged.
    """
    with _told():
        turn, size = _turn(image), image.size
        left, top, right, bottom = box
        longest = math.ceil(side / min(right - left, bottom - top))
        image.draft(mode, (longest, longest))  # a JPEG is decoded no larger than is needed
        image.load()
        left_to_do = _turn(image) if image.format == "TIFF" else turn  # Pillow turns a TIFF itself
        shown, sheet = _flat(image, left_to_do, box, side, mode)
    return Seen(shown, image.format, size, turn is not None, sheet)


@contextmanager
def _told() -> Iterator[None]:
    """Tell in words what Pillow raises; it raises many types for damaged files."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except (ImageError, MemoryError, UnidentifiedImageError):
        raise
    except Exception as error:
        raise ImageError(
            "The image file is damaged and cannot be decoded. Save it again, as PNG for example."
        ) from error


def _too_large() -> ImageError:
    return ImageError(
        f"The image has more than the {MAX_PIXELS} pixels that are taken. Make it smaller."
    )


def _turn(image: Image.Image) -> Image.Transpose | None:
    """Return the transposition that its EXIF orientation asks for, if any."""
    try:
        return TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # an orientation that cannot be read counts as none
        return None


def _flat(
    image: Image.Image, turn: Image.Transpose | None, box: Box, side: int, mode: str
) -> tuple[Image.Image, str | None]:
    """Return what a box holds as an opaque image, and the colour put behind it."""
    if image.mode.startswith(("I", "F")):  # more than 8 bits, with a range of their own
        return _stretched(_cut(image, turn, box), side).convert(mode), None
    transparent = image.has_transparency_data
    image = image.convert("RGBA").convert(f"{mode}A") if transparent else image.convert(mode)
    image = _cut(image, turn, box)
    image.thumbnail((side, side), reducing_gap=1.0)
    if not transparent:
        return image, None
    shown, alpha = image.convert(mode), image.getchannel("A")
    grey, weights = np.asarray(image.convert("L")), np.asarray(alpha, np.float64)
    dark = np.average(grey, weights=weights + 1e-9) < 128  # dark ink needs white paper
    colour = "white" if dark else "black"
    sheet = Image.new(mode, image.size, colour)
    sheet.paste(shown, mask=alpha)
    return sheet, colour


def _cut(image: Image.Image, turn: Image.Transpose | None, box: Box) -> Image.Image:
    """Turn an image upright and return what a box holds, at least a pixel."""
    if turn is not None:
        image = image.transpose(turn)
    if box == WHOLE:
        return image
    left, top = math.floor(box[0] * image.width), math.floor(box[1] * image.height)
    left, top = min(left, image.width - 1), min(top, image.height - 1)
    right, bottom = math.ceil(box[2] * image.width), math.ceil(box[3] * image.height)
    return image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))


def _stretched(image: Image.Image, side: int) -> Image.Image:
    """Stretch the levels to 0..255, after scaling down: a level takes 8 bytes here."""
    image.thumbnail((side, side), reducing_gap=None)  # fails with 16 bits
    levels = np.asarray(image, np.float64)
    if not np.isfinite(levels).all():
        raise ValueError("levels that are not finite")
    levels = levels - levels.min()
    return Image.fromarray((255 * levels / max(levels.max(), 1e-300)).astype(np.uint8))
