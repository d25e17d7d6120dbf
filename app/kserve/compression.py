"""Bodies that are compressed: Content-Encoding and Accept-Encoding (RFC 9110, section 8.4)."""

import zlib

from app.errors import BodyTooLarge, InvalidRequest, NotAcceptable, UnsupportedMedia
from app.http.negotiation import choose

WINDOW = {"gzip": 31, "deflate": 15}
"""zlib's `wbits` for each coding; `deflate` has zlib's own frame."""
LEVEL = 1
"""Images shrink little more at a higher one, and others wait for the answer."""


def unpack(content: bytes, coding: str | None, most: int) -> bytes:
    """Undo the coding that a request names, if any; makes at most `most` bytes.

    Raises:
        UnsupportedMedia: it is neither gzip nor deflate.
        InvalidRequest: the bytes are not of that coding, cut off, or go on after its end.
        BodyTooLarge: they unpack to more.
    """
    name = (coding or "identity").strip().lower()
    if name == "identity":
        return content
    if name not in WINDOW:
        raise UnsupportedMedia(
            f"Content-Encoding must be {' or '.join(WINDOW)}, or left out.",
            headers={"Accept-Encoding": ", ".join(WINDOW)},
        )
    unpacking = zlib.decompressobj(WINDOW[name])
    try:
        plain = unpacking.decompress(content, most + 1)
    except zlib.error as error:
        raise InvalidRequest(f"The body is not {name}, as Content-Encoding says.") from error
    if len(plain) > most:
        raise BodyTooLarge(f"The body unpacks to more than the {most} bytes that are taken here.")
    if not unpacking.eof or unpacking.unused_data:
        raise InvalidRequest(f"The body ends before or after its {name} does. Send it whole.")
    return plain


def accepted(accept: str | None) -> str | None:
    """Pick the coding that Accept-Encoding wants; None where it wants none of ours."""
    try:
        return choose(accept, tuple(WINDOW)) if accept else None
    except NotAcceptable:
        return None


def pack(content: bytes, coding: str) -> bytes:
    """Compress an answer."""
    packing = zlib.compressobj(LEVEL, wbits=WINDOW[coding])
    return packing.compress(content) + packing.flush()
