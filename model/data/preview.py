"""A sheet of a data set's images, to look at before anything is trained on them."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

from model.data.datasets import LabelledImages

COLUMNS = 16
"""Images of each label."""
ENLARGED = 2
GAP = 4
NAME_WIDTH = 200


def preview(images: LabelledImages, names: tuple[str, ...]) -> bytes:
    """Return a PNG file with a row for each label: its name, and its first images, enlarged."""
    height, width, *colours = (ENLARGED * side for side in images.images.shape[1:])
    across, down = width + GAP, height + GAP
    size = NAME_WIDTH + COLUMNS * across, len(names) * down + GAP
    sheet = Image.new("RGB" if colours else "L", size, "#282828")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for label, name in enumerate(names):
        top = GAP + label * down
        middle = (GAP, top + height // 2)
        pen.text(middle, _fitting(name, font), fill="white", font=font, anchor="lm")
        for column, image in enumerate(images.images[images.labels == label][:COLUMNS]):
            enlarged = image.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
            sheet.paste(Image.fromarray(enlarged), (NAME_WIDTH + column * across, top))
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
