"""The colours of the ten labels, as the stylesheet has them."""

import itertools
import re

import numpy as np
import pytest
from jaxtyping import Float

from app.page.routes import STATIC

RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
VISIONS = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""Machado, Oliveira & Fernandes 2009, severity 1, for linear RGB."""
APART = {"full": 13, "protanopia": 9, "deuteranopia": 9, "tritanopia": 9}
NEIGHBOURS = [(3, 9), (6, 7), (4, 9), (3, 5), (5, 8), (3, 8), (7, 9), (0, 6)]

Colour = Float[np.ndarray, "3"]


def themes() -> dict[str, dict[str, Colour]]:
    """Linear RGB of each custom property, by theme."""
    light, dark = (STATIC / "css" / "theme.css").read_text("utf-8").split("@media (prefers-color")
    return {"light": colours_in(light), "dark": colours_in(dark)}


def colours_in(sheet: str) -> dict[str, Colour]:
    return {
        name: linear(bytes.fromhex(digits))
        for name, digits in re.findall(r"--([\w-]+): #([0-9a-f]{6});", sheet)
    }


def linear(rgb: bytes) -> Colour:
    level = np.array(list(rgb)) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def lab(rgb: Colour) -> Colour:
    t = RGB_TO_XYZ @ np.clip(rgb, 0, 1) / RGB_TO_XYZ.sum(1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def hue(rgb: Colour) -> float:
    _, a, b = lab(rgb)
    return float(np.degrees(np.arctan2(b, a)))


def ciede2000(one: Colour, other: Colour) -> float:
    """The difference of two colours. Source: Sharma, Wu & Dalal 2005."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - np.sqrt(chroma**7 / (chroma**7 + 25**7)) / 2
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    dl, dc = l2 - l1, c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    lightness, c, h = (l1 + l2) / 2, (c1 + c2) / 2, np.radians((h1 + turn / 2) % 360)
    t = (
        1
        - 0.17 * np.cos(h - np.radians(30))
        + 0.24 * np.cos(2 * h)
        + 0.32 * np.cos(3 * h + np.radians(6))
        - 0.2 * np.cos(4 * h - np.radians(63))
    )
    sl = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    bend = 30 * np.exp(-(((np.degrees(h) - 275) / 25) ** 2))
    r = -2 * np.sqrt(c**7 / (c**7 + 25**7)) * np.sin(np.radians(2 * bend))
    parts = (dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + r * dc / sc * dh / sh
    return float(np.sqrt(parts))


def test_the_difference_of_colours_is_that_of_its_published_examples() -> None:
    blue, other = np.array([50, 2.6772, -79.7751]), np.array([50, 0, -82.7485])
    assert ciede2000(blue, other) == pytest.approx(2.0425, abs=1e-4)
    red, dark = np.array([50, 2.5, 0]), np.array([73, 25, -18])
    assert ciede2000(red, dark) == pytest.approx(27.1492, abs=1e-4)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_labels_are_told_apart_by_colour(theme: str, vision: str) -> None:
    seen = [lab(VISIONS[vision] @ themes()[theme][f"digit-{d}"]) for d in range(10)]
    for a, b in itertools.combinations(range(10), 2):
        assert ciede2000(seen[a], seen[b]) >= APART[vision], f"{a} and {b}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_labels_that_are_neighbours_on_the_map_are_farther_apart(theme: str) -> None:
    seen = [lab(themes()[theme][f"digit-{d}"]) for d in range(10)]
    for a, b in NEIGHBOURS:
        assert ciede2000(seen[a], seen[b]) >= 20, f"{a} and {b}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_stands_off_the_ground(theme: str) -> None:
    colours = themes()[theme]
    ground = float(RGB_TO_XYZ[1] @ colours["ground"])
    for digit in range(10):
        light = float(RGB_TO_XYZ[1] @ colours[f"digit-{digit}"])
        dimmer, brighter = sorted((ground, light))
        assert (brighter + 0.05) / (dimmer + 0.05) >= 3, digit


def test_a_label_has_one_hue_in_both_themes() -> None:
    light, dark = themes()["light"], themes()["dark"]
    for digit in range(10):
        turn = hue(light[f"digit-{digit}"]) - hue(dark[f"digit-{digit}"])
        assert abs((turn + 180) % 360 - 180) < 20, digit
