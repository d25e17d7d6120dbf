"""The model cache: an LRU cache of loaded models, bounded in bytes."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.errors import Overloaded

Item = TypeVar("Item")

TRY_AGAIN_SECONDS = 5
"""When room may be free again: an answer takes less, a drag goes on for about as long."""

log = logging.getLogger("explorer")


@dataclass(eq=False)
class _Entry(Generic[Item]):
    """What one item takes, how many use it now, and its loading."""

    size: int
    item: Item | None = None
    users: int = 0
    loading: asyncio.Task[None] | None = None


class _Loan(Generic[Item]):
    """The context in which an item is used and cannot be evicted."""

    __slots__ = ("cache", "entry", "name")

    def __init__(self, cache: "ModelCache[Item]", name: str) -> None:
        self.cache, self.name = cache, name

    async def __aenter__(self) -> Item:
        cache, name = self.cache, self.name
        entry = cache.entries.get(name) or cache.begin_to_load(name)
        self.entry = entry
        entry.users += 1
        if entry.item is None:
            try:
                assert entry.loading is not None
                await asyncio.wait([entry.loading])
                entry.loading.result()
                assert entry.item is not None
            except BaseException:
                entry.users -= 1
                raise
        return entry.item

    async def __aexit__(self, *_: object) -> None:
        self.entry.users -= 1
        self.cache.entries.move_to_end(self.name)


class ModelCache(Generic[Item]):
    """Lends items by name, and keeps as many as fit; needs a running event loop.

    One that is in use is never evicted; of the others the one goes first that is idle for longest.

    Args:
        bound: Bytes that all items may take together, those that are being loaded among them.
        offer: Returns the bytes that an item takes, and what makes it; raises for a foreign name.

    Attributes:
        entries: The items, the longest idle first.
    """

    def __init__(self, bound: int, offer: Callable[[str], tuple[int, Callable[[], Item]]]) -> None:
        self.bound = bound
        self._offer = offer
        self.entries: OrderedDict[str, _Entry[Item]] = OrderedDict()
        self._turn = asyncio.Lock()

    @property
    def items(self) -> dict[str, Item]:
        """What can be lent without loading."""
        entries = self.entries.items()
        return {name: entry.item for name, entry in entries if entry.item is not None}

    def keep(self, name: str, item: Item, size: int) -> None:
        """Keep an item for good, even beyond the bound."""
        self.entries[name] = _Entry(size, item, users=1)  # for ever

    def get(self, name: str) -> Item | None:
        """Return an item if it is loaded, for work that ends before the event loop turns again."""
        entry = self.entries.get(name)
        if entry is None or entry.item is None:
            return None
        self.entries.move_to_end(name)
        return entry.item

    def lend(self, name: str) -> _Loan[Item]:
        """Return the context in which an item may be used.

        If it is not there, it is made in a thread: once, however many ask meanwhile, and to the
        end, even if they all stop waiting. One item is loaded at a time.

        Entering the context raises:
            Overloaded: What is in use leaves no room for it.
            Exception: Whatever its offer or its making raises; the next request has it tried again.
        """
        return _Loan(self, name)

    def begin_to_load(self, name: str) -> "_Entry[Item]":
        """Make room for an item and begin to load it; raises Overloaded."""
        size, load = self._offer(name)
        self._make_room(name, size)
        entry = self.entries[name] = _Entry(size)
        entry.loading = asyncio.get_running_loop().create_task(self._load(name, entry, load))
        entry.loading.add_done_callback(_look_at_failure)
        return entry

    async def _load(self, name: str, entry: "_Entry[Item]", load: Callable[[], Item]) -> None:
        try:
            async with self._turn:
                entry.item = await asyncio.to_thread(load)
        except BaseException:
            del self.entries[name]
            raise

    def _make_room(self, name: str, size: int) -> None:
        entries = self.entries
        idle = [name for name, one in entries.items() if one.item is not None and not one.users]
        free = self.bound - sum(entry.size for entry in entries.values())
        if free + sum(entries[other].size for other in idle) < size:
            raise Overloaded(
                f"{name} takes {size} bytes of memory, and of the {self.bound} that this server "
                "has for models too many are in use. Try again in a few seconds, or ask its "
                "operator for a higher EXPLORER_MODEL_MEMORY_BYTES.",
                retry_after_seconds=TRY_AGAIN_SECONDS,
            )
        for other in idle:
            if free >= size:
                break
            free += entries.pop(other).size
            log.info("Model %s is dropped to make room for %s", other, name)


def _look_at_failure(loading: asyncio.Task[None]) -> None:
    """Retrieve an exception, so that asyncio does not report one for which nobody waits."""
    if not loading.cancelled():
        loading.exception()
