"""Portraits drawn by a program, 64 x 64 in colour, each from factors that have names.

Two faces of equal factors are equal to the pixel, and nothing else differs between two: no light,
no noise. The head is half an ellipsoid that turns about its vertical axis; what lies on it is given
by its longitude and its height, so that a turned head shows less of its far side.

Lengths are shares of half the picture's side; x grows to the right and y downwards, from -1 to 1.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from model.data.faces import FACTORS, HAIR_STYLES, HALVES, Face, face_of, random_levels

SIDE = 64
"""Pixels on a side of a portrait."""
FINER = 4
"""Each side is drawn as many times finer, and reduced, so that edges are smooth."""
STEPS = 64
"""Steps of a fine pixel: processors differ in the last digit of a sine, and drawings must not."""

NEARER = 1.2
"""How much larger everything is seen than it is written down here."""

Colour = tuple[int, int, int]
Outline = Float[np.ndarray, "points 2"]

HAIR: tuple[Colour, ...] = (
    (38, 32, 36),
    (96, 60, 36),
    (222, 182, 98),
    (172, 74, 34),
    (164, 164, 168),
)
SKIN: tuple[Colour, ...] = ((250, 220, 196), (226, 176, 136), (168, 112, 76), (98, 62, 44))
"""From the lightest to the darkest; between them colours are mixed."""
SHIRT: Colour = (70, 84, 108)
WHITE: Colour = (250, 250, 248)
IRIS: Colour = (62, 84, 86)
DARK: Colour = (34, 28, 32)
LIPS: Colour = (168, 66, 70)

CROWN, CHIN = -0.62, 0.66
NARROWEST, WIDEST = 0.42, 0.56
MOST_TURNED = 0.6
"""Of a head turned to the side, in radians."""
EYES_AT, EYES_APART = -0.06, 0.42
"""Height of the eyes, and their longitude in radians."""
MOUTH_AT, LIP_AT = 0.38, 0.25


def drawn_file(name: str) -> UInt8[np.ndarray, "count ..."]:
    """Return what a file of the data set holds, from the name of its half and of what is in it.

    Images are drawn, which takes a few milliseconds each. Labels are the styles of the hair.
    """
    half, kind, *_ = name.split("-")
    levels = random_levels(*HALVES[half])
    if kind == "images":
        return np.stack([portrait(face_of(row)) for row in levels])
    return levels if kind == "factors" else levels[:, FACTORS.index("hair_style")]


def portrait(face: Face) -> UInt8[np.ndarray, "64 64 3"]:
    """Draw a face: red, green and blue, from 0 to 255."""
    red, green, blue = colorsys.hsv_to_rgb(face.background, 0.16, 0.92)
    ground = round(255 * red), round(255 * green), round(255 * blue)
    sheet = Image.new("RGB", (SIDE * FINER, SIDE * FINER), ground)
    head = _Head(face, ImageDraw.Draw(sheet))
    for part in PARTS:
        part(head)
    return np.asarray(sheet.reduce(FINER))


class _Head:
    """A head on a sheet: its colours, and the places on it."""

    def __init__(self, face: Face, pen: ImageDraw.ImageDraw) -> None:
        self.face = face
        self.pen = pen
        self.width = NARROWEST + (WIDEST - NARROWEST) * face.face_width
        self.skin = _mixed_along(SKIN, face.skin)
        self.hair = HAIR[face.hair_colour]
        self.style = HAIR_STYLES[face.hair_style]

    def half_width(self, y: Float[np.ndarray, " points"] | float) -> Float[np.ndarray, " points"]:
        """Return how far the head reaches to the side at a height: round above, slimmer below."""
        up = np.clip((np.asarray(y, float) + 0.1) / (CROWN + 0.1), 0, 1)
        down = np.clip((np.asarray(y, float) + 0.1) / (CHIN + 0.1), 0, 1)
        return np.asarray(self.width * (1 - up**2.4) ** 0.5 * (1 - down**2.8) ** 0.6)

    def x(
        self,
        longitude: Float[np.ndarray, " points"] | float,
        y: Float[np.ndarray, " points"] | float,
    ) -> Float[np.ndarray, " points"]:
        """Return where a place on the turned head is seen."""
        return self.half_width(y) * np.sin(longitude + MOST_TURNED * self.face.turn)

    def on_head(self, longitude: np.ndarray, y: np.ndarray) -> Outline:
        """Return places on the head as places in the picture."""
        return np.stack([self.x(longitude, y), y], axis=1)

    def fill(self, outline: Outline, colour: Colour) -> None:
        """Fill an outline."""
        points = _pixels(outline)
        self.pen.polygon([tuple(point) for point in points.tolist()], fill=colour)

    def line(self, outline: Outline, colour: Colour, thickness: float) -> None:
        """Draw along an outline, with round ends and corners."""
        points, pixels = _pixels(outline), thickness / 2 * NEARER * SIDE * FINER
        self.pen.line(
            [tuple(point) for point in points.tolist()],
            fill=colour,
            width=max(1, round(pixels)),
            joint="curve",
        )
        for x, y in (points[0], points[-1]):
            half = pixels / 2
            self.pen.ellipse([x - half, y - half, x + half, y + half], fill=colour)


def _hair_behind(head: _Head) -> None:
    if head.style == "long":
        side = head.width + 0.16
        y = np.linspace(-0.66, 0.8, 40)
        reach = side * np.clip((y + 0.74) / 0.3, 0, 1) ** 0.5
        shift = -0.06 * head.face.turn
        head.fill(_closed(reach + shift, -reach + shift, y), head.hair)
    elif head.style == "curly":
        for angle in np.linspace(-1.15 * np.pi, 0.15 * np.pi, 13):
            x = (head.width + 0.06) * np.cos(angle) - 0.05 * head.face.turn
            head.fill(_ellipse(x, -0.2 + 0.44 * np.sin(angle), 0.19, 0.19), head.hair)


def _shoulders(head: _Head) -> None:
    head.fill(_ellipse(0, 1.18, 0.86, 0.42), SHIRT)
    neck = np.array([[-0.2, 0.3], [0.2, 0.3], [0.22, 0.86], [0, 0.98], [-0.22, 0.86]])
    head.fill(neck, _shaded(head.skin, 0.82))


def _ears(head: _Head) -> None:
    if head.style == "long":
        return
    for side in (-1, 1):
        x = side * (head.width - 0.01) - 0.1 * head.face.turn
        if side * head.face.turn < 0.75:
            head.fill(_ellipse(x, 0.02, 0.085, 0.13), _shaded(head.skin, 0.9))


def _skull(head: _Head) -> None:
    y = np.concatenate([CROWN + 0.06 * np.linspace(0, 1, 12) ** 2, np.linspace(-0.55, CHIN, 60)])
    reach = head.half_width(y)
    head.fill(_closed(reach, -reach, y), head.skin)


def _beard(head: _Head) -> None:
    if not head.face.beard:
        return
    y = np.linspace(0.12, CHIN, 40)
    reach = head.half_width(y)
    middle = head.x(0.0, 0.3)
    upper = np.linspace(1, -1, 30)
    top = 0.16 + 0.2 * np.clip(1 - (upper / 0.55) ** 2, 0, 1) ** 0.5
    across = upper * float(head.half_width(0.16))
    across = np.where(np.abs(upper) < 0.8, across + middle * (1 - (upper / 0.8) ** 2), across)
    below = np.array(
        [[0.9 * reach[-8], CHIN - 0.02], [0.0, CHIN + 0.08], [-0.9 * reach[-8], CHIN - 0.02]]
    )
    right = np.stack([reach, y], axis=1)
    left = np.stack([-reach, y], axis=1)
    rim = np.stack([across, top], axis=1)
    head.fill(np.concatenate([rim[::-1], right[2:-8], below, left[2:-8][::-1]]), head.hair)


def _nose(head: _Head) -> None:
    shade = _shaded(head.skin, 0.8)
    y = np.linspace(-0.02, 0.17, 12)
    tip = 0.09 * np.sin(MOST_TURNED * head.face.turn)
    bridge = head.x(0.0, -0.02)
    bow = bridge + (head.x(0.0, 0.17) + tip - bridge) * ((y + 0.02) / 0.19)
    head.line(np.stack([bow, y], axis=1), _shaded(head.skin, 0.88), 0.05)
    at = float(bow[-1])
    wings = np.linspace(-0.075, 0.075, 9)
    head.line(np.stack([at + wings, 0.185 - 2.2 * wings**2], axis=1), shade, 0.045)


def _mouth(head: _Head) -> None:
    along = np.linspace(-0.44, 0.44, 25)
    bend = 0.055 * head.face.mouth * (1 - 2 * (along / 0.44) ** 2)
    head.line(head.on_head(along, MOUTH_AT + bend), LIPS, 0.055)


def _moustache(head: _Head) -> None:
    if not head.face.moustache:
        return
    along = np.linspace(-0.44, 0.44, 41)
    share = np.abs(along) / 0.44
    top = LIP_AT - 0.045 * (1 - share**2) + 0.055 * share**2 + 0.03 * np.exp(-((along / 0.06) ** 2))
    bottom = top + 0.125 * (1 - share**1.6) ** 0.8 * (0.55 + 0.45 * np.minimum(share / 0.25, 1))
    upper, lower = head.on_head(along, top), head.on_head(along, bottom)
    head.fill(np.concatenate([upper, lower[::-1]]), head.hair)


def _eyes(head: _Head) -> None:
    height = 0.022 + 0.07 * head.face.eyes
    for side in (-1, 1):
        centre = side * EYES_APART
        round_ = np.linspace(0, 2 * np.pi, 40)
        white = head.on_head(centre + 0.17 * np.cos(round_), EYES_AT + height * np.sin(round_))
        head.fill(white, WHITE)
        iris = np.stack([0.085 * np.cos(round_), 0.075 * np.sin(round_)], axis=1)
        shown = np.clip(iris[:, 1], -0.92 * height, 0.92 * height)
        head.fill(head.on_head(centre + iris[:, 0], EYES_AT + shown), IRIS)
        pupil = np.clip(0.036 * np.sin(round_), -0.8 * height, 0.8 * height)
        head.fill(head.on_head(centre + 0.042 * np.cos(round_), EYES_AT + pupil), DARK)
        lid = np.linspace(np.pi, 2 * np.pi, 20)
        edge = head.on_head(centre + 0.17 * np.cos(lid), EYES_AT + height * np.sin(lid))
        head.line(edge, DARK, 0.028)
        brow = np.linspace(-0.2, 0.2, 15)
        arch = EYES_AT - 0.15 - 0.03 * head.face.eyes - 0.035 * (1 - (brow / 0.2) ** 2)
        colour = _shaded(head.skin, 0.62) if head.style == "bald" else _shaded(head.hair, 0.85)
        head.line(head.on_head(centre + brow, arch), colour, 0.05)


def _glasses(head: _Head) -> None:
    if not head.face.glasses:
        return
    round_ = np.linspace(0, 2 * np.pi, 49)
    for side in (-1, 1):
        longitude = (
            side * EYES_APART + 0.3 * np.sign(np.cos(round_)) * np.abs(np.cos(round_)) ** 0.7
        )
        y = EYES_AT + 0.01 + 0.14 * np.sign(np.sin(round_)) * np.abs(np.sin(round_)) ** 0.7
        head.line(head.on_head(longitude, y), DARK, 0.035)
        temple = np.array(
            [side * (EYES_APART + 0.3), side * np.pi / 2 - MOST_TURNED * head.face.turn]
        )
        head.line(head.on_head(temple, np.full(2, EYES_AT - 0.02)), DARK, 0.035)
    bridge = np.linspace(-EYES_APART + 0.3, EYES_APART - 0.3, 7)
    head.line(head.on_head(bridge, np.full(7, EYES_AT - 0.03)), DARK, 0.035)


def _hair_before(head: _Head) -> None:
    if head.style == "bald":
        return
    low = -0.34 if head.style in ("short", "curly") else -0.3
    along = np.linspace(-1, 1, 41)
    longitude = along * np.pi / 2 - MOST_TURNED * head.face.turn
    sides = np.clip((np.abs(along) - 0.72) / 0.28, 0, 1)
    line = (
        low + {"short": 0.3, "parted": 0.34, "curly": 0.28, "long": 0.62}[head.style] * sides**1.3
    )
    if head.style in ("parted", "long"):
        parting = 0.35 if head.style == "parted" else 0.0
        line = line - 0.16 * np.exp(-(((along - parting) / 0.3) ** 2))
    edge = head.on_head(longitude, line)
    over = np.linspace(0, np.pi, 41)
    height = {"short": 0.1, "parted": 0.16, "curly": 0.16, "long": 0.12}[head.style]
    reach = head.width + 0.035
    end = edge[-1, 1]
    dome = np.stack(
        [reach * np.cos(over), end - (end - CROWN + height) * np.sin(over) ** 0.75], axis=1
    )
    head.fill(np.concatenate([dome, edge]), head.hair)
    if head.style == "curly":
        for at in np.linspace(-0.8, 0.8, 7):
            y = -0.44 - 0.16 * (1 - at**2)
            head.fill(_ellipse(at * head.width * 0.95, y, 0.16, 0.15), head.hair)


PARTS: tuple[Callable[[_Head], None], ...] = (
    _hair_behind,
    _shoulders,
    _ears,
    _skull,
    _beard,
    _nose,
    _mouth,
    _moustache,
    _eyes,
    _hair_before,
    _glasses,
)
"""From the back to the front."""


def _pixels(outline: Outline) -> Outline:
    """Return places as pixels of the fine sheet, in steps that no rounding error reaches."""
    pixels = (NEARER * outline + 1) / 2 * SIDE * FINER
    return np.asarray(np.round(STEPS * pixels) / STEPS)


def _closed(right: np.ndarray, left: np.ndarray, y: np.ndarray) -> Outline:
    """Return an outline from its two sides, both from the top down."""
    sides = np.stack([right, y], axis=1), np.stack([left, y], axis=1)[::-1]
    return np.concatenate(sides)


def _ellipse(x: float, y: float, half_width: float, half_height: float) -> Outline:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([x + half_width * np.cos(angle), y + half_height * np.sin(angle)], axis=1)


def _mixed_along(colours: tuple[Colour, ...], share: float) -> Colour:
    """Return the colour at a share of the way along some colours."""
    at = np.linspace(0, 1, len(colours))
    red, green, blue = (
        round(float(np.interp(share, at, part))) for part in zip(*colours, strict=True)
    )
    return red, green, blue


def _shaded(colour: Colour, share: float) -> Colour:
    red, green, blue = (round(share * part) for part in colour)
    return red, green, blue
