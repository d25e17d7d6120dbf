"""PNG files, written by hand: eight times faster than a general library for small images.

ISA-L compresses them, in a quarter of the time that zlib takes for so few bytes.

Source: Portable Network Graphics, third edition (W3C 2025), sections 5, 9 and 11.
"""

import struct
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from isal import isal_zlib
from jaxtyping import Int64, UInt8, UInt16

GreyLevels = UInt8[np.ndarray, "height width"]
Pixels = UInt8[np.ndarray, "height width ..."]
"""Grey levels, or three numbers for each pixel: red, green, blue."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_PIXELS = b"IDAT"
_OF_PIXELS = isal_zlib.crc32(_PIXELS)
"""The checksum of the type of a chunk of pixels, with which that of the chunk begins."""
_FEW_BYTES, _FEW_COMPRESSED = 2048, 850
"""Up to so many bytes ISA-L's lowest level is tried first: it takes a seventh of the time and saves
a third less. If its result is longer than the second number, the next level is worth its time."""
_GREY, _COLOUR = 0, 2
_SAME_AS_ABOVE = 2  # the filter "up"; with a row of zeros it repeats the row above


def encode(image: Pixels) -> bytes:
    """Write an 8-bit image, row-major, 0 = black."""
    height, width, *rgb = image.shape
    line = width * 3 if rgb else width
    rows = np.zeros((height, line + 1), np.uint8)  # each row starts with its filter: 0, none
    rows[:, 1:] = image.reshape(height, line)
    return _file(width, height, rows, colour=_COLOUR if rgb else _GREY)


def encode_enlarged(image: Pixels, size: int) -> bytes:
    """Write an image with a longer side of `size`, a block for each pixel: nothing is blended.

    A row that repeats the one above is written as a repetition, so that a large file costs little
    more than a small one.
    """
    grid = _enlargement(*image.shape, size=size)
    rows = grid.blank.copy()
    drawn = image[grid.row_of_first].take(grid.column_of, axis=1)
    rows[grid.first, 1:] = drawn.reshape(len(grid.first), -1)
    return _file(grid.width, len(rows), rows, colour=_COLOUR if image.ndim == 3 else _GREY)


class _Enlargement(NamedTuple):
    """Where the pixels of an enlarged image come from."""

    width: int
    blank: UInt8[np.ndarray, "height bytes"]
    """Its rows with their filters, without pixels."""
    first: Int64[np.ndarray, " rows"]
    """The rows that differ from the row above."""
    row_of_first: Int64[np.ndarray, " rows"]
    """The row of the image that each of these shows."""
    column_of: Int64[np.ndarray, " width"]


@lru_cache(maxsize=64)
def _enlargement(height: int, width: int, channels: int = 1, *, size: int) -> _Enlargement:
    down, across = (max(1, size * side // max(height, width)) for side in (height, width))
    row_of = np.arange(down) * height // down
    first = np.flatnonzero(np.diff(row_of, prepend=-1))
    blank = np.zeros((down, across * channels + 1), np.uint8)
    blank[:, 0] = _SAME_AS_ABOVE
    blank[first, 0] = 0
    return _Enlargement(across, blank, first, row_of[first], np.arange(across) * width // across)


def encode_deep(image: UInt16[np.ndarray, "height width"]) -> bytes:
    """Write a 16-bit grey image, row-major, 0 = black."""
    height, width = image.shape
    rows = np.zeros((height, 2 * width + 1), np.uint8)
    rows[:, 1:] = image.astype(">u2").view(np.uint8)
    return _file(width, height, rows, depth=16)


def _file(
    width: int,
    height: int,
    rows: UInt8[np.ndarray, "height bytes"],
    *,
    depth: int = 8,
    colour: int = _GREY,
) -> bytes:
    pixels = isal_zlib.compress(rows.data, 0) if rows.nbytes <= _FEW_BYTES else b""
    if not 0 < len(pixels) <= _FEW_COMPRESSED:
        pixels = isal_zlib.compress(rows.data, 1)
    checksum = isal_zlib.crc32(pixels, _OF_PIXELS).to_bytes(4)
    return b"".join(
        (
            _head(width, height, depth, colour),
            len(pixels).to_bytes(4),
            _PIXELS,
            pixels,
            checksum,
            _END,
        )
    )


@lru_cache(maxsize=64)
def _head(width: int, height: int, depth: int, colour: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    length, checksum = len(header) - 4, isal_zlib.crc32(header)
    return b"".join((_SIGNATURE, length.to_bytes(4), header, checksum.to_bytes(4)))
