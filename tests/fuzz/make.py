"""Image files that mean harm, or are strange, made here: none is anybody's.

`strange` files show a 7 and are to be encoded. `harmful` ones are to be refused, each for a reason.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from PIL import Image

from tests.app.pictures import bomb, drawing, file

ORIENTATION = 0x0112
Entry = tuple[int, int, int, int]
"""Of a TIFF's directory: tag, type, count, and the value or its place."""
DAMAGED = "damaged"
UNKNOWN = "no image file that can be read here"
LARGE = "more than the 25000000 pixels"
PIECES = "more pieces than a picture needs"
BLANK = "blank"
STRIP = ((273, 4, 1, 8), (278, 4, 1, 2**31), (279, 4, 1, 2**32 - 1))
"""A TIFF's one strip, of more bytes than any file has."""


def chunk(name: bytes, data: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(*chunks: bytes) -> bytes:
    """A PNG with more chunks after its header, which takes 33 bytes."""
    plain = file(seven())
    return plain[:33] + b"".join(chunks) + plain[33:]


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND")


def jpeg_with(*segments: bytes) -> bytes:
    """A JPEG with more segments after its first marker."""
    plain = file(seven(), "JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def segment(marker: bytes, data: bytes = b"") -> bytes:
    return b"\xff" + marker + struct.pack(">H", len(data) + 2) + data


def jpeg_with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    plain = file(seven(), "JPEG", progressive=True)
    last = plain[plain.rindex(b"\xff\xda") : -2]
    return plain[:-2] + count * last + plain[-2:]


def tiff(*entries: Entry) -> bytes:
    """A TIFF of one directory."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return head + table + bytes(4)


def tiff_of(width: int, height: int, *entries: Entry) -> bytes:
    """A grey TIFF of 8 bits, of which only the directory is there."""
    basis = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)]
    return tiff(*basis, (262, 3, 1, 1), (277, 3, 1, 1), *entries)


def gif_of(width: int, height: int, frames: int = 1) -> bytes:
    """A GIF whose screen is that large and whose frames are one pixel."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + screen + frames * frame + b";"


def webp_of(width: int, height: int) -> bytes:
    """An animated WebP that promises a canvas."""
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    canvas = b"VP8X" + struct.pack("<IB3x", 10, 0x02) + sides
    body = b"WEBP" + canvas + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp_of(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def jpeg_of(side: int) -> bytes:
    """A JPEG that promises so many pixels a side."""
    plain = bytearray(file(seven(), "JPEG"))
    frame = plain.index(b"\xff\xc0")
    plain[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    return bytes(plain)


def cyclic() -> bytes:
    """A TIFF whose directory is followed by itself."""
    plain = bytearray(file(seven(), "TIFF", compression="tiff_lzw"))
    (first,) = struct.unpack_from("<I", plain, 4)
    (entries,) = struct.unpack_from("<H", plain, first)
    struct.pack_into("<I", plain, first + 2 + 12 * entries, first)
    return bytes(plain)


def exif(content: bytes) -> bytes:
    return segment(b"\xe1", b"Exif\0\0" + content)


def seven(**how: object) -> Image.Image:
    return drawing((160, 170), **how)  # type: ignore[arg-type]


def turned(orientation: int, kind: str = "JPEG") -> bytes:
    """The 7 as a camera stores it that was held so: EXIF 2.3, table 4."""
    undone = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the inverse, as Pillow numbers it
    image = seven()
    if orientation in undone:
        image = image.transpose(Image.Transpose(undone[orientation]))
    note = Image.Exif()
    note[ORIENTATION] = orientation
    return file(image, kind, exif=note)


def levels(kind: type, peak: float) -> Image.Image:
    return Image.fromarray((np.asarray(seven()) / 255 * peak).astype(kind))


def moving(kind: str, frames: int) -> bytes:
    others = [seven().rotate(7 * turn) for turn in range(1, frames)]
    return file(seven(), kind, save_all=True, append_images=others)


@cache
def strange() -> dict[str, bytes]:
    """Files that show the 7 as `seven` has it, by name."""
    plain, jpeg, gif = file(seven()), file(seven(), "JPEG"), file(seven(), "GIF")
    packed = zlib.compress(b"?")
    see_through = seven(ink=(255, 255, 255, 255), paper=(0, 0, 0, 0), mode="RGBA")
    absurd = tiff((ORIENTATION, 3, 2**32 - 1, 2**32 - 1), (270, 2, 2**31, 8))
    return {
        **{f"turned-{orientation}.jpg": turned(orientation) for orientation in range(1, 9)},
        **{f"turned.{kind}": turned(6, kind) for kind in ("png", "tiff", "webp")},
        **{f"moving.{kind}": moving(kind, 20) for kind in ("gif", "png", "webp")},
        "deep.png": file(levels(np.uint16, 65535)),
        "deep.tiff": file(levels(np.int32, 2e9), "TIFF"),
        "float.tiff": file(levels(np.float32, 3e38), "TIFF"),
        "tiny-float.tiff": file(levels(np.float32, 1e-42), "TIFF"),
        "cmyk.jpg": file(seven(ink="white", paper="black", mode="RGB").convert("CMYK"), "JPEG"),
        "cmyk.tiff": file(seven(ink="white", paper="black", mode="RGB").convert("CMYK"), "TIFF"),
        "bilevel.png": file(seven().convert("1")),
        "bilevel.bmp": file(seven().convert("1"), "BMP"),
        "fax.tiff": file(seven().convert("1"), "TIFF", compression="group4"),
        "palette.png": file(seven().convert("P")),
        "see-through.png": file(see_through),
        "see-through-palette.png": file(see_through.convert("P"), transparency=0),
        "see-through.gif": file(see_through, "GIF"),
        "progressive.jpg": file(seven(), "JPEG", progressive=True),
        "lossless.webp": file(seven(mode="RGB", ink="white"), "WEBP", lossless=True),
        "packed.tiff": file(seven(), "TIFF", compression="tiff_lzw"),
        "cyclic.tiff": cyclic(),
        "html.png": plain + b"<script>alert(1)</script>",
        "html-inside.png": png_with(chunk(b"tEXt", b"Title\0<script>alert(1)</script>")),
        "script.gif": gif + b"*/=1;alert(1)//",
        "archive.jpg": jpeg + b"PK\x05\x06" + bytes(18),
        "broken-exif.jpg": jpeg_with(exif(b"II*\0\xff\xff\xff\xff")),
        "no-exif.jpg": jpeg_with(exif(b"")),
        "absurd-exif.jpg": jpeg_with(exif(absurd)),
        "absurd-exif.png": png_with(chunk(b"eXIf", absurd)),
        "broken-exif.png": png_with(chunk(b"zTXt", b"Raw profile type exif\0\0" + packed)),
        "wrong-checksum-of-a-comment.png": plain[:-12] + b"\0\0\0\0tEXt1234" + plain[-12:],
    }


@cache
def harmful() -> dict[str, tuple[bytes, str]]:
    """Files by name, each with the reason for which it is refused."""
    return {**_large(), **_in_pieces(), **_damaged(), **_other()}


def _large() -> dict[str, tuple[bytes, str]]:
    bombs = {
        "huge.png": bomb(),
        "huge.gif": gif_of(65535, 65535),
        "huge.webp": webp_of(16383, 16383),
        "huge.bmp": bmp_of(2**30, 2**30),
        "huge.jpg": jpeg_of(65500),
        "huge.tiff": tiff_of(2**31, 2**31, *STRIP),
        "just-too-large.png": png_of(5001, 5000, b""),
    }
    return {name: (content, LARGE) for name, content in bombs.items()}


def _in_pieces() -> dict[str, tuple[bytes, str]]:
    strips = [(tag, 4, 2**24, 8) for tag in (273, 279)]
    heads = {
        "chunks.png": png_with(*3000 * [chunk(b"abCd")]),
        "segments.jpg": jpeg_with(*3000 * [segment(b"\xe5")]),
        "notes.jpg": jpeg_with(*3000 * [exif(b"?")]),
        "padding.jpg": jpeg_with(3000 * b"\xff"),
        "scans.jpg": jpeg_with_scans(101),
        "comments.gif": gif_of(9, 9, 0)[:-1] + 3000 * b"!\xfe\0" + gif_of(9, 9)[19:],
        "many-strips.tiff": tiff_of(99, 99, *strips),
    }
    return {name: (content, PIECES) for name, content in heads.items()}


def _damaged() -> dict[str, tuple[bytes, str]]:
    packed = b"a\0\0" + zlib.compress(bytes(2**23), 9)
    nan, infinite = (np.asarray(seven()).astype(np.float32) for _ in range(2))
    nan[9, 9], infinite[9, 9] = np.nan, -np.inf
    return {
        "huge-strip.tiff": (tiff_of(99, 99, *STRIP), DAMAGED),
        "profile-bomb.png": (png_with(chunk(b"iCCP", packed)), DAMAGED),
        "text-bomb.png": (png_with(chunk(b"zTXt", packed)), DAMAGED),
        "pixel-bomb.png": (png_of(99, 99, bytes(2**23)), BLANK),
        "nan.tiff": (file(Image.fromarray(nan), "TIFF"), DAMAGED),
        "infinite.tiff": (file(Image.fromarray(infinite), "TIFF"), DAMAGED),
        "blank.png": (png_of(40, 40, bytes(41 * 40)), BLANK),
        "no-pixel.png": (png_of(0, 0, b""), UNKNOWN),
        "no-pixel.gif": (gif_of(0, 0), BLANK),  # Pillow sees the frame of one pixel
        "no-pixel.bmp": (bmp_of(0, 0), UNKNOWN),
        "no-pixel.tiff": (tiff_of(0, 0, *STRIP), UNKNOWN),
        "thousands.gif": (gif_of(28, 28, 5000), BLANK),
    }


def _other() -> dict[str, tuple[bytes, str]]:
    others = {
        "empty": b"",
        "text.png": b"This is a picture of a seven.",
        "markup.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nquit\n",
        "page.pdf": b"%PDF-1.7\n%%EOF",
        **{f"other.{kind}": file(seven(), kind) for kind in ("ico", "ppm", "tga", "jpeg2000")},
    }
    return {name: (content, UNKNOWN) for name, content in others.items()}


def truncated(contents: Iterable[bytes]) -> Iterator[bytes]:
    """Each file, cut at every tenth of it."""
    for content in contents:
        for tenth in range(10):
            yield content[: len(content) * tenth // 10]
