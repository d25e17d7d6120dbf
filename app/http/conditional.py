"""Conditional requests and caching headers (RFC 9110, section 13; RFC 9111)."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

FOR_EVER = "public, max-age=31536000, immutable"
"""For what never changes under its URL."""
ASK_AGAIN = "no-cache"
"""A client may keep it, but asks with the ETag before each use; the usual answer is a 304."""
KEPT = ("etag", "cache-control", "vary")
"""Headers of a response that its 304 has too."""


def etag(*parts: object) -> str:
    """Make a strong ETag of whatever decides an answer's bytes."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()
    return f'"{digest}"'


def is_current(headers: Mapping[str, str], tag: str) -> bool:
    """Return whether If-None-Match names this ETag: the client has the answer already.

    `*` is not looked at: it asks whether there is any answer at all, which only its maker knows.
    """
    known = headers.get("if-none-match")
    if known is None:
        return False
    return known == tag or tag in [part.strip().removeprefix("W/") for part in known.split(",")]


def answer_if_changed(headers: Mapping[str, str], response: Response) -> Response:
    """Return a 304 in place of a response that is there when If-None-Match is `*`."""
    if headers.get("if-none-match", "").strip() != "*":
        return response
    kept = {name: response.headers[name] for name in KEPT if name in response.headers}
    return Response(status_code=304, headers=kept)


def control(version: str | None, current: str) -> str:
    """Say how long a client may keep what it asked for with `?v=<version>`."""
    return FOR_EVER if version == current else ASK_AGAIN


async def cached(
    headers: Mapping[str, str],
    tag: str,
    control: str,
    make: Callable[[], Awaitable[bytes]],
    media_type: str,
    **more: str,
) -> Response:
    """Answer 304 if the client has it, else with what `make` makes; `more` are headers of both."""
    kept = {"ETag": tag, "Cache-Control": control, **more}
    if is_current(headers, tag):
        return Response(status_code=304, headers=kept)
    response = Response(await make(), headers=kept, media_type=media_type)
    return answer_if_changed(headers, response)
