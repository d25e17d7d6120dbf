import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from threading import Event, get_ident

import pytest

from app.errors import Overloaded
from app.serving.model_cache import ModelCache
from tests.app.logged import messages


class Store:
    """A cache of strings, ten bytes each unless said otherwise, and a list of what was loaded."""

    def __init__(self, bound: int) -> None:
        self.cache: ModelCache[str] = ModelCache(bound, self.offer)
        self.sizes: dict[str, int] = {}
        self.loads: list[str] = []
        self.load: Callable[[str], str] = self.note

    def lend(self, name: str, size: int = 10) -> AbstractAsyncContextManager[str]:
        self.sizes[name] = size
        return self.cache.lend(name)

    def offer(self, name: str) -> tuple[int, Callable[[], str]]:
        return self.sizes[name], lambda: self.load(name)

    def note(self, name: str) -> str:
        self.loads.append(name)
        return name.upper()

    async def use(self, *names: str) -> None:
        for name in names:
            async with self.lend(name) as item:
                assert item == name.upper()

    @property
    def loaded(self) -> set[str]:
        return set(self.cache.items)


def run(scene: Callable[[Store], Awaitable[None]], bound: int = 30) -> Store:
    store = Store(bound)

    async def play() -> None:
        await scene(store)

    asyncio.run(play())
    return store


def test_an_item_that_was_used_stays_and_is_not_loaded_again() -> None:
    store = run(lambda store: store.use("a", "b", "a", "b"))
    assert store.loads == ["a", "b"]
    assert store.loaded == {"a", "b"}


def test_the_item_that_has_been_idle_for_longest_is_dropped_first() -> None:
    store = run(lambda store: store.use("a", "b", "c", "a", "d"))
    assert store.loaded == {"c", "a", "d"}


def test_as_many_items_are_dropped_as_the_new_one_needs_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(store: Store) -> None:
        await store.use("a", "b", "c")
        async with store.lend("large", 20):
            assert store.loaded == {"c", "large"}

    with caplog.at_level(logging.INFO):
        run(scene)
    assert messages(caplog) == [f"Model {name} is dropped to make room for large" for name in "ab"]


def test_an_item_in_use_is_never_dropped_and_the_refusal_says_when_to_try_again() -> None:
    async def scene(store: Store) -> None:
        async with store.lend("a"), store.lend("b"), store.lend("c"):
            with pytest.raises(Overloaded, match=r"d takes 10 bytes .* of the 30") as refusal:
                await store.use("d")
            assert refusal.value.headers == {"Retry-After": "5"}
        await store.use("d")

    assert run(scene).loaded == {"a", "b", "d"}, "c was given back first"


def test_nothing_is_dropped_for_an_item_that_does_not_fit() -> None:
    async def scene(store: Store) -> None:
        await store.use("idle")
        async with store.lend("a"), store.lend("b"):
            with pytest.raises(Overloaded):
                await store.lend("large", 20).__aenter__()
            assert store.loaded == {"idle", "a", "b"}

    run(scene)


def test_two_users_hold_an_item_until_both_have_gone() -> None:
    async def scene(store: Store) -> None:
        async with store.lend("a"):
            async with store.lend("a"):
                pass
            with pytest.raises(Overloaded):
                await store.use("b")
        await store.use("b")

    assert run(scene, bound=10).loaded == {"b"}


def test_an_item_that_is_kept_stays_even_beyond_the_bound() -> None:
    async def scene(store: Store) -> None:
        store.cache.keep("default", "DEFAULT", 40)
        await store.use("default")
        with pytest.raises(Overloaded):
            await store.use("a")

    store = run(scene)
    assert store.loaded == {"default"}
    assert store.loads == []


async def hold(store: Store, name: str) -> tuple[asyncio.Event, Event]:
    """Return an event that loads of `name` set when they begin, and one that ends them."""
    begun, released = asyncio.Event(), Event()
    loop, load = asyncio.get_running_loop(), store.load

    def slow(asked: str) -> str:
        if asked == name:
            loop.call_soon_threadsafe(begun.set)
            assert released.wait(30)
        return load(asked)

    store.load = slow
    return begun, released


def test_an_item_is_loaded_once_for_many_users_and_the_loop_goes_on() -> None:
    async def scene(store: Store) -> None:
        begun, released = await hold(store, "a")
        users = [asyncio.create_task(store.use("a")) for _ in range(20)]
        await begun.wait()  # this loop runs while the load does not end
        assert store.loaded == set()
        released.set()
        await asyncio.gather(*users)

    assert run(scene).loads == ["a"]


def test_a_loaded_item_is_lent_while_another_loads() -> None:
    async def scene(store: Store) -> None:
        begun, released = await hold(store, "b")
        await store.use("a")
        user = asyncio.create_task(store.use("b"))
        await begun.wait()
        await store.use("a")
        released.set()
        await user

    assert run(scene).loads == ["a", "b"]


def test_an_item_that_is_being_loaded_has_its_room_already() -> None:
    async def scene(store: Store) -> None:
        begun, released = await hold(store, "a")
        user = asyncio.create_task(store.use("a"))
        await begun.wait()
        with pytest.raises(Overloaded):
            await store.use("b")
        released.set()
        await user

    assert run(scene, bound=10).loads == ["a"]


def test_one_item_is_loaded_at_a_time() -> None:
    busy: set[int] = set()

    async def scene(store: Store) -> None:
        load = store.load

        def alone(name: str) -> str:
            busy.add(get_ident())
            assert len(busy) == 1
            item = load(name)
            busy.remove(get_ident())
            return item

        store.load = alone
        await asyncio.gather(*(store.use(name) for name in "abc"))

    assert sorted(run(scene).loads) == ["a", "b", "c"]


def test_a_load_goes_on_after_its_waiters_are_cancelled() -> None:
    async def scene(store: Store) -> None:
        begun, released = await hold(store, "a")
        user = asyncio.create_task(store.use("a"))
        await begun.wait()
        user.cancel()
        with pytest.raises(asyncio.CancelledError):
            await user
        released.set()
        await store.use("a")

    assert run(scene).loads == ["a"]


def test_a_failed_load_fails_for_all_its_waiters_and_is_tried_again_for_the_next() -> None:
    async def scene(store: Store) -> None:
        load = store.load

        def fail(name: str) -> str:
            load(name)
            raise OSError("the disk has gone")

        store.load = fail
        waiting = [store.use("a"), store.use("a")]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [str(result) for result in results] == ["the disk has gone"] * 2
        assert store.loaded == set()
        store.load = load
        await store.use("a", "b", "c")

    assert run(scene).loads == ["a", "a", "b", "c"]


def test_an_item_is_given_back_by_a_user_that_fails() -> None:
    async def scene(store: Store) -> None:
        with pytest.raises(ZeroDivisionError):
            async with store.lend("a"):
                raise ZeroDivisionError
        await store.use("b")

    assert run(scene, bound=10).loaded == {"b"}


def test_an_item_is_returned_for_work_that_ends_at_once_only_while_it_is_loaded() -> None:
    async def scene(store: Store) -> None:
        begun, released = await hold(store, "a")
        assert store.cache.get("a") is None
        user = asyncio.create_task(store.use("a"))
        await begun.wait()
        assert store.cache.get("a") is None
        released.set()
        await user
        assert store.cache.get("a") == "A"

    assert run(scene).loads == ["a"]


def test_an_item_that_was_returned_so_has_been_used() -> None:
    async def scene(store: Store) -> None:
        await store.use("a", "b", "c")
        store.cache.get("a")
        await store.use("d")

    assert run(scene).loaded == {"c", "a", "d"}
