"""Compressed bodies: Content-Encoding and Accept-Encoding (RFC 9110, section 8.4).

ISA-L makes JSON as small as zlib does, and HTML a tenth larger, in a fifth of the time.
"""

import zlib
from functools import lru_cache, partial

from isal import igzip, isal_zlib
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BodyTooLarge, InvalidRequest, NotAcceptable, UnsupportedMedia
from app.http.negotiation import choose

MIN_BYTES = 1400
"""Smaller bodies stay as they are: they fit into one packet anyway."""
LEVEL = 3
"""ISA-L's highest: 30 KB take 60 microseconds."""
TEXT = ("application/json", "application/problem+json", "text/")
WINDOW = {"gzip": 31, "deflate": 15}
"""zlib's `wbits` for each coding; `deflate` has zlib's own frame."""
CODINGS = tuple(WINDOW)


@lru_cache(maxsize=256)
def choose_coding(accept_encoding: str | None, offered: tuple[str, ...] = ("gzip",)) -> str | None:
    """Return the offered coding that Accept-Encoding wants most; None if it wants none."""
    if not accept_encoding:
        return None
    try:
        return choose(accept_encoding, offered)
    except NotAcceptable:
        return None


gzip = partial(igzip.compress, compresslevel=LEVEL, mtime=0)
"""Compress a body with gzip; equal bodies give equal bytes."""


def compress(content: bytes, coding: str) -> bytes:
    """Compress a body with gzip or deflate; equal bodies give equal bytes."""
    if coding == "gzip":
        return gzip(content)
    return isal_zlib.compress(content, LEVEL)


class Unpacking:
    """Undoes the coding that a request names, piece by piece.

    Args:
        coding: What Content-Encoding says.
        max_bytes: To which a body may unpack.

    Raises:
        UnsupportedMedia: The coding is neither gzip nor deflate.
    """

    def __init__(self, coding: str, max_bytes: int) -> None:
        self.name, self.left = coding.strip().lower(), max_bytes
        if self.name not in WINDOW:
            raise UnsupportedMedia(
                f"Content-Encoding must be {' or '.join(CODINGS)}, or left out.",
                headers={"Accept-Encoding": ", ".join(CODINGS)},
            )
        self._unpacking = zlib.decompressobj(WINDOW[self.name])

    def unpack(self, piece: bytes, is_last: bool) -> bytes:
        """Return what a piece unpacks to.

        Raises:
            InvalidRequest: The bytes are not of that coding, are cut off, or go on after its end.
            BodyTooLarge: All pieces unpack to more than `max_bytes`.
        """
        try:
            plain = self._unpacking.decompress(piece, self.left + 1)
        except zlib.error as error:
            raise InvalidRequest(
                f"The body is not {self.name}, as Content-Encoding says."
            ) from error
        if len(plain) > self.left:
            raise BodyTooLarge(
                "The body unpacks to more bytes than are taken here. Send less at once."
            )
        self.left -= len(plain)
        if self._unpacking.unused_data or (is_last and not self._unpacking.eof):
            raise InvalidRequest(
                f"The body ends before or after its {self.name} does. Send it whole."
            )
        return plain


class CompressText:
    """ASGI middleware: compresses text that comes in one piece.

    Images and arrays pass as they are. A strong ETag becomes a weak one, because the bytes are no
    longer the same (RFC 9110, section 8.8.3).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not choose_coding(
            Headers(scope=scope).get("accept-encoding")
        ):
            await self.app(scope, receive, send)
            return
        start: Message = {}

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_text(message):
                start = message
                return
            if start and message["type"] == "http.response.body":
                if not message.get("more_body") and len(message["body"]) >= MIN_BYTES:
                    message = {**message, "body": gzip(message["body"])}
                    _describe(start, len(message["body"]))
                await send(start)
                start = {}
            await send(message)

        await self.app(scope, receive, send_compressed)


def _is_text(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "")
    return kind.startswith(TEXT) and "content-encoding" not in headers


def _describe(start: Message, length: int) -> None:
    start["headers"] = list(start["headers"])
    headers = MutableHeaders(raw=start["headers"])
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(length)
    headers.add_vary_header("Accept-Encoding")
    tag = headers.get("etag", "")
    if tag.startswith('"'):
        headers["ETag"] = f"W/{tag}"
