"""Images in a request: files, files in base64, and plain numbers."""

import asyncio
import base64
import binascii
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from starlette.formparsers import MultiPartParser

from app.errors import InvalidRequest
from app.formats.image_files import Prepared, prepare
from app.formats.preprocessing import SIDE
from model.errors import ImageError

MultiPartParser.spool_max_size = 2**40
"""An upload stays in memory, where the bound on bodies bounds it: it never touches a disk."""

_THREADS = ThreadPoolExecutor(2, "images")
"""Few, because each may hold a picture of `MAX_PIXELS`; started with the first upload."""


async def read_file(content: bytes, dataset: str, pointer: str, *, tell: bool = True) -> Prepared:
    """Prepare an image file for a model of that data set, off the event loop.

    Raises:
        InvalidRequest: it is no usable image; the message says why.
    """
    work = partial(prepared, content, dataset, pointer, tell=tell)
    ready = await asyncio.get_running_loop().run_in_executor(_THREADS, work)
    if isinstance(ready, InvalidRequest):
        raise ready
    return ready


def prepared(
    content: bytes, dataset: str, pointer: str, *, tell: bool
) -> Prepared | InvalidRequest:
    """Give what `images.prepare` makes of a file, or why that is not possible."""
    try:
        return prepare(content, dataset, tell=tell)
    except ImageError as error:
        return InvalidRequest.at(pointer, str(error))


async def read_base64(text: str, dataset: str, pointer: str, *, tell: bool = True) -> Prepared:
    """Prepare an image file given in base64; raises InvalidRequest."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        detail = (
            "The text is not base64. Send the bytes of an image file in base64, nothing before it."
        )
        raise InvalidRequest.at(pointer, detail) from error
    return await read_file(content, dataset, pointer, tell=tell)


def read_numbers(rows: list[Any], pointer: str) -> Prepared:
    """Take 28 lists of 28 numbers in 0..1 as they are; raises InvalidRequest."""
    if not (len(rows) == SIDE and all(map(_is_row, rows))):
        detail = f"The image is not {SIDE} lists of {SIDE} numbers each."
        raise InvalidRequest.at(pointer, f"{detail} Send that, or an image file in base64.")
    if not all(0 <= number <= 1 for row in rows for number in row):
        detail = "The image has numbers outside 0 (background) to 1, or not finite ones."
        raise InvalidRequest.at(pointer, f"{detail} Divide bytes by 255.")
    return Prepared(np.array(rows, np.float32), [])


def _is_row(row: object) -> bool:
    """Look before an array is made: one of long texts would take gigabytes."""
    if not isinstance(row, list) or len(row) != SIDE:
        return False
    return all(type(number) in (int, float) for number in row)
