"""Second source for the bytes: what Python's allocator says."""

import asyncio
import tracemalloc

import pytest

from app.serving.image_cache import Picture, Pictures


async def made(content: bytes = b"x") -> Picture:
    return Picture(content)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_picture_is_made_once_and_then_at_hand() -> None:
    calls: list[str] = []

    async def make() -> Picture:
        calls.append("made")
        return Picture(b"x", "a legend")

    async def scenario() -> None:
        pictures = Pictures(10_000)
        assert pictures.find("a") is None
        first = await pictures.get("a", make)
        assert await pictures.get("a", make) is first is pictures.find("a")
        assert (first.content, first.legend) == (b"x", "a legend")

    asyncio.run(scenario())
    assert calls == ["made"]


def test_those_who_ask_at_once_wait_for_one_making() -> None:
    calls: list[str] = []

    async def make() -> Picture:
        calls.append("made")
        await turns(3)
        return Picture(b"x")

    async def scenario() -> None:
        pictures = Pictures(10_000)
        answers = await asyncio.gather(*(pictures.get("a", make) for _ in range(10)))
        assert all(answer is answers[0] for answer in answers)

    asyncio.run(scenario())
    assert calls == ["made"]


@pytest.mark.parametrize("staying", [0, 1])
def test_the_making_goes_on_while_anyone_waits_and_stops_when_nobody_does(staying: int) -> None:
    ends: list[str] = []

    async def make() -> Picture:
        try:
            await turns(10)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        ends.append("made")
        return Picture(b"x")

    async def scenario() -> None:
        pictures = Pictures(10_000)
        waiters = [asyncio.create_task(pictures.get("a", make)) for _ in range(3)]
        await turns(2)
        for waiter in waiters[staying:]:
            waiter.cancel()
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        cancelled = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
        assert cancelled == [False] * staying + [True] * (3 - staying)
        assert (pictures.find("a") is not None) == bool(staying)
        assert (await pictures.get("a", made)).content == b"x"

    asyncio.run(scenario())
    assert ends == (["made"] if staying else ["cancelled"])


def test_who_asks_while_the_making_is_being_stopped_has_it_made_anew() -> None:
    async def slow() -> Picture:
        await turns(10)
        return Picture(b"old")

    async def scenario() -> None:
        pictures = Pictures(10_000)
        leaving = asyncio.create_task(pictures.get("a", slow))
        await turns(2)
        leaving.cancel()
        answers = await asyncio.gather(
            leaving, pictures.get("a", lambda: made(b"new")), return_exceptions=True
        )
        assert isinstance(answers[1], Picture)

    asyncio.run(scenario())


def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    async def fail() -> Picture:
        await turns(2)
        raise ValueError("no")

    async def scenario() -> None:
        pictures = Pictures(10_000)
        asked = [pictures.get("a", fail) for _ in range(3)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ValueError] * 3
        assert (await pictures.get("a", made)).content == b"x"

    asyncio.run(scenario())


def test_the_longest_unused_go_when_there_is_no_more_room() -> None:
    async def scenario() -> None:
        pictures = Pictures(35_000)
        for name in "abc":
            await pictures.get(name, lambda: made(bytes(10_000)))
        assert pictures.find("a") is not None  # so that b is the longest unused
        await pictures.get("d", lambda: made(bytes(10_000)))
        assert [name for name in "abcd" if pictures.find(name)] == ["a", "c", "d"]
        await pictures.get("huge", lambda: made(bytes(40_000)))
        assert pictures.find("huge") is None
        assert [name for name in "abcd" if pictures.find(name)] == ["a", "c", "d"]
        assert pictures.nbytes <= pictures.bound

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [300, 20_000])
def test_the_bytes_are_those_that_the_allocator_gives(size: int) -> None:
    async def scenario() -> tuple[int, int]:
        pictures = Pictures(10**9)
        tracemalloc.start()
        for index in range(1000):
            content = bytes([index % 256]) * size
            await pictures.get(f"{'version and plane ' * 20}{index}", lambda c=content: made(c))  # type: ignore[misc]
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return taken, pictures.nbytes

    taken, counted = asyncio.run(scenario())
    assert 0.9 * taken < counted < 1.3 * taken
