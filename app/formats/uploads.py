"""Images of a request: files, files in base64, and plain numbers."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from starlette.formparsers import MultiPartParser

from app.errors import InvalidRequest
from app.formats.image_files import Prepared, prepare
from app.formats.image_limits import is_small_png
from model.engine import IMAGE_SIDE
from model.errors import ImageError

MultiPartParser.spool_max_size = 2**40
"""Uploads stay in memory, within the bound on bodies, and are never written to a disk."""

MAX_IMAGES = 64
"""Most images of one request."""
_THREADS = ThreadPoolExecutor(2, "images")
"""Few, because each may hold an image of `MAX_PIXELS`; started with the first upload."""


async def read_files(
    contents: Sequence[bytes | Prepared | InvalidRequest],
    dataset: str,
    pointer_of: Callable[[int], str],
    *,
    with_steps: bool = True,
) -> list[Prepared]:
    """Prepare image files for a model of a data set.

    A single small file is prepared at once, because the hop to a thread and back would take as
    long. Others are prepared in threads.

    Args:
        contents: The bytes of each file; what is prepared or refused already is passed on.
        dataset: Id of the data set.
        pointer_of: Returns the JSON pointer of a file by its index, for a refusal.
        with_steps: As in `image_files.prepare`.

    Raises:
        InvalidRequest: A file is no usable image. The first such is named, with the reason.
    """
    work = [
        partial(_prepared, content, dataset, pointer_of(index), with_steps=with_steps)
        for index, content in enumerate(contents)
    ]
    if len(contents) == 1 and _is_quick(contents[0]):
        found = [work[0]()]
    else:
        loop = asyncio.get_running_loop()
        found = await asyncio.gather(*(loop.run_in_executor(_THREADS, one) for one in work))
    for one in found:
        if isinstance(one, InvalidRequest):
            raise one
    return [one for one in found if isinstance(one, Prepared)]


def _is_quick(content: bytes | Prepared | InvalidRequest) -> bool:
    return not isinstance(content, bytes) or is_small_png(content)


def _prepared(
    content: bytes | Prepared | InvalidRequest, dataset: str, pointer: str, *, with_steps: bool
) -> Prepared | InvalidRequest:
    if not isinstance(content, bytes):
        return content
    try:
        return prepare(content, dataset, with_steps=with_steps)
    except ImageError as error:
        return InvalidRequest.at(pointer, str(error))


def decode_base64(text: str, pointer: str) -> bytes:
    """Return the bytes of a file given in base64; raises InvalidRequest."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        detail = (
            "The text is not base64. Send the bytes of an image file in base64, nothing before it."
        )
        raise InvalidRequest.at(pointer, detail) from error


def read_numbers(rows: list[Any], pointer: str) -> Prepared:
    """Take 28 lists of 28 numbers in 0..1 as they are; raises InvalidRequest."""
    if not (len(rows) == IMAGE_SIDE and all(map(_is_row, rows))):
        detail = f"The image is not {IMAGE_SIDE} lists of {IMAGE_SIDE} numbers each."
        raise InvalidRequest.at(pointer, f"{detail} Send that, or an image file in base64.")
    if not all(0 <= number <= 1 for row in rows for number in row):
        detail = "The image has numbers outside 0 (background) to 1, or not finite ones."
        raise InvalidRequest.at(pointer, f"{detail} Divide bytes by 255.")
    return Prepared(np.array(rows, np.float32), [])


def _is_row(row: object) -> bool:
    """Return whether a row is 28 numbers; NumPy would make gigabytes of a row of long texts."""
    if not isinstance(row, list) or len(row) != IMAGE_SIDE:
        return False
    return all(type(number) in (int, float) for number in row)
