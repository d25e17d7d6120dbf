"""Images of a request: files, files in base64, and plain numbers."""

import asyncio
import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np

from app.errors import InvalidRequest
from app.formats import png
from app.formats.image_files import prepare
from app.formats.image_limits import is_small_png
from model.engine import AS_SEEN, Form, ImageShape, Prepared, Reading
from model.errors import ImageError

Result = TypeVar("Result")

MAX_IMAGES = 64
_DATA_URL = "data:"
_LINE_BREAKS = b"\r\n\t "
MAX_HOPS = 16
"""To the thread and back for a request; each keeps the event loop for 60 microseconds."""
_THREAD = ThreadPoolExecutor(1, "images")
"""One, because threads that run Python take turns with the event loop: a drag waits for each."""


def in_thread(work: Callable[..., Result], *arguments: object) -> asyncio.Future[Result]:
    """Start work on images in the thread that does it for all requests, in their order."""
    return asyncio.get_running_loop().run_in_executor(_THREAD, work, *arguments)


async def read_images(
    entries: Mapping[str, object],
    form: Form,
    *,
    reading: Reading = AS_SEEN,
    with_steps: bool = True,
) -> list[Prepared]:
    """Prepare images for a model; all but a single small one in a thread.

    Args:
        entries: By their JSON pointers: bytes of an image file, the same in base64, or numbers in
            lists or an array.
        form: What its data set's images are like.
        reading: As in `image_files.prepare`; numbers take none.
        with_steps: As there.

    Raises:
        InvalidRequest: An entry is no usable image. The first such is named, with the reason.
    """
    prepared = partial(_prepared, form=form, reading=reading, with_steps=with_steps)
    if len(entries) == 1:  # for a small one, the hop to a thread and back would take as long
        ((pointer, entry),) = entries.items()
        content = _content(entry, pointer, form.image)
        if isinstance(content, Prepared) or is_small_png(content):
            return [prepared(content, pointer)]
        entries = {pointer: content}

    def prepare_all(part: Sequence[tuple[str, object]]) -> list[Prepared]:
        return [prepared(entry, pointer) for pointer, entry in part]

    each = list(entries.items())
    size = math.ceil(len(each) / MAX_HOPS)
    parts = [each[start : start + size] for start in range(0, len(each), size)]
    running = [in_thread(prepare_all, part) for part in parts]
    found: list[Prepared] = []
    for part in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(part, BaseException):
            raise part
        found += part
    return found


def _prepared(
    entry: object, pointer: str, *, form: Form, reading: Reading, with_steps: bool
) -> Prepared:
    content = _content(entry, pointer, form.image)
    if isinstance(content, Prepared):
        if reading != AS_SEEN:
            detail = "Numbers are encoded as they are. Send an image file to have it prepared."
            raise InvalidRequest.at(pointer, detail)
        return content
    try:
        return prepare(content, form, reading=reading, with_steps=with_steps)
    except ImageError as error:
        raise InvalidRequest.at(pointer, str(error)) from error


def _content(entry: object, pointer: str, shape: ImageShape) -> bytes | Prepared:
    match entry:
        case bytes() | Prepared():
            return entry
        case str():
            return _decode_base64(entry, pointer)
        case list():
            return _read_numbers(entry, pointer, shape)
        case np.ndarray():
            return _read_array(entry, pointer, shape)
    detail = f"The image is neither base64 text nor {_lists(shape)}."
    raise InvalidRequest.at(pointer, detail)


def _decode_base64(text: str, pointer: str) -> bytes:
    """Return the bytes of a file in base64, which may have line breaks or be a data URL (RFC 2397).

    Raises:
        InvalidRequest: It is neither.
    """
    if text[: len(_DATA_URL)].lower() == _DATA_URL:
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            detail = "The data URL is not in base64. Send `data:image/png;base64,` and the file."
            raise InvalidRequest.at(pointer, detail)
    try:
        return base64.b64decode(text.encode().translate(None, _LINE_BREAKS), validate=True)
    except (binascii.Error, ValueError) as error:
        detail = (
            "The text is not base64. Send the bytes of an image file in base64, or a `data:` URL."
        )
        raise InvalidRequest.at(pointer, detail) from error


def _lists(shape: ImageShape) -> str:
    rows = f"{shape.height} lists of {shape.width}"
    return f"{rows} lists of 3 numbers" if shape.is_colour else f"{rows} numbers"


def _read_numbers(rows: list[Any], pointer: str, shape: ImageShape) -> Prepared:
    """Take lists of numbers in 0..1 of the model's shape as they are; raises InvalidRequest."""
    if not _is_of(rows, shape.axes):
        detail = f"The image is not {_lists(shape)} each."
        raise InvalidRequest.at(pointer, f"{detail} Send that, or an image file in base64.")
    try:
        levels = np.array(rows, np.float64)
    except OverflowError:  # a whole number too large for a float
        levels = np.array([math.inf])
    if not ((levels >= 0) & (levels <= 1)).all():
        detail = "The image has numbers outside 0 (background) to 1, or not finite ones."
        raise InvalidRequest.at(pointer, f"{detail} Divide bytes by 255.")
    return Prepared(levels.astype(np.float32), [])


def _read_array(image: np.ndarray, pointer: str, shape: ImageShape) -> bytes | Prepared:
    """Take an image of the model's shape as it is, and make a file of any other.

    Raises:
        InvalidRequest: It is empty, has other channels than 3, or numbers out of bounds.
    """
    most = 1 if image.dtype.kind == "f" else 255
    if not image.size or not ((image >= 0) & (image <= most)).all():
        detail = f"The image is empty, or has numbers outside 0 (background) to {most}."
        raise InvalidRequest.at(pointer, f"{detail} Whole numbers go to 255, floats to 1.")
    if image.ndim == 3 and image.shape[2] != 3:
        detail = f"The image has {image.shape[2]} channels; grey ones have no such axis."
        raise InvalidRequest.at(pointer, f"{detail} Send N x H x W, or N x H x W x 3 in colour.")
    levels = image.astype(np.float64) / most
    if image.shape == shape.axes:
        return Prepared(levels.astype(np.float32), [])
    return png.encode(np.floor(255 * levels + 0.5).astype(np.uint8))


def _is_of(entry: object, axes: tuple[int, ...]) -> bool:
    """Return whether lists of lists have these lengths and hold numbers.

    NumPy would make gigabytes of a list of long texts.
    """
    if not axes:
        return type(entry) in (int, float)
    if not isinstance(entry, list) or len(entry) != axes[0]:
        return False
    if len(axes) == 1:
        return all(type(number) in (int, float) for number in entry)
    return all(_is_of(inner, axes[1:]) for inner in entry)
