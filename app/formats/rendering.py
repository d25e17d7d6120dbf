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

LARGE_FRAME, SMALL_FRAME = 336, 140
"""Pixels of the longer side of an animation's frame, up to which an image is enlarged."""
MANY = 100
"""An animation of more frames than this many has smaller ones: each costs 10 ms and 16 KB."""
FRAME_MILLISECONDS = 50


class ImageJson(BaseModel):
    """An image, in grey with 0 = background, or in colour."""

    width: int
    height: int
    png: str = Field(description="The file, in base64", json_schema_extra={"format": "byte"})


def _base64(image: png.Pixels) -> bytes:
    return b2a_base64(png.encode(image), newline=False)


def image_json(image: png.Pixels) -> dict[str, object]:
    """Return an image as `ImageJson` describes it, in plain values."""
    height, width, *_ = image.shape
    return {"width": width, "height": height, "png": _base64(image).decode()}


def packed(images: Images) -> bytes:
    """Return at least one image as JSON with commas between, faster than by `json.dumps`."""
    _, height, width, *_ = images.shape
    head = b'{"width":%d,"height":%d,"png":"' % (width, height)
    return head + (b'"},' + head).join(map(_base64, images)) + b'"}'


def contact_sheet(images: Images) -> png.Pixels:
    """Lay images out row by row without gaps, as square as possible; empty places are 0."""
    count, height, width, *rgb = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * columns, *images.shape[1:]), np.uint8)
    sheet[:count] = images
    tiled = sheet.reshape(rows, columns, *images.shape[1:]).swapaxes(1, 2)
    return tiled.reshape(rows * height, columns * width, *rgb)


def film_strip(images: Images) -> png.Pixels:
    """Lay images out from left to right."""
    return np.hstack(list(images))


def animation(images: Images, media_type: str) -> bytes:
    """Return an endless GIF or lossless WebP of the images, enlarged by whole pixels."""
    largest = LARGE_FRAME if len(images) <= MANY else SMALL_FRAME
    factor = max(1, largest // max(images.shape[1:3]))
    first, *rest = [
        Image.fromarray(image.repeat(factor, axis=0).repeat(factor, axis=1)) for image in images
    ]
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
