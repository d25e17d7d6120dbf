"""Image files for uploads."""

import io
import struct
import zlib

from PIL import Image, ImageDraw


def file(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, format=kind, **options)
    return target.getvalue()


def drawing(
    size: tuple[int, int] = (300, 200), ink: object = 255, paper: object = 0, mode: str = "L"
) -> Image.Image:
    """Return a bold 7 that is not centred."""
    image = Image.new(mode, size, paper)  # type: ignore[arg-type]
    stroke = [(60, 40), (140, 40), (90, 150)]
    ImageDraw.Draw(image).line(stroke, fill=ink, width=18)  # type: ignore[arg-type]
    return image


def bomb() -> bytes:
    """Return a PNG of a hundred bytes whose head says 50,000 x 50,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(header))
    data = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + checksum + data
