"""The steps that bring an image to the form of a data set's grey images: light on dark.

A digit is prepared as MNIST was: its stroke is found, whatever lies around it, and scaled to a box
of 20 x 20 in its own proportions, and its centre of mass is put at the centre of the image. A thing
is prepared as Fashion-MNIST was: it is scaled to the size of the images in its own proportions,
centred, and keeps its grey levels. An image that has the form already is kept.

Sources: LeCun, Cortes & Burges, "The MNIST database of handwritten digits"; Xiao, Rasul & Vollgraf
2017, arXiv:1708.07747, section 2.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np
from jaxtyping import Float
from PIL import Image

from model.data import strokes
from model.data.datasets import Form
from model.data.pictures import WHOLE, Box
from model.data.sharpening import sharpened
from model.errors import ImageError
from model.image_shape import MNIST_SHAPE, ImageShape

BOX = 20
"""Pixels of the longer side of a digit."""
FAINTEST = 0.1
"""Contrast below which an image counts as blank."""
STROKE = 0.2
"""Level from which a pixel counts as stroke when a digit is cropped."""
INK = 0.3
"""Level from which a pixel joins others to a piece of ink, when the digit is looked for."""
FAINT, FULL = 0.3, 0.9
"""Of the strongest stroke: levels of a large drawing that become 0 and 1."""
GROUND = 0.02
"""Level up to which the border of an image may be that of an MNIST image."""
CLOTH = 0.05
"""The same for everything else: Fashion-MNIST cut off what was within 5 % of the background."""

GreyImage = Float[np.ndarray, "height width"]
"""Grey levels in [0, 1]."""
Transform = Callable[[GreyImage], tuple[GreyImage, str | None]]
"""A step: returns the new image, and a sentence for the client if the step did anything."""


@dataclass(frozen=True)
class Reading:
    """What a user says of a picture, where the steps would have to guess.

    Places are shares of the width and the height of the upright picture.
    """

    box: Box = WHOLE
    """What of the picture is looked at."""
    at: tuple[float, float] | None = None
    """A place on the shape that is meant; None: the largest is."""
    is_dark_on_light: bool | None = None
    """Whether what is shown is darker than the ground; None: it is guessed."""
    brightness: float = 0.0
    """Each level x becomes x ** (2 ** -brightness)."""

    @property
    def at_in_box(self) -> tuple[float, float] | None:
        """The place in shares of the box."""
        if self.at is None:
            return None
        left, top, right, bottom = self.box
        return (self.at[0] - left) / (right - left), (self.at[1] - top) / (bottom - top)


class Ground(Enum):
    """What a digit is on."""

    PLAIN = "plain"
    """A ground of one level, as of a drawing."""
    SOFT = "soft"
    """The same, and the picture was enlarged from few pixels."""
    LIT = "lit"
    """Paper, on which light falls."""


def steps_for(
    image: GreyImage, form: Form, reading: Reading, ground: Ground
) -> Mapping[str, Transform]:
    """Return the steps, by name and in order, that bring an image to the form of digits or things.

    `ground` matters for digits alone.
    """
    is_digit = form.preprocessing == "digit"
    inverted = partial(partial, _inverted, said=reading.is_dark_on_light)
    is_small = image.shape == form.image.axes and reading.at is None
    if is_small and not (is_digit and _is_unlike_mnist(image)):
        return {"inverted": inverted(guess=_has_dark_extreme), "kept": _kept}
    at = reading.at_in_box
    if not is_digit:
        return {
            "inverted": inverted(guess=_has_dark_extreme),
            "cleared": _cleared,
            "alone": partial(_pointed_at, at=at),
            "cropped": partial(_cropped, above=CLOTH, what="What is shown"),
            "fitted": partial(_fitted, box=form.image.axes),
            "placed": partial(_placed, form.image),
        }
    is_plain = ground is not Ground.LIT
    return {
        "inverted": inverted(guess=_has_dark_area if is_plain else _has_dark_ink),
        "levelled": _levelled if is_plain else _evened,
        **({"sharpened": partial(_sharpened, is_soft=ground is Ground.SOFT)} if is_plain else {}),
        "alone": partial(_alone, at=at, is_plain=is_plain),
        "cropped": partial(_cropped, above=STROKE, what="The stroke"),
        "fitted": _fitted_digit,
        "centred": _centred,
    }


def _is_unlike_mnist(image: GreyImage) -> bool:
    """Return whether neither an image nor its negative has the form of MNIST's images.

    In all 10,000 test images the border is 0 for the most part, the stroke above `STROKE` is 17 to
    20 pixels long, and the centre of mass lies in [13.5, 14.5).
    """
    ground, _ = _background(image)
    light = 1 - image if ground > 0.5 else image
    shown = light > STROKE
    if min(ground, 1 - ground) > GROUND or not shown.any():
        return True
    length = max(int(np.ptp(np.flatnonzero(shown.any(axis=axis)))) + 1 for axis in (0, 1))
    places = np.arange(MNIST_SHAPE.width)
    centres = [np.average(places, weights=light.sum(axis=axis)) for axis in (0, 1)]
    is_centred = all(13.4 < centre < 14.6 for centre in centres)
    return not (is_centred and 17 <= length <= BOX)


def _inverted(
    image: GreyImage, *, guess: Callable[[GreyImage, float], bool], said: bool | None
) -> tuple[GreyImage, str | None]:
    background, _ = _background(image)
    contrast = max(background - image.min(), image.max() - background)
    if contrast < FAINTEST:
        raise blank(contrast)
    if not (guess(image, background) if said is None else said):
        return image, None
    reason = "The ground is lighter than what is on it" if said is None else "As you said"
    return 1 - image, f"{reason}, so light and dark changed places."


def _has_dark_extreme(image: GreyImage, background: float) -> bool:
    return bool(background - image.min() > image.max() - background)


def _has_dark_area(image: GreyImage, background: float) -> bool:
    return strokes.odd_moment(image - background) < 0


def _has_dark_ink(image: GreyImage, _: float) -> bool:
    return strokes.is_dark_on_light(image)


def blank(contrast: float) -> ImageError:
    """Return the error of a picture of so little contrast."""
    return ImageError(
        f"The image is blank: its contrast is {contrast:.2f} of 1, and {FAINTEST} is needed. "
        "Send one that shows something."
    )


def _kept(image: GreyImage) -> tuple[GreyImage, str | None]:
    return image, "It has the form of the data set's images already, so nothing was moved."


def _levelled(image: GreyImage) -> tuple[GreyImage, str | None]:
    low, high = _noise_level(image), image.max()
    levelled = np.clip((image - low) / (high - low), 0, 1)
    if low < 0.01 and high > 0.99:
        return levelled, None
    detail = f"Background up to {low:.2f} became 0, and the strongest stroke, {high:.2f}, 1."
    return levelled, detail


def _sharpened(image: GreyImage, *, is_soft: bool) -> tuple[GreyImage, str | None]:
    if min(image.shape) < strokes.SMALLEST:
        return image, None
    if not is_soft:  # a stroke has slopes even where it was drawn large
        return np.clip((image - FAINT) / (FULL - FAINT), 0, 1), None
    detail = "It has few pixels of its own: the stroke was made sharp, and as wide as MNIST's."
    return sharpened(image), detail


def _evened(image: GreyImage) -> tuple[GreyImage, str | None]:
    ink = strokes.evened(image)
    strongest = 0.9 * float(strokes.softened(ink).max())
    if strongest < FAINTEST:
        raise blank(strongest)
    levelled = np.clip((ink - 0.2 * strongest) / (0.8 * strongest), 0, 1)
    return levelled, "The light was evened: the ground became 0, and the strongest stroke 1."


def _alone(
    image: GreyImage, *, at: tuple[float, float] | None, is_plain: bool
) -> tuple[GreyImage, str | None]:
    mask, left_out = strokes.chosen(image > INK, plain=is_plain, at=at)
    return image * mask, f"Left out: {'; '.join(left_out)}." if left_out else None


def _pointed_at(
    image: GreyImage, *, at: tuple[float, float] | None
) -> tuple[GreyImage, str | None]:
    if at is None:
        return image, None
    return image * strokes.pointed_at(image > CLOTH, at), "The shape that you pointed at is kept."


def _cleared(image: GreyImage) -> tuple[GreyImage, str | None]:
    low = _noise_level(image)
    if low < 0.01:
        return image, None
    return np.clip((image - low) / (1 - low), 0, 1), f"Background up to {low:.2f} became 0."


def _cropped(image: GreyImage, *, above: float, what: str) -> tuple[GreyImage, str | None]:
    shown = image > above
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    cropped = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if cropped.shape == image.shape:
        return image, None
    high, wide = (
        round(100 * part / all) for part, all in zip(cropped.shape, image.shape, strict=True)
    )
    return cropped, f"{what} fills {wide} x {high} % of the image; the rest was cut off."


def _fitted(image: GreyImage, *, box: tuple[int, ...]) -> tuple[GreyImage, str | None]:
    scale = min(most / side for most, side in zip(box, image.shape, strict=True))
    height, width = (max(1, round(scale * side)) for side in image.shape)
    resized = Image.fromarray(image.astype(np.float32)).resize((width, height))
    fitted = np.asarray(resized, np.float64).clip(0, 1)
    return fitted, f"Scaled to {width} x {height}, to fill a box of {box[1]} x {box[0]}."


def _fitted_digit(image: GreyImage) -> tuple[GreyImage, str | None]:
    fitted, detail = _fitted(image, box=(BOX, BOX))
    return fitted / fitted.max(), detail  # a thin stroke fades when it is scaled down


def _centred(image: GreyImage) -> tuple[GreyImage, str | None]:
    # MNIST's own centres lie in [13.5, 14.5), measured over its 10,000 test images.
    top, left = _margin(image.sum(axis=1)), _margin(image.sum(axis=0))
    detail = f"The centre of mass was put at the centre of {MNIST_SHAPE}."
    return _pasted(image, MNIST_SHAPE, top, left), detail


def _margin(mass: Float[np.ndarray, " side"]) -> int:
    """Return the pixels before an image that put its centre of mass in the middle."""
    centre = float((np.arange(len(mass)) * mass).sum() / mass.sum())
    margin = math.ceil(MNIST_SHAPE.width / 2 - 0.5 - centre)
    return min(max(margin, 0), MNIST_SHAPE.width - len(mass))


def _placed(shape: ImageShape, image: GreyImage) -> tuple[GreyImage, str | None]:
    top, left = ((most - side) // 2 for most, side in zip(shape.axes, image.shape, strict=True))
    return _pasted(image, shape, top, left), f"Laid in the middle of {shape}."


def _pasted(image: GreyImage, shape: ImageShape, top: int, left: int) -> GreyImage:
    """Put an image on a blank one of a shape, in whole grey levels."""
    height, width = image.shape
    sheet = np.zeros(shape.axes)
    sheet[top : top + height, left : left + width] = image
    return np.asarray(np.floor(255 * sheet + 0.5) / 255)


def _noise_level(image: GreyImage) -> float:
    """Return the level up to which an image is background; at least `FAINTEST` is left above it."""
    background, noise = _background(image)
    return float(min(background + 3 * noise, image.max() - FAINTEST))


def _background(image: GreyImage) -> tuple[float, float]:
    """Estimate the level of the background and its noise: median and deviation of the border."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    median = _median(border)
    return median, 1.4826 * _median(np.abs(border - median))


def _median(values: Float[np.ndarray, " count"]) -> float:
    """Return the median of a few hundred numbers, in a fifth of the time of `numpy.median`."""
    ordered = np.sort(values)
    half = len(ordered) // 2
    return float((ordered[half] + ordered[~half]) / 2)
