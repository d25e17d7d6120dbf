"""What is costly to hold: loaded when it is first asked for, dropped when its room is needed."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from app.errors import Overloaded

Item = TypeVar("Item")

TRY_AGAIN_SECONDS = 5
"""When room may be free again: an answer takes less, a drag goes on for about as long."""

log = logging.getLogger("explorer")


class _Place(Generic[Item]):
    """What one item takes, who uses it now, and its coming."""

    def __init__(self, size: int, item: Item | None = None) -> None:
        self.size = size
        self.item = item
        self.users = 0
        self.coming: asyncio.Task[None] | None = None


class Shelf(Generic[Item]):
    """Lends items by name, and holds as many as fit; needs a running event loop.

    An item that nobody uses stays until its room is needed; then the one that has been idle for
    longest goes first. One that is in use never goes.

    Args:
        bound: Bytes that all items may take together, those that are being loaded among them.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self._places: OrderedDict[str, _Place[Item]] = OrderedDict()  # the longest idle first
        self._turn = asyncio.Lock()

    @property
    def items(self) -> dict[str, Item]:
        """What can be lent without loading."""
        places = self._places.items()
        return {name: place.item for name, place in places if place.item is not None}

    def keep(self, name: str, item: Item, size: int) -> None:
        """Hold an item for good, even beyond the bound."""
        place = self._places[name] = _Place(size, item)
        place.users = 1  # for ever

    def at_hand(self, name: str) -> Item | None:
        """Give the item, if it is here, to who is done with it before anything can take its room.

        Who goes on with it, must `hold` it, or its room may be given away meanwhile.
        """
        place = self._places.get(name)
        if place is None or place.item is None:
            return None
        self._places.move_to_end(name)
        return place.item

    @asynccontextmanager
    async def lend(self, name: str, size: int, load: Callable[[], Item]) -> AsyncIterator[Item]:
        """Give the item for as long as the context lasts.

        If it is not there, `load` makes it in a thread: once, however many ask meanwhile, and to
        the end, even if they all stop waiting. One item is loaded at a time.

        Raises:
            Overloaded: what is in use leaves no room for `size` bytes.
            Exception: whatever `load` raises; the next who asks has it tried again.
        """
        place = self._places.get(name)
        if place is None:
            self._make_room(name, size)
            place = self._places[name] = _Place(size)
            place.coming = asyncio.create_task(self._load(name, place, load))
            place.coming.add_done_callback(_notice)
        release = self.hold(name)
        try:
            if place.item is None:
                assert place.coming is not None
                await asyncio.wait([place.coming])
                place.coming.result()
            assert place.item is not None
            yield place.item
        finally:
            release()

    def hold(self, name: str) -> Callable[[], None]:
        """Use an item that is here, or is coming, until what this gives is called."""
        place = self._places[name]
        place.users += 1

        def release() -> None:
            place.users -= 1
            if name in self._places:
                self._places.move_to_end(name)

        return release

    async def _load(self, name: str, place: _Place[Item], load: Callable[[], Item]) -> None:
        try:
            async with self._turn:
                place.item = await asyncio.to_thread(load)
        except BaseException:
            del self._places[name]
            raise

    def _make_room(self, name: str, size: int) -> None:
        idle = [
            (other, place.size)
            for other, place in self._places.items()
            if place.item is not None and not place.users
        ]
        free = self.bound - sum(place.size for place in self._places.values())
        if free + sum(taken for _, taken in idle) < size:
            raise Overloaded(
                f"{name} takes {size} bytes of memory, and of the {self.bound} that this server "
                "has for models too many are in use. Try again in a few seconds, or ask its "
                "operator for a higher EXPLORER_MODEL_MEMORY_BYTES.",
                retry_after_seconds=TRY_AGAIN_SECONDS,
            )
        for other, taken in idle:
            if free >= size:
                break
            del self._places[other]
            free += taken
            log.info("Model %s is dropped to make room for %s", other, name)


def _notice(coming: asyncio.Task[None]) -> None:
    """Look at a failure, so that asyncio does not report one for which nobody waits any more."""
    if not coming.cancelled():
        coming.exception()
