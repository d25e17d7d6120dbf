"""Bounds on the pieces of an image file: a piece takes a few bytes, and each is work for Pillow.

Without them a file of a quarter of a megabyte keeps a thread busy for minutes.
"""

import io
import re
import struct

from model.errors import ImageError

HEAD = 2_000
"""Reads until the size of the image is known."""
BYTES = 256
"""After that, one read is allowed for so many bytes; Pillow takes 3 reads for 8,192 of a PNG."""
SCANS = 100
"""Of a JPEG; each is a pass over all pixels. libtiff has the same bound; cameras write 1 to 10."""
STRIPS = 100_000
"""Strips or tiles of a TIFF; 25 million pixels are as many tiles of 16 x 16."""
SMALL_SIDE, FEW_CHUNKS = 160, 64
"""Most pixels of a side, and most chunks, of a small PNG."""

_PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"
"""Width and height follow."""
_PNG_BODY = 33
"""Bytes before the second chunk of a PNG."""
_OF_PIXELS = frozenset(b"PLTE tRNS gAMA cHRM sRGB sBIT bKGD pHYs tIME IDAT IEND".split())
"""Chunks of a PNG that are read quickly, however long: pixels, and how to show them."""
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_START_OF_SCAN, _END = b"\xda", b"\xd9"
_OFFSETS = (273, 324)
"""TIFF's tags StripOffsets and TileOffsets."""


class BoundedFile(io.BytesIO):
    """A file that raises ImageError, at once or by a later read, if it is in too many pieces."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.left = HEAD
        if _scans(content) > SCANS or _strips(content) > STRIPS:
            raise _too_many()

    def allow_body(self) -> None:
        """Allow the reads of the image itself, after those of its head."""
        self.left = HEAD + len(self.getbuffer()) // BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise _too_many()
        return super().read(size)


def is_small_png(content: bytes) -> bool:
    """Return whether a file is a PNG of few pixels, which is prepared in 2 ms at most.

    One with text, profiles or another head is not: those can keep a thread busy for long.
    """
    if len(content) < _PNG_BODY or not content.startswith(_PNG_HEAD):
        return False
    width, height = struct.unpack_from(">II", content, len(_PNG_HEAD))
    if max(width, height) > SMALL_SIDE:
        return False
    place = _PNG_BODY
    for _ in range(FEW_CHUNKS):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        if kind not in _OF_PIXELS:
            return False
        place += 12 + length
        if kind == b"IEND":
            return place == len(content)
    return False


def _too_many() -> ImageError:
    return ImageError(
        "The image file is in more pieces than a picture needs. Save it again, as PNG for example."
    )


def _scans(content: bytes) -> int:
    """Count the scans of a JPEG; 0 for another file, above `SCANS` for one of too many segments."""
    if not content.startswith(b"\xff\xd8"):
        return 0
    count, place = 0, 2
    for _ in range(HEAD):
        marker = _MARKER.search(content, place)
        if marker is None or marker[1] == _END:
            return count
        count += marker[1] == _START_OF_SCAN
        place = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2], "big")
    return SCANS + 1


def _strips(content: bytes) -> int:
    """Count the strips or tiles of the first image of a TIFF; 0 for another file."""
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    if order is None or len(content) < 16:
        return 0
    big = content[2] == 43  # BigTIFF, by Pillow's test
    first, number, entry = ("8xQ", "Q", "HHQ8x") if big else ("4xI", "H", "HHI4x")
    try:
        (place,) = struct.unpack_from(order + first, content)
        (entries,) = struct.unpack_from(order + number, content, place)
        place += struct.calcsize(order + number)
        size = struct.calcsize(order + entry)
        table = content[place : place + size * min(entries, 0xFFFF)]
        counts = struct.iter_unpack(order + entry, table[: len(table) // size * size])
    except (struct.error, OverflowError):  # a place beyond the file, or beyond any
        return 0
    return max((count for tag, _, count in counts if tag in _OFFSETS), default=0)
