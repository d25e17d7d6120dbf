"""An uploaded image, made into what the models were trained on: 28 x 28, light on dark.

The way is that of MNIST itself: the stroke fills a 20 x 20 box in its own proportions, and its
centre of mass lies at the centre of 28 x 28. Each step that changed something is told.

Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits".
"""

import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from model.errors import ImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 25_000_000
SIDE = 28
BOX = 20
FAINTEST = 0.1
"""Contrast below which an image counts as blank."""
STROKE = 0.2
"""Level from which a pixel counts as stroke when the picture is cropped."""
WORKING_SIDE = 1024
THUMBNAIL_SIDE = 112

Picture = Float[np.ndarray, "height width"]
"""Grey levels in [0, 1]."""

# Pillow's own guard stands behind ours: it also looks into frames and tiles while it decodes.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Step:
    """What was done to an upload, and how it looked then."""

    name: str
    detail: str
    image: UInt8[np.ndarray, "height width"]


@dataclass(frozen=True)
class Prepared:
    """An image that a model can encode, and how it came to be."""

    image: Float32[np.ndarray, "28 28"]
    steps: list[Step]


def prepare(content: bytes) -> Prepared:
    """Read an image file and bring it to 28 x 28; one of 28 x 28 on dark stays as it is.

    Raises:
        ImageError: It is no image of an accepted format, too large, damaged or blank.
    """
    picture, steps = _read(content)
    for change in _SMALL if picture.shape == (SIDE, SIDE) else _LARGE:
        picture, detail = change(picture)
        if detail:
            steps.append(Step(change.__name__.strip("_"), detail, _thumbnail(picture)))
    return Prepared(picture.astype(np.float32), steps)


def _read(content: bytes) -> tuple[Picture, list[Step]]:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Image.DecompressionBombError
        kind = image.format
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        grey, paper = _flat(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise ImageError(
            f"This is no image file that can be read here. Send {', '.join(FORMATS)}."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"The image has more than the {MAX_PIXELS} pixels that are taken. Send a smaller one."
        ) from error
    except Exception as error:  # what Pillow raises for a damaged file is no closed set
        raise ImageError(
            "The image file is damaged and cannot be decoded. Save it again, as PNG for example."
        ) from error
    picture = np.asarray(grey, np.float64) / 255
    shown = _thumbnail(picture)
    steps = [Step("read", f"A {kind} file of {width} x {height} pixels, seen in grey.", shown)]
    if turned:
        steps.append(Step("turned", "The camera was held turned; its note was followed.", shown))
    if paper:
        steps.append(Step("flattened", f"What is transparent was laid on {paper}.", shown))
    return picture, steps


def _flat(image: Image.Image) -> tuple[Image.Image, str | None]:
    """Make an image grey and opaque, no side above `WORKING_SIDE`; name the paper it lies on."""
    if image.mode.startswith(("I", "F")):  # more than 8 bits: their range is their own
        levels = np.asarray(image, np.float64)
        if not np.isfinite(levels).all():
            raise ValueError("levels that are not finite")
        levels -= levels.min()
        image = Image.fromarray((255 * levels / max(levels.max(), 1e-300)).astype(np.uint8))
    transparent = image.has_transparency_data
    image = image.convert("RGBA").convert("LA") if transparent else image.convert("L")
    image.thumbnail((WORKING_SIDE, WORKING_SIDE))
    if not transparent:
        return image, None
    grey, alpha = image.split()
    weights = np.asarray(alpha, np.float64)
    dark = np.average(np.asarray(grey), weights=weights + 1e-9) < 128  # ink wants white paper
    sheet = Image.new("L", image.size, 255 if dark else 0)
    sheet.paste(grey, mask=alpha)
    return sheet, "white" if dark else "black"


def _inverted(picture: Picture) -> tuple[Picture, str | None]:
    background, _ = _background(picture)
    darker, lighter = background - picture.min(), picture.max() - background
    if max(darker, lighter) < FAINTEST:
        raise ImageError(
            f"The image is blank: its contrast is {max(darker, lighter):.2f} of 1, and a stroke "
            f"needs {FAINTEST}. Send one with a visible stroke."
        )
    if lighter >= darker:
        return picture, None
    return (
        1 - picture,
        f"The background is light ({background:.2f}), so light and dark changed places.",
    )


def _kept(picture: Picture) -> tuple[Picture, str | None]:
    return picture, f"It has {SIDE} x {SIDE} pixels already, so nothing was moved."


def _levelled(picture: Picture) -> tuple[Picture, str | None]:
    background, noise = _background(picture)
    low, high = min(background + 3 * noise, picture.max() - FAINTEST), picture.max()
    levelled = np.clip((picture - low) / (high - low), 0, 1)
    if low < 0.01 and high > 0.99:
        return levelled, None
    return (
        levelled,
        f"Background up to {low:.2f} became 0, and the strongest stroke, {high:.2f}, 1.",
    )


def _cropped(picture: Picture) -> tuple[Picture, str | None]:
    stroke = picture > STROKE
    rows, columns = np.flatnonzero(stroke.any(axis=1)), np.flatnonzero(stroke.any(axis=0))
    cropped = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if cropped.shape == picture.shape:
        return picture, None
    height, width = cropped.shape
    return cropped, f"The stroke fills {width} x {height} pixels; the rest was cut off."


def _fitted(picture: Picture) -> tuple[Picture, str | None]:
    scale = BOX / max(picture.shape)
    height, width = (max(1, round(scale * side)) for side in picture.shape)
    image = Image.fromarray(picture.astype(np.float32))
    fitted = np.asarray(image.resize((width, height)), np.float64).clip(0, 1)
    return fitted / fitted.max(), f"Scaled to {width} x {height}, to fill a box of {BOX} x {BOX}."


def _centred(picture: Picture) -> tuple[Picture, str | None]:
    # MNIST's own centres lie in [13.5, 14.5), measured over its 10,000 test images.
    middle = SIDE / 2 - 0.5
    corner = [
        min(max(math.ceil(middle - np.average(np.arange(side), weights=mass)), 0), SIDE - side)
        for side, mass in zip(
            picture.shape, (picture.sum(axis=1), picture.sum(axis=0)), strict=True
        )
    ]
    (top, left), (height, width) = corner, picture.shape
    centred = np.zeros((SIDE, SIDE))
    centred[top : top + height, left : left + width] = picture
    grey_levels = np.floor(255 * centred + 0.5)
    return grey_levels / 255, f"The centre of mass was put at the centre of {SIDE} x {SIDE}."


Change = Callable[[Picture], tuple[Picture, str | None]]
"""A step: what the picture becomes, and what to tell of it, if it did anything."""
_SMALL: tuple[Change, ...] = (_inverted, _kept)
_LARGE: tuple[Change, ...] = (_inverted, _levelled, _cropped, _fitted, _centred)


def _background(picture: Picture) -> tuple[float, float]:
    """Guess the level of the background and its noise, as median and deviation of the border."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    median = float(np.median(border))
    return median, 1.4826 * float(np.median(np.abs(border - median)))


def _thumbnail(picture: Picture) -> UInt8[np.ndarray, "height width"]:
    image = Image.fromarray(np.floor(255 * picture + 0.5).astype(np.uint8))
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return np.asarray(image)
