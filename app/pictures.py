"""Finished PNG files, kept in memory up to a bound and each made once, however many ask."""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

PLACE_BYTES = 150
"""What a kept picture takes besides its bytes and its name: objects, and its place in the order."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file, and what a header says of how to read it."""

    content: bytes
    legend: str = ""

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return sys.getsizeof(self.content) + sys.getsizeof(self.legend)


Make = Callable[[], Awaitable[Picture]]


class Coming:
    """A picture that is being made, and how many wait for it."""

    def __init__(self, work: asyncio.Future[Picture]) -> None:
        self.work = work
        self.waiting = 0


class Pictures:
    """Keeps what was last asked for; needs a running event loop.

    Args:
        bound: Bytes that all pictures may take together, with their names.

    Attributes:
        nbytes: What they take now.
        hits: How often a picture was here when it was asked for.
        misses: How often it had to be made, or another's making waited for.
        coming: Those that are being made, by name.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.nbytes = 0
        self.hits = self.misses = 0
        self._kept: OrderedDict[str, Picture] = OrderedDict()  # the longest unused first
        self.coming: dict[str, Coming] = {}

    def find(self, name: str) -> Picture | None:
        """Give the picture if it is here."""
        picture = self._kept.get(name)
        if picture is not None:
            self.hits += 1
            self._kept.move_to_end(name)
        return picture

    async def get(self, name: str, make: Make) -> Picture:
        """Give the picture; make it unless it is here, or wait for who makes it already.

        When all who wait have been cancelled, the making is.

        Raises:
            Exception: whatever `make` raises; the next who asks has it tried again.
        """
        picture = self.find(name)
        if picture is not None:
            return picture
        self.misses += 1
        coming = self.coming.get(name)
        if coming is None:
            coming = self.coming[name] = Coming(asyncio.ensure_future(make()))
            coming.work.add_done_callback(lambda work: self._came(name, work))
        coming.waiting += 1
        try:
            return await asyncio.shield(coming.work)
        finally:
            coming.waiting -= 1
            if not coming.waiting and not coming.work.done():
                self.coming.pop(name, None)  # who asks now has it made anew
                coming.work.cancel()

    def _came(self, name: str, work: asyncio.Future[Picture]) -> None:
        coming = self.coming.get(name)
        if coming is not None and coming.work is work:
            del self.coming[name]
        if not work.cancelled() and work.exception() is None:
            self.keep(name, work.result())

    def keep(self, name: str, picture: Picture) -> None:
        """Have the picture at hand from now on."""
        if _cost(name, picture) > self.bound:
            return
        self._drop(name)
        self._kept[name] = picture
        self.nbytes += _cost(name, picture)
        while self.nbytes > self.bound:
            self._drop(next(iter(self._kept)))

    def _drop(self, name: str) -> None:
        picture = self._kept.pop(name, None)
        if picture is not None:
            self.nbytes -= _cost(name, picture)


def _cost(name: str, picture: Picture) -> int:
    return sys.getsizeof(name) + picture.nbytes + PLACE_BYTES
