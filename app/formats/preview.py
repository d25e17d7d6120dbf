"""The picture that networks and chats show beside a link: a map, a point on it, and its image."""

import io
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from app.formats.png import Pixels

WIDTH, HEIGHT = 1200, 630
GROUND, INK, SOFT, ACCENT = "#0b0d11", "#ece6d9", "#a8a294", "#ffb43d"
LABELS = (
    *("#b470ff", "#ed7b95", "#418ac1", "#ec5130", "#f5e924"),
    *("#b7b8fc", "#f1ad76", "#799153", "#54feae", "#b26f97"),
)
"""The colours of the page's dark theme, by label."""
QUIET = 0.45
"""Opacity of the decoded images under the codes."""
LENS, EDGE = 84, 4
"""Side of the image at the point, and width of the line around it."""
MARGIN, LARGE = 60, 280
"""Of the large image beside the map, and its longer side."""


class Preview(NamedTuple):
    """What a preview shows. Places are shares of the map's side, from the left and the top."""

    title: str
    caption: str
    map: Pixels
    codes: Float[np.ndarray, "codes 2"]
    labels: UInt8[np.ndarray, " codes"]
    point: tuple[float, float]
    image: Pixels


def draw(shown: Preview) -> bytes:
    """Draw a preview as a PNG of 1200 x 630, in the colours of the dark theme."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    picture.paste(_map(shown))
    image, left = Image.fromarray(shown.image), HEIGHT + MARGIN
    size = _fitting(image.size, LARGE)
    picture.paste(image.resize(size, Image.Resampling.NEAREST), (left, MARGIN))
    pen = ImageDraw.Draw(picture)
    large, small = (ImageFont.load_default(size) for size in (34, 22))
    title = _wrapped(shown.title, large, WIDTH - left - MARGIN)
    pen.multiline_text((left, MARGIN + LARGE + 30), title, INK, large, spacing=8)
    pen.text((left, HEIGHT - MARGIN - 60), shown.caption, SOFT, small)
    pen.text((left, HEIGHT - MARGIN - 26), "Latent Explorer", SOFT, small)
    written = io.BytesIO()
    picture.quantize(256, Image.Quantize.FASTOCTREE).save(written, "PNG")
    return written.getvalue()


def _map(shown: Preview) -> Image.Image:
    tiles = Image.fromarray(shown.map).resize((HEIGHT, HEIGHT), Image.Resampling.BILINEAR)
    ground = Image.new("RGB", (HEIGHT, HEIGHT), GROUND)
    if tiles.mode == "L":
        ink = Image.new("RGB", (HEIGHT, HEIGHT), INK)
        ground.paste(ink, mask=tiles.point(lambda level: round(QUIET * level)))
    else:
        ground = Image.blend(ground, tiles, QUIET)
    pixels = np.array(ground)
    places = (shown.codes * HEIGHT).astype(int)
    inside = ((places >= 0) & (places < HEIGHT - 1)).all(1)
    colours = np.array([list(bytes.fromhex(colour[1:])) for colour in LABELS], np.uint8)
    (x, y), coloured = places[inside].T, colours[shown.labels[inside] % len(LABELS)]
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        pixels[y + down, x + right] = coloured
    picture = Image.fromarray(pixels)
    left, top = (round(share * HEIGHT - LENS / 2) for share in shown.point)
    disc = Image.new("L", (LENS, LENS))
    ImageDraw.Draw(disc).ellipse((0, 0, LENS - 1, LENS - 1), 255)
    image = Image.fromarray(shown.image)
    seen = image.resize(_fitting(image.size, LENS), Image.Resampling.BILINEAR).convert("RGB")
    lens = Image.new("RGB", (LENS, LENS), GROUND)
    lens.paste(seen, ((LENS - seen.width) // 2, (LENS - seen.height) // 2))
    picture.paste(lens, (left, top), disc)
    around = (left, top, left + LENS, top + LENS)
    ImageDraw.Draw(picture).ellipse(around, outline=ACCENT, width=EDGE)
    return picture


def _fitting(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return a size with the same proportions and this longer side."""
    width, height = (max(1, round(longest * side / max(size))) for side in size)
    return width, height


def _wrapped(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)
