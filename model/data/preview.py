"""A sheet of a data set's images, to look at before anything is trained on them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model.data.datasets import IMAGE_SIDE, LabelledImages

COLUMNS = 16
"""Images of each label."""
SIDE = 2 * IMAGE_SIDE
GAP = 4
NAME_WIDTH = 200


def preview(images: LabelledImages, names: tuple[str, ...]) -> bytes:
    """Return a PNG file with a row for each label: its name, and its first images, enlarged."""
    step = SIDE + GAP
    sheet = Image.new("L", (NAME_WIDTH + COLUMNS * step, len(names) * step + GAP), 40)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for label, name in enumerate(names):
        top = GAP + label * step
        pen.text((GAP, top + SIDE // 2), _fitting(name, font), fill=255, font=font, anchor="lm")
        for column, image in enumerate(images.images[images.labels == label][:COLUMNS]):
            enlarged = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
            sheet.paste(Image.fromarray(enlarged), (NAME_WIDTH + column * step, top))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _fitting(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return a name, shortened to its column."""
    shown = name
    while font.getlength(shown) > NAME_WIDTH - 2 * GAP:
        name = name[:-1]
        shown = f"{name}…"
    return shown
