"""Finished PNG files, kept in memory up to a bound and each made once, however many ask."""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from app.serving.queues import Answer

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
    """A picture that is being made, and who waits for it; the `Answer` of who makes it."""

    def __init__(self, pictures: "Pictures", name: str) -> None:
        self.pictures, self.name = pictures, name
        self.waiting: list[Answer] = []
        self.work: asyncio.Future[Picture] | None = None  # if that is how it is made

    def done(self) -> bool:
        """Tell whether nobody waits any more; who asks after that has it made anew."""
        if not all(answer.done() for answer in self.waiting):
            return False
        self._end()
        return True

    def set_result(self, picture: Picture, /) -> None:
        """Keep the picture, and give it to all who wait."""
        self._end()
        self.pictures.keep(self.name, picture)
        for answer in self.waiting:
            if not answer.done():
                answer.set_result(picture)

    def set_exception(self, error: Exception, /) -> None:
        """Tell all who wait; the next who asks has it tried again."""
        self._end()
        for answer in self.waiting:
            if not answer.done():
                answer.set_exception(error)

    def _end(self) -> None:
        if self.pictures.coming.get(self.name) is self:
            del self.pictures.coming[self.name]


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

    def ask(self, name: str, make: Callable[[Answer], None], answer: Answer) -> None:
        """Have `answer` told of a picture that is not here.

        Args:
            name: Of the picture.
            make: Begins to make it, unless someone did for others who still wait. What it is given
                is told of the picture, and is done when nobody waits any more.
            answer: Who waits.

        Raises:
            Exception: whatever `make` raises.
        """
        self.misses += 1
        coming = self.coming.get(name)
        if coming is not None and not coming.done():
            coming.waiting.append(answer)
            return
        coming = Coming(self, name)
        coming.waiting.append(answer)
        make(coming)
        self.coming[name] = coming

    async def get(self, name: str, make: Make) -> Picture:
        """Give the picture; make it unless it is here, or wait for who makes it already.

        When the last who waits here is cancelled, and nobody waits elsewhere, the making is.

        Raises:
            Exception: whatever `make` raises; the next who asks has it tried again.
        """
        picture = self.find(name)
        if picture is not None:
            return picture
        answer: asyncio.Future[Picture] = asyncio.get_running_loop().create_future()
        self.ask(name, partial(_do, make), answer)
        coming = self.coming[name]
        try:
            return await answer
        finally:
            if coming.work is not None and coming.done():
                coming.work.cancel()

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


def _do(make: Make, coming: Coming) -> None:
    def came(work: asyncio.Future[Picture]) -> None:
        if work.cancelled():
            return
        try:
            picture = work.result()
        except Exception as error:
            coming.set_exception(error)
        else:
            coming.set_result(picture)

    coming.work = asyncio.ensure_future(make())
    coming.work.add_done_callback(came)


def _cost(name: str, picture: Picture) -> int:
    return sys.getsizeof(name) + picture.nbytes + PLACE_BYTES
