"""What a client may keep, and how it asks whether that is still right (RFC 9110, 9111)."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

FOR_EVER = "public, max-age=31536000, immutable"
"""For what never changes under its URL."""
ASK_AGAIN = "no-cache"
"""To keep, but to ask with the ETag before each use; the usual answer is an empty 304."""


def etag(*parts: object) -> str:
    """Make a strong ETag of whatever decides an answer's bytes."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()
    return f'"{digest}"'


def is_current(headers: Mapping[str, str], tag: str) -> bool:
    """Tell whether If-None-Match says that the client has this answer already."""
    known = headers.get("if-none-match")
    return known is not None and is_among(known, tag)


def is_known(headers: Mapping[bytes, bytes], tag: str) -> bool:
    """`is_current`, by headers as they came."""
    known = headers.get(b"if-none-match")
    return known is not None and is_among(known.decode("latin-1"), tag)


def is_among(known: str, tag: str) -> bool:
    """Tell whether the value of If-None-Match names an ETag."""
    if known == tag or known.strip() == "*":
        return True
    return tag in (part.strip().removeprefix("W/") for part in known.split(","))


def control(version: str | None, current: str) -> str:
    """Say how long a client may keep what it asked for with `?v=<version>`."""
    return FOR_EVER if version == current else ASK_AGAIN


async def cached(
    headers: Mapping[str, str],
    tag: str,
    control: str,
    make: Callable[[], Awaitable[bytes]],
    media_type: str,
) -> Response:
    """Answer 304 if the client has it, else with what `make` makes."""
    kept = {"ETag": tag, "Cache-Control": control}
    if is_current(headers, tag):
        return Response(status_code=304, headers=kept)
    return Response(await make(), headers=kept, media_type=media_type)
