"""Rendering: decoded images in the form that a client asked for."""

import io
import json
import math
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from fastapi import Response
from PIL import Image
from pydantic import BaseModel, Field

from app.formats import npy, png
from app.http import negotiation
from app.http.compression import MIN_BYTES, choose_coding, gzip
from app.http.negotiation import GIF, JSON, NPY, NPZ, PNG, RAW, WEBP
from app.openapi import BINARY
from app.serving.batcher import Images

ENLARGED = 12
"""How many times larger than 28 x 28 a frame of an animation is."""
MANY, ENLARGED_MANY = 100, 5
"""An animation of more frames than this many has smaller ones: each costs 10 ms and 16 KB."""
FRAME_MILLISECONDS = 50


class ImageJson(BaseModel):
    """A grey image, 0 = background."""

    width: int
    height: int
    png: str = Field(description="The file, in base64", json_schema_extra={"format": "byte"})


def _base64(image: png.GreyLevels) -> bytes:
    return b2a_base64(png.encode(image), newline=False)


def image_json(image: png.GreyLevels) -> dict[str, object]:
    """Return an image as `ImageJson` describes it, in plain values."""
    height, width = image.shape
    return {"width": width, "height": height, "png": _base64(image).decode()}


def packed(images: Images) -> bytes:
    """Return at least one image as JSON with commas between, faster than by `json.dumps`."""
    _, height, width = images.shape
    head = b'{"width":%d,"height":%d,"png":"' % (width, height)
    return head + (b'"},' + head).join(map(_base64, images)) + b'"}'


def contact_sheet(images: Images) -> png.GreyLevels:
    """Lay images out row by row without gaps, as square as possible; empty places are 0."""
    count, height, width = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * columns, height, width), np.uint8)
    sheet[:count] = images
    tiled = sheet.reshape(rows, columns, height, width).swapaxes(1, 2)
    return tiled.reshape(rows * height, columns * width)


def film_strip(images: Images) -> png.GreyLevels:
    """Lay images out from left to right."""
    return np.hstack(list(images))


def animation(images: Images, media_type: str) -> bytes:
    """Return an endless GIF or lossless WebP of the images, enlarged by whole pixels."""
    factor = ENLARGED if len(images) <= MANY else ENLARGED_MANY
    block = np.ones((factor, factor), np.uint8)
    first, *rest = [Image.fromarray(np.kron(image, block)) for image in images]
    file = io.BytesIO()
    first.save(
        file,
        format="GIF" if media_type == GIF else "WEBP",
        save_all=True,
        append_images=rest,
        duration=FRAME_MILLISECONDS,
        loop=0,
        lossless=True,
    )
    return file.getvalue()


Render = Callable[[Images], bytes]

BATCH: dict[str, Render] = {
    PNG: lambda images: png.encode(contact_sheet(images)),
    NPY: npy.write,
    RAW: lambda images: images.tobytes(),
}
"""The forms of a batch other than JSON and NPZ."""

FILM: dict[str, Render] = {
    PNG: lambda images: png.encode(film_strip(images)),
    GIF: lambda images: animation(images, GIF),
    WEBP: lambda images: animation(images, WEBP),
    NPY: npy.write,
}
"""The forms of a path other than JSON and NPZ."""


def described(forms: Mapping[str, Render]) -> dict[str, Any]:
    """Return the forms for the OpenAPI document, JSON first, which the route's model describes."""
    return {JSON: {}, **dict.fromkeys((*forms, NPZ), BINARY)}


def choose(accept: str | None, forms: Mapping[str, Render]) -> str:
    """Return what Accept wants most of JSON, the `forms` and NPZ; raises NotAcceptable."""
    return negotiation.choose(accept, (JSON, *forms, NPZ))


encode_json = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
"""Writes JSON as Starlette does."""


def json_response(content: bytes, accept_encoding: str | None) -> Response:
    """Return JSON that varies by Accept, compressed if it is long and the client takes that."""
    if len(content) >= MIN_BYTES and choose_coding(accept_encoding):
        headers = {"Content-Encoding": "gzip", "Vary": "Accept, Accept-Encoding"}
        return Response(gzip(content), headers=headers, media_type=JSON)
    return Response(content, headers={"Vary": "Accept"}, media_type=JSON)
