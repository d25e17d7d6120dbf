"""Factors: properties of images that are numbers, measured on the images or stored with them.

Shapes: N images of H x W pixels, intensities from 0 (background) to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from model.data.datasets import FACES, FASHION_MNIST, MNIST, factors_of_tests
from model.data.faces import factor_values

INKED = 0.5
"""A row or a column is in the box around the ink if a pixel of it has at least this intensity."""
TINY = 1e-9

Images = Float[np.ndarray, "images height width"]
Values = Float[np.ndarray, " images"]


@dataclass(frozen=True)
class Factor:
    """A property that every image of a data set has more or less of."""

    id: str
    title: str
    unit: str
    about: str
    """One line: how it is measured, or what its values mean."""
    measure: Callable[[Images], Values] | None = None
    """None: its values are stored with the images."""


def slant(image_NHW: Images) -> Values:
    """Return by how many degrees the ink leans to the right; 0 for a blank image.

    It is the shear that brings the covariance of the ink's x and y to 0, as an angle.

    Source: Castro et al. 2019, "Morpho-MNIST", JMLR 20(178), arXiv:1809.10780 (slant by moments).
    """
    row_NH, column_NW = image_NHW.sum(2), image_NHW.sum(1)
    y_NH, x_NW = _from_centre(row_NH), _from_centre(column_NW)
    xy_N = np.einsum("nhw,nh,nw->n", image_NHW, y_NH, x_NW, optimize=True)
    yy_N = (row_NH * y_NH**2).sum(1)
    return np.asarray(np.degrees(np.arctan(-xy_N / np.maximum(yy_N, TINY))))


def stroke_width(image_NHW: Images) -> Values:
    """Return the mean width of the strokes in pixels: twice their area by their perimeter.

    The area is the sum of the intensities. The perimeter is the total variation, which is the mean
    perimeter of the level sets (coarea formula). A strip has less than its width by its share of
    the ends: 1.8 for 2 x 20 pixels. A blank image has 0.
    """
    padded = np.pad(image_NHW, ((0, 0), (1, 1), (1, 1)))
    down, across = np.diff(padded, axis=1), np.diff(padded, axis=2)
    down, across = (down[:, :, 1:] + down[:, :, :-1]) / 2, (across[:, 1:] + across[:, :-1]) / 2
    perimeter_N = np.hypot(down, across).sum((1, 2))
    return np.asarray(2 * image_NHW.sum((1, 2)) / np.maximum(perimeter_N, TINY))


def size(image_NHW: Images) -> Values:
    """Return the root mean square distance of the ink from its centre of mass, in pixels."""
    row_NH, column_NW = image_NHW.sum(2), image_NHW.sum(1)
    y_NH, x_NW = _from_centre(row_NH), _from_centre(column_NW)
    squares_N = (row_NH * y_NH**2).sum(1) + (column_NW * x_NW**2).sum(1)
    return np.asarray(np.sqrt(squares_N / np.maximum(row_NH.sum(1), TINY)))


def height(image_NHW: Images) -> Values:
    """Return the height of the box around the ink, in pixels; 0 for a blank image."""
    return _length(image_NHW.max(2) >= INKED)


def width(image_NHW: Images) -> Values:
    """Return the width of the box around the ink, in pixels; 0 for a blank image."""
    return _length(image_NHW.max(1) >= INKED)


def brightness(image_NHW: Images) -> Values:
    """Return the mean intensity of the pixels that are not background, in percent of white."""
    inked_N = (image_NHW > 0).sum((1, 2))
    return np.asarray(100 * image_NHW.sum((1, 2)) / np.maximum(inked_N, 1))


def _from_centre(mass_NC: Float[np.ndarray, "images cells"]) -> Float[np.ndarray, "images cells"]:
    """Return the place of each cell of a line, from the centre of the mass in all of them."""
    place_C = np.arange(mass_NC.shape[1])
    centre_N = mass_NC @ place_C / np.maximum(mass_NC.sum(1), TINY)
    return np.asarray(place_C - centre_N[:, None])


def _length(inked_NC: np.ndarray) -> Values:
    """Return the distance from the first to the last cell that holds ink, both included."""
    before_N, after_N = inked_NC.argmax(1), inked_NC[:, ::-1].argmax(1)
    length_N = inked_NC.shape[1] - before_N - after_N
    return np.where(inked_NC.any(1), length_N, 0).astype(float)


FACTORS = {
    MNIST.id: (
        Factor(
            "slant", "Slant", "°", "The shear that sets the ink upright, by its moments.", slant
        ),
        Factor(
            "stroke-width",
            "Stroke width",
            "px",
            "Twice the area of the ink by its perimeter.",
            stroke_width,
        ),
        Factor(
            "size",
            "Size",
            "px",
            "The root mean square distance of the ink from its centre.",
            size,
        ),
    ),
    FASHION_MNIST.id: (
        Factor("height", "Height", "px", "The height of the box around the garment.", height),
        Factor("width", "Width", "px", "The width of the box around the garment.", width),
        Factor(
            "brightness",
            "Brightness",
            "%",
            "The mean intensity of the pixels that are not background.",
            brightness,
        ),
    ),
    FACES.id: (
        Factor("moustache", "Moustache", "", "0 without one, 1 with one."),
        Factor("beard", "Beard", "", "0 without one, 1 with one."),
        Factor("glasses", "Glasses", "", "0 without them, 1 with them."),
        Factor("mouth", "Smile", "", "From a frown, -1, to a smile, 1."),
        Factor("turn", "Turn of the head", "", "From the picture's left, -1, to its right, 1."),
        Factor("eyes", "Eyes", "", "From nearly closed, 0, to wide open, 1."),
        Factor("face-width", "Width of the face", "", "From narrow, 0, to wide, 1."),
        Factor("skin", "Skin", "", "From light, 0, to dark, 1."),
    ),
}
"""The factors of the images of a data set, by its id; those of others have none."""


def stored_values(dataset: str, factor: str) -> Values:
    """Return a factor of the test images that is stored with them; raise DataError."""
    return factor_values(factors_of_tests(dataset), factor.replace("-", "_"))
