"""PNG files kept in memory up to a bound, each made once however many requests wait for it."""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from app.http.conditional import answer_if_changed
from app.http.negotiation import PNG

ENTRY_BYTES = 1700
"""What a kept image takes besides its bytes and its name: its place, a response, a target."""
MAX_TARGETS = 20_000
"""Targets remembered; each takes about two kilobytes."""
MAX_TARGET = 512
"""Characters of a target that is remembered, at most."""


class CachedImage(NamedTuple):
    """A PNG file, and what a header says of how to read it."""

    content: bytes
    legend: str = ""

    @property
    def nbytes(self) -> int:

        return sys.getsizeof(self.content) + sys.getsizeof(self.legend)


Make = Callable[[], Awaitable[CachedImage]]


class PngResponse(Response):
    """A PNG file, or the 304 in its place, that may be sent many times.

    Whatever wraps `send` gets headers of its own, which it may change.
    """

    media_type = PNG

    def __init__(self, image: CachedImage | None, tag: str, cache_control: str) -> None:
        self.status_code, self.body, self.background = 304, b"", None
        self.raw_headers = [(b"etag", tag.encode()), (b"cache-control", cache_control.encode())]
        if image is not None:
            self.status_code, self.body = 200, image.content
            length = b"%d" % len(image.content)
            self.raw_headers += [(b"content-length", length), (b"content-type", PNG.encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = self.raw_headers.copy()
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@dataclass(eq=False, slots=True)
class _Target:
    """What was answered to a target: the image's name, and how long a client may keep it."""

    name: str
    tag: str
    cache_control: str
    raw_tag: bytes
    not_modified: PngResponse | None = None
    """Once it has been asked for."""


class _Kept(NamedTuple):
    image: CachedImage
    responses: dict[str, PngResponse]
    """By their Cache-Control."""


@dataclass(eq=False)
class _InFlight:
    """An image that is being made, and how many wait for it."""

    work: asyncio.Task[CachedImage]
    waiting: int = 0


class ImageCache:
    """Keeps the images that were used last; needs a running event loop.

    Attributes:
        bound: Bytes that all images may take together, with their names.
        nbytes: What they take now.
        hits: How often an image was here when it was asked for.
        misses: How often it had to be made, or another request's making waited for.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.nbytes = 0
        self.hits = self.misses = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()  # the longest unused first
        self._in_flight: dict[str, _InFlight] = {}
        self._targets: OrderedDict[tuple[str, bytes], _Target] = OrderedDict()

    def not_modified_or_cached(self, request: Request) -> Response | None:
        """Return the response to a GET whose target was answered before, if that can be done.

        It is a 304 if the client has the image, and the image if it is still here.
        """
        scope = request.scope
        target = self._targets.get((scope["path"], scope["query_string"]))
        if target is None:
            return None
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                if value != target.raw_tag:
                    return None
                if target.not_modified is None:
                    target.not_modified = PngResponse(None, target.tag, target.cache_control)
                return target.not_modified
        kept = self._kept.get(target.name)
        if kept is None or target.cache_control not in kept.responses:
            return None
        self.hits += 1
        self._kept.move_to_end(target.name)
        return kept.responses[target.cache_control]

    def response(
        self, request: Request, name: str, image: CachedImage, tag: str, cache_control: str
    ) -> Response:
        """Return the response with an image, and remember it for this target if it is kept."""
        response = PngResponse(image, tag, cache_control)
        scope, kept = request.scope, self._kept.get(name)
        if kept is not None and len(scope["path"]) + len(scope["query_string"]) <= MAX_TARGET:
            if len(self._targets) >= MAX_TARGETS:
                self._targets.popitem(last=False)
            kept.responses[cache_control] = response
            target = scope["path"], scope["query_string"]
            self._targets[target] = _Target(name, tag, cache_control, tag.encode())
        return answer_if_changed(request.headers, response)

    def forget_targets(self) -> None:
        """Ask the routes again what each target means: another model answers to a name now."""
        self._targets.clear()

    def find(self, name: str) -> CachedImage | None:
        """Return the image of that name if it is here."""
        kept = self._kept.get(name)
        if kept is None:
            return None
        self.hits += 1
        self._kept.move_to_end(name)
        return kept.image

    async def get(self, name: str, make: Make) -> CachedImage:
        """Return the image; make it unless it is here, or wait for whoever makes it already.

        When the last who waits is cancelled, the making is cancelled too.

        Raises:
            Exception: Whatever `make` raises; the next request has it tried again.
        """
        image = self.find(name)
        if image is not None:
            return image
        self.misses += 1
        flight = self._in_flight.get(name)
        if flight is None:
            flight = _InFlight(asyncio.create_task(self._make(name, make)))
            self._in_flight[name] = flight
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.work)
        finally:
            flight.waiting -= 1
            if not flight.waiting and self._in_flight.get(name) is flight:
                del self._in_flight[name]
                flight.work.cancel()

    async def _make(self, name: str, make: Make) -> CachedImage:
        image = await make()
        self.keep(name, image)
        return image

    def keep(self, name: str, image: CachedImage) -> None:
        """Keep the image from now on, unless it alone is larger than the bound."""
        if _cost(name, image) > self.bound:
            return
        self._drop(name)
        self._kept[name] = _Kept(image, {})
        self.nbytes += _cost(name, image)
        while self.nbytes > self.bound:
            self._drop(next(iter(self._kept)))

    def _drop(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        if kept is not None:
            self.nbytes -= _cost(name, kept.image)


def _cost(name: str, image: CachedImage) -> int:
    return sys.getsizeof(name) + image.nbytes + ENTRY_BYTES
