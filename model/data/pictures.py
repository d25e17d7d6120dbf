"""Read an image file as an image of a data set: 28 x 28, light on dark.

A file of 28 x 28 pixels keeps them. Any other is cut to what it shows, which is then scaled to fill
28 x 28 in its own proportions, centred, as in Fashion-MNIST and in the server's uploads.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from model.data.datasets import IMAGE_SIDE
from model.errors import DataError

FAINT = 26
"""Contrast in grey levels below which an image counts as blank."""
SHOWN = 13
"""Grey level from which a pixel counts as ink; 5 % of the range counts as background."""


def read_picture(path: Path) -> UInt8[np.ndarray, "28 28"]:
    """Read an image file of any format that Pillow knows.

    Raises:
        DataError: The file is not an image, has too many pixels, or is blank.
    """
    try:
        with Image.open(path) as file:
            grey = _flat(ImageOps.exif_transpose(file))
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} has too many pixels to read. Make it smaller.") from error
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them raise
        raise DataError(
            f"{path} is no image that can be read. Take it away, or mend it."
        ) from error
    levels = np.asarray(grey)
    if int(levels.max()) - int(levels.min()) < FAINT:
        raise DataError(f"{path} shows nothing: all of it is of one grey. Take it away.")
    edge = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    if np.median(edge) > 127:
        levels = 255 - levels
    return levels if levels.shape == (IMAGE_SIDE, IMAGE_SIDE) else _fitted(levels)


def _flat(image: Image.Image) -> Image.Image:
    """Make an image grey and opaque, with dark ink on white and light ink on black."""
    if not image.has_transparency_data:
        return image.convert("L")
    grey, alpha = image.convert("RGBA").convert("LA").split()
    weights = np.asarray(alpha, np.float64) + 1e-9
    dark = np.average(np.asarray(grey), weights=weights) < 128
    sheet = Image.new("L", image.size, 255 if dark else 0)
    sheet.paste(grey, mask=alpha)
    return sheet


def _fitted(levels: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "28 28"]:
    shown = levels >= SHOWN
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    cut = Image.fromarray(levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = IMAGE_SIDE / max(cut.size)
    width, height = (max(1, round(scale * side)) for side in cut.size)
    sheet = Image.new("L", (IMAGE_SIDE, IMAGE_SIDE))
    left, top = (IMAGE_SIDE - width) // 2, (IMAGE_SIDE - height) // 2
    sheet.paste(cut.resize((width, height)), (left, top))
    return np.asarray(sheet)
