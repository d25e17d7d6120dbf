"""Grey PNG files, written by hand: eight times faster than a general library for 28 x 28.

ISA-L compresses them, in a quarter of the time that zlib takes for so few bytes.

Source: Portable Network Graphics, third edition (W3C 2025), sections 5, 9 and 11.
"""

import struct
from functools import lru_cache

import numpy as np
from isal import isal_zlib
from jaxtyping import Int64, UInt8, UInt16

GreyLevels = UInt8[np.ndarray, "height width"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_PIXELS = b"IDAT"
_OF_PIXELS = isal_zlib.crc32(_PIXELS)
"""The checksum of the type of a chunk of pixels, with which that of the chunk begins."""
_FEW_BYTES, _FEW_COMPRESSED = 2048, 850
"""Up to so many bytes ISA-L's lowest level is tried first: it takes a seventh of the time and saves
a third less. If its result is longer than the second number, the next level is worth its time."""
_SAME_AS_ABOVE = 2  # the filter "up"; with a row of zeros it repeats the row above


def encode(image: GreyLevels) -> bytes:
    """Write an 8-bit grey image, row-major, 0 = black."""
    height, width = image.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row starts with its filter: 0, none
    rows[:, 1:] = image
    return _file(width, height, rows)


def encode_enlarged(image: GreyLevels, size: int) -> bytes:
    """Write a square image at `size` x `size`, with a block for each pixel: nothing is blended.

    A row that repeats the one above is written as a repetition, so that a large file costs little
    more than a small one.
    """
    blank, first, source = _enlargement(len(image), size)
    rows = blank.copy()
    rows[first, 1:] = image[source[first]].take(source, axis=1)
    return _file(size, size, rows)


@lru_cache(maxsize=64)
def _enlargement(
    side: int, size: int
) -> tuple[UInt8[np.ndarray, "size bytes"], Int64[np.ndarray, " rows"], Int64[np.ndarray, " size"]]:
    """Return blank rows, those that differ from the row above, and the source of each pixel."""
    source = np.arange(size) * side // size
    first = np.flatnonzero(np.diff(source, prepend=-1))
    blank = np.zeros((size, size + 1), np.uint8)
    blank[:, 0] = _SAME_AS_ABOVE
    blank[first, 0] = 0
    return blank, first, source


def encode_deep(image: UInt16[np.ndarray, "height width"]) -> bytes:
    """Write a 16-bit grey image, row-major, 0 = black."""
    height, width = image.shape
    rows = np.zeros((height, 2 * width + 1), np.uint8)
    rows[:, 1:] = image.astype(">u2").view(np.uint8)
    return _file(width, height, rows, depth=16)


def _file(
    width: int, height: int, rows: UInt8[np.ndarray, "height bytes"], depth: int = 8
) -> bytes:
    pixels = isal_zlib.compress(rows.data, 0) if rows.nbytes <= _FEW_BYTES else b""
    if not 0 < len(pixels) <= _FEW_COMPRESSED:
        pixels = isal_zlib.compress(rows.data, 1)
    checksum = isal_zlib.crc32(pixels, _OF_PIXELS).to_bytes(4)
    return b"".join(
        (_head(width, height, depth), len(pixels).to_bytes(4), _PIXELS, pixels, checksum, _END)
    )


@lru_cache(maxsize=64)
def _head(width: int, height: int, depth: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)  # grey
    length, checksum = len(header) - 4, isal_zlib.crc32(header)
    return b"".join((_SIGNATURE, length.to_bytes(4), header, checksum.to_bytes(4)))
