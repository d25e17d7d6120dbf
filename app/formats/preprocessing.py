"""The steps by which a picture becomes like a data set's images: 28 x 28, light on dark.

A digit goes MNIST's own way: the stroke fills a box of 20 x 20 in its own proportions, and its
centre of mass lies at the centre of 28 x 28. Anything else goes the way of Fashion-MNIST: the whole
thing fills 28 x 28 in its own proportions, lies in the middle, and keeps its greys.

Sources: LeCun, Cortes & Burges, "The MNIST database of handwritten digits"; Xiao, Rasul & Vollgraf
2017, arXiv:1708.07747, section 2.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from jaxtyping import Float
from PIL import Image

from model.errors import ImageError

SIDE = 28
BOX = 20
"""Pixels that the longer side of a digit fills."""
FAINTEST = 0.1
"""Contrast below which an image counts as blank."""
STROKE = 0.2
"""Level from which a pixel counts as stroke when a digit is cropped."""
CLOTH = 0.05
"""The same for all else: Fashion-MNIST cut off what was within 5 % of the background."""

Picture = Float[np.ndarray, "height width"]
"""Grey levels in [0, 1]."""
Change = Callable[[Picture], tuple[Picture, str | None]]
"""A step: what the picture becomes, and what to tell of it, if it did anything."""


def changes_for(picture: Picture, dataset: str) -> Mapping[str, Change]:
    """Give the steps, by name and in order, that bring a picture to a data set's form."""
    if picture.shape == (SIDE, SIDE):
        return _SMALL
    return _DIGIT if dataset == "mnist" else _THING


def _inverted(picture: Picture) -> tuple[Picture, str | None]:
    background, _ = _background(picture)
    darker, lighter = background - picture.min(), picture.max() - background
    if max(darker, lighter) < FAINTEST:
        raise ImageError(
            f"The image is blank: its contrast is {max(darker, lighter):.2f} of 1, and {FAINTEST} "
            "is needed. Send one that shows something."
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
    low, high = _noise_level(picture), picture.max()
    levelled = np.clip((picture - low) / (high - low), 0, 1)
    if low < 0.01 and high > 0.99:
        return levelled, None
    return (
        levelled,
        f"Background up to {low:.2f} became 0, and the strongest stroke, {high:.2f}, 1.",
    )


def _cleared(picture: Picture) -> tuple[Picture, str | None]:
    low = _noise_level(picture)
    if low < 0.01:
        return picture, None
    return np.clip((picture - low) / (1 - low), 0, 1), f"Background up to {low:.2f} became 0."


def _cropped(picture: Picture, *, above: float, what: str) -> tuple[Picture, str | None]:
    shown = picture > above
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    cropped = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if cropped.shape == picture.shape:
        return picture, None
    height, width = cropped.shape
    return cropped, f"{what} fills {width} x {height} pixels; the rest was cut off."


def _fitted(picture: Picture, *, box: int) -> tuple[Picture, str | None]:
    scale = box / max(picture.shape)
    height, width = (max(1, round(scale * side)) for side in picture.shape)
    image = Image.fromarray(picture.astype(np.float32))
    fitted = np.asarray(image.resize((width, height)), np.float64).clip(0, 1)
    return fitted, f"Scaled to {width} x {height}, to fill a box of {box} x {box}."


def _fitted_digit(picture: Picture) -> tuple[Picture, str | None]:
    fitted, detail = _fitted(picture, box=BOX)
    return fitted / fitted.max(), detail  # a thin stroke pales when it is made small


def _centred(picture: Picture) -> tuple[Picture, str | None]:
    # MNIST's own centres lie in [13.5, 14.5), measured over its 10,000 test images.
    middle = SIDE / 2 - 0.5
    top, left = [
        min(max(math.ceil(middle - (np.arange(side) * mass).sum() / mass.sum()), 0), SIDE - side)
        for side, mass in zip(
            picture.shape, (picture.sum(axis=1), picture.sum(axis=0)), strict=True
        )
    ]
    detail = f"The centre of mass was put at the centre of {SIDE} x {SIDE}."
    return _laid(picture, top, left), detail


def _placed(picture: Picture) -> tuple[Picture, str | None]:
    top, left = ((SIDE - side) // 2 for side in picture.shape)
    return _laid(picture, top, left), f"Laid in the middle of {SIDE} x {SIDE}."


_SMALL: Mapping[str, Change] = {"inverted": _inverted, "kept": _kept}
_DIGIT: Mapping[str, Change] = {
    "inverted": _inverted,
    "levelled": _levelled,
    "cropped": partial(_cropped, above=STROKE, what="The stroke"),
    "fitted": _fitted_digit,
    "centred": _centred,
}
_THING: Mapping[str, Change] = {
    "inverted": _inverted,
    "cleared": _cleared,
    "cropped": partial(_cropped, above=CLOTH, what="What is shown"),
    "fitted": partial(_fitted, box=SIDE),
    "placed": _placed,
}


def _laid(picture: Picture, top: int, left: int) -> Picture:
    """Put a picture on an empty sheet of 28 x 28, in whole grey levels."""
    height, width = picture.shape
    sheet = np.zeros((SIDE, SIDE))
    sheet[top : top + height, left : left + width] = picture
    return np.asarray(np.floor(255 * sheet + 0.5) / 255)


def _noise_level(picture: Picture) -> float:
    """Give the level up to which a picture is background, leaving some contrast above it."""
    background, noise = _background(picture)
    return float(min(background + 3 * noise, picture.max() - FAINTEST))


def _background(picture: Picture) -> tuple[float, float]:
    """Guess the level of the background and its noise, as median and deviation of the border."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    median = _median(border)
    return median, 1.4826 * _median(np.abs(border - median))


def _median(values: Float[np.ndarray, " count"]) -> float:
    """What `numpy.median` gives of a few hundred numbers, in a fifth of the time."""
    ordered = np.sort(values)
    half = len(ordered) // 2
    return float((ordered[half] + ordered[~half]) / 2)
