"""Photographs of digits, synthetic and seeded: what people send who have no clean drawing.

A photograph is a sheet of uneven paper, lit from above, with a digit of the test set on it as ink.
Its edge is as sharp as a pen's, and it is up to 6 degrees out of plumb. Sheets, pens and what else
lies there differ from one photograph to the next.
"""

import io
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFilter
from sklearn.datasets import load_digits

Sheet = Float[np.ndarray, "height width"]
"""Light that comes back, 1 being white; of a mask, how much of a pixel is covered."""
Digit = UInt8[np.ndarray, "28 28"]
Draw = Callable[[Digit, np.random.Generator], Image.Image]

SMALL_DIGITS = "8 x 8, enlarged"
"""The kind that shows digits of scikit-learn."""
WIDTH, HEIGHT = 640, 480
PAPER, INK = (0.7, 0.92), (0.1, 0.3)
"""The least and the most."""


def photographs(
    kind: str,
    digits: UInt8[np.ndarray, "count 28 28"],
    labels: UInt8[np.ndarray, " count"],
    count: int,
    seed: int,
) -> Iterator[tuple[Image.Image, int]]:
    """Yield `count` photographs of a kind with their labels, the same for the same seed.

    They show digits drawn at random from those given; `SMALL_DIGITS` shows scikit-learn's.
    """
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    if kind == SMALL_DIGITS:
        small, of_small = load_digits(return_X_y=True)
        for index in rng.choice(len(small), count, replace=False):
            levels = (small[index].reshape(8, 8) * 255 / 16).astype(np.uint8)
            yield Image.fromarray(levels).resize((256, 256)), int(of_small[index])
        return
    for index in rng.choice(len(digits), count, replace=False):
        yield KINDS[kind](digits[index], rng), int(labels[index])


def _mask(digit: Digit, rng: np.random.Generator, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Sheet:
    """Lay the digit somewhere on a sheet, whole, 0.45 to 0.8 of the shorter side large."""
    width, height = size
    side = round(min(size) * rng.uniform(0.45, 0.8))
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    large = large.rotate(rng.uniform(-6, 6), Image.Resampling.BICUBIC)
    sheet = Image.new("L", size)
    margin = side // 28
    place = (
        int(rng.integers(margin, width - side - margin)),
        int(rng.integers(margin, height - side - margin)),
    )
    sheet.paste(large, place)
    slope = side / 28 / 2  # the 28 pixels end in slopes of their own width; a pen does not
    return np.clip((np.asarray(sheet, float) / 255 - rng.uniform(0.38, 0.5)) * slope + 0.5, 0, 1)


def _uneven(size: tuple[int, int], rng: np.random.Generator, cells: int, depth: float) -> Sheet:
    """Return smooth noise around 1, in waves of about `1 / cells` of the width."""
    width, height = size
    rough = rng.normal(0, 1, (max(2, cells * height // width), cells)).astype(np.float32)
    smooth = Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(1 + depth * np.asarray(smooth, float))


def _written(
    mask: Sheet, rng: np.random.Generator, *, ink: float | None = None, paper: float | None = None
) -> Sheet:
    """Return paper, mottled in large and small, with ink where the mask says."""
    ink = ink or rng.uniform(*INK)
    paper = paper or rng.uniform(*PAPER)
    size = mask.shape[1], mask.shape[0]
    ground = paper * _uneven(size, rng, 6, 0.01) * _uneven(size, rng, 60, 0.015)
    return np.asarray(ground * (1 - mask) + ink * _uneven(size, rng, 60, 0.06) * mask)


def _taken(sheet: Sheet, rng: np.random.Generator, noise: float = 0.008) -> Image.Image:
    """Take the picture: a lens that is a little soft, a sensor with noise, 256 levels."""
    levels = 255 * np.clip(sheet, 0, 1)
    soft = Image.fromarray(levels.astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    noisy = np.asarray(soft, float) + 255 * rng.normal(0, noise, sheet.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Return an image as a JPEG file leaves it."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("L")


def _along(shape: tuple[int, ...], angle: float) -> Sheet:
    """Return how far each pixel lies along a direction, from 0 to 1."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    way = columns * np.cos(angle) + rows * np.sin(angle)
    return np.asarray((way - way.min()) / np.ptp(way))


def _even(digit: Digit, rng: np.random.Generator) -> Image.Image:
    return _taken(_written(_mask(digit, rng), rng), rng)


def _pencil(digit: Digit, rng: np.random.Generator) -> Image.Image:
    mask = _mask(digit, rng)
    grain = np.clip(0.75 + 0.2 * rng.normal(0, 1, mask.shape), 0, 1)
    return _taken(_written(mask * grain, rng, ink=0.45), rng)


def _chalk(digit: Digit, rng: np.random.Generator) -> Image.Image:
    mask = _mask(digit, rng)
    grain = np.clip(0.8 + 0.15 * rng.normal(0, 1, mask.shape), 0, 1)
    return _taken(_written(mask * grain, rng, ink=0.85, paper=0.22), rng)


def _noise(digit: Digit, rng: np.random.Generator) -> Image.Image:
    return _taken(_written(_mask(digit, rng), rng), rng, noise=0.06)


def _coarse(digit: Digit, rng: np.random.Generator) -> Image.Image:
    return jpeg(_even(digit, rng), 20)


def _large(digit: Digit, rng: np.random.Generator) -> Image.Image:
    return _taken(_written(_mask(digit, rng, (3000, 4000)), rng), rng)


def _lines(
    shape: tuple[int, ...], rng: np.random.Generator, spacing: float, *, squared: bool
) -> Sheet:
    """Return the mask of ruled or squared paper, up to 2 degrees out of plumb."""
    size = shape[1], shape[0]
    drawn = Image.new("L", size)
    pen = ImageDraw.Draw(drawn)
    pen_width = int(rng.integers(1, 4))
    slope, first = np.tan(np.radians(rng.uniform(-2, 2))), rng.uniform(0, spacing)
    for y in np.arange(first - spacing, 2 * shape[0], spacing):
        pen.line([(0, y), (size[0], y + slope * size[0])], 255, pen_width)
    if squared:
        for x in np.arange(first - 2 * spacing, 2 * size[0], spacing):
            pen.line([(x, 0), (x - slope * size[1], size[1])], 255, pen_width)
    return np.asarray(drawn, float) / 255


def _ruled(ink: float, *, squared: bool = False) -> Draw:
    def draw(digit: Digit, rng: np.random.Generator) -> Image.Image:
        mask = _mask(digit, rng)
        spacing = rng.uniform(24, 40) if squared else rng.uniform(36, 64)
        lines = _lines(mask.shape, rng, spacing, squared=squared)
        sheet = _written(mask, rng)
        return _taken(np.minimum(sheet, 1 - lines * (1 - ink)), rng)

    return draw


def _gradient(digit: Digit, rng: np.random.Generator) -> Image.Image:
    sheet = _written(_mask(digit, rng), rng)
    return _taken(sheet * (1 - 0.7 * _along(sheet.shape, rng.uniform(0, 2 * np.pi))), rng)


def _glare(digit: Digit, rng: np.random.Generator) -> Image.Image:
    sheet = _written(_mask(digit, rng), rng, ink=0.15, paper=0.5)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    y, x, reach = rng.uniform(0, HEIGHT), rng.uniform(0, WIDTH), rng.uniform(40, 180)
    spot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * reach**2))
    return _taken(sheet * (1 + 0.6 * spot), rng)


def _shadow(digit: Digit, rng: np.random.Generator) -> Image.Image:
    sheet = _written(_mask(digit, rng), rng)
    way = _along(sheet.shape, rng.uniform(0, 2 * np.pi))
    shaded = np.clip((way - rng.uniform(0.3, 0.7)) * rng.uniform(60, 300), 0, 1)
    return _taken(sheet * (1 - 0.4 * shaded), rng)


def _table(digit: Digit, rng: np.random.Generator) -> Image.Image:
    sheet = _written(_mask(digit, rng), rng)
    way = _along(sheet.shape, rng.integers(4) * np.pi / 2 + rng.uniform(-0.01, 0.01))
    return _taken(np.where(way < rng.uniform(0.02, 0.04), rng.uniform(0.05, 0.35), sheet), rng)


def _framed(digit: Digit, rng: np.random.Generator) -> Image.Image:
    image = _even(digit, rng)
    ImageDraw.Draw(image).rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=0, width=2)
    return image


def _boxed(digit: Digit, rng: np.random.Generator) -> Image.Image:
    mask = _mask(digit, rng)
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (1, 0))
    gap, pen = rng.uniform(8, 30, 8), int(rng.integers(2, 7))
    left, right = columns[0] - gap[:2], columns[-1] + gap[2:4]
    top, bottom = rows[0] - gap[4:6], rows[-1] + gap[6:8]
    corners = [(left[0], top[0]), (right[0], top[1]), (right[1], bottom[1]), (left[1], bottom[0])]
    box = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(box).line([*corners, corners[0]], 255, pen, joint="curve")
    return _taken(_written(np.maximum(mask, np.asarray(box, float) / 255), rng), rng)


def _specks(digit: Digit, rng: np.random.Generator) -> Image.Image:
    image = np.array(_even(digit, rng))
    for y, x in rng.integers(4, (HEIGHT - 7, WIDTH - 7), (2, 2)):
        side = rng.integers(3, 6)
        image[y : y + side, x : x + side] = 40
    return Image.fromarray(image)


def _made_small(digit: Digit, rng: np.random.Generator) -> Image.Image:
    """Cut the photograph square around the digit, somewhat loosely, and make it 28 x 28."""
    mask = _mask(digit, rng)
    image = _taken(_written(mask, rng), rng)
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (1, 0))
    half = 0.5 * max(np.ptp(rows), np.ptp(columns)) * rng.uniform(1.2, 1.7)
    y, x = rows.mean() + rng.uniform(-6, 6), columns.mean() + rng.uniform(-6, 6)
    box = (max(0, x - half), max(0, y - half), min(WIDTH, x + half), min(HEIGHT, y + half))
    return image.resize((28, 28), Image.Resampling.BICUBIC, box)


def _off_centre(digit: Digit, rng: np.random.Generator) -> Image.Image:
    """Put the digit elsewhere, up to the very edge, and at 14 to 20 pixels."""
    scale = rng.uniform(0.7, 1)
    side = round(28 * scale)
    small = np.asarray(Image.fromarray(digit).resize((side, side)))
    rows, columns = (np.flatnonzero((small > 99).any(axis=axis)) for axis in (1, 0))
    cut = small[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    sheet = np.zeros((28, 28), np.uint8)
    top, left = (int(rng.integers(0, 28 - side + 1)) for side in cut.shape)
    sheet[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return Image.fromarray(sheet)


def _off_centre_on_white(digit: Digit, rng: np.random.Generator) -> Image.Image:
    return Image.fromarray(255 - np.asarray(_off_centre(digit, rng)))


KINDS: dict[str, Draw] = {
    "even light": _even,
    "pencil": _pencil,
    "chalk": _chalk,
    "pale rules": _ruled(0.72),
    "noise": _noise,
    "JPEG of quality 20": _coarse,
    "3000 x 4000": _large,
    "28 x 28: photograph": _made_small,
    "28 x 28: off-centre": _off_centre,
    "28 x 28: off-centre on white": _off_centre_on_white,
    "light falling to 0.3": _gradient,
    "glare +60 % on grey": _glare,
    "hard shadow x 0.6": _shadow,
    "dark table on 3 %": _table,
    "black frame of 2 pixels": _framed,
    "digit in a drawn box": _boxed,
    "two specks": _specks,
    "dark ruled": _ruled(0.3),
    "dark squared": _ruled(0.4, squared=True),
}
"""The kinds, by name, each with what draws it."""
