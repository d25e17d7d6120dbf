"""NumPy files: arrays as `numpy.save` and `numpy.savez` write them."""

import io
import math
from functools import lru_cache
from typing import Any

import numpy as np

from app.errors import InvalidRequest

Array = np.ndarray[Any, np.dtype[Any]]

_START = b"\x93NUMPY\x01\x00"
"""The start of a file of version 1.0; the length of its head and the head follow."""
LONGEST_HEAD = 1000
"""Bytes of these three together; `numpy.save` writes 128."""


def read(content: bytes, *dimensions: int) -> Array:
    """Return the numbers of a file, by rows or by columns as they lie there.

    Raises:
        InvalidRequest: It is no such file, or of other dimensions or of no plain numbers.
    """
    head = len(_START) + 2 + int.from_bytes(content[len(_START) : len(_START) + 2], "little")
    if not content.startswith(_START) or head > LONGEST_HEAD:
        raise _refusal("it does not begin as one of version 1.0")
    shape, by_columns, numbers = _described(content[:head])
    is_plain = len(shape) in dimensions and all(type(size) is int and size >= 0 for size in shape)
    if not is_plain or numbers.kind not in "fiu" or numbers.itemsize > 8:
        raise _refusal(
            f"it holds no array of {' or '.join(map(str, dimensions))} dimensions of whole numbers "
            f"or floats, but one of {len(shape)} of the type {numbers.str}"
        )
    if len(content) != head + math.prod(shape) * numbers.itemsize:
        raise _refusal("it is longer or shorter than its head says")
    found = np.frombuffer(content, numbers, offset=head)
    return found.reshape(shape, order="F" if by_columns else "C")


@lru_cache(maxsize=64)
def _described(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape of an array, whether its columns come first, and the type of its numbers."""
    try:
        return np.lib.format.read_array_header_1_0(io.BytesIO(head[len(_START) :]))
    except Exception as error:  # its parser raises many types for damage
        raise _refusal("its head cannot be read") from error


def _refusal(reason: str) -> InvalidRequest:
    detail = f"The body is no NumPy file as it is needed here: {reason}. Write it by numpy.save."
    return InvalidRequest.at("#", detail)


def write(array: Array) -> bytes:
    """Return an array as a file."""
    return b"".join((_head(array.shape, array.dtype.str), np.ascontiguousarray(array).data))


@lru_cache(maxsize=64)
def _head(shape: tuple[int, ...], numbers: str) -> bytes:
    file = io.BytesIO()
    described = {"descr": numbers, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
    return file.getvalue()


def archive(**arrays: object) -> bytes:
    """Return several named arrays, numbers and texts as one file, without those that are None."""
    file = io.BytesIO()
    there: dict[str, Any] = {name: one for name, one in arrays.items() if one is not None}
    np.savez(file, **there)
    return file.getvalue()
