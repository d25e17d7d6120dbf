"""The second source for the bytes is Python's own allocator."""

import asyncio
import tracemalloc
from functools import partial

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from app.serving.image_cache import CachedImage, ImageCache


async def made(content: bytes = b"x") -> CachedImage:
    return CachedImage(content)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_an_image_is_made_once_and_then_found() -> None:
    calls: list[str] = []

    async def make() -> CachedImage:
        calls.append("made")
        return CachedImage(b"x", "a legend")

    async def scenario() -> None:
        cache = ImageCache(10_000)
        assert cache.find("a") is None
        first = await cache.get("a", make)
        assert await cache.get("a", make) is first is cache.find("a")
        assert (first.content, first.legend) == (b"x", "a legend")

    asyncio.run(scenario())
    assert calls == ["made"]


def test_requests_that_come_together_wait_for_one_making() -> None:
    calls: list[str] = []

    async def make() -> CachedImage:
        calls.append("made")
        await turns(3)
        return CachedImage(b"x")

    async def scenario() -> None:
        cache = ImageCache(10_000)
        answers = await asyncio.gather(*(cache.get("a", make) for _ in range(10)))
        assert all(answer is answers[0] for answer in answers)

    asyncio.run(scenario())
    assert calls == ["made"]


@pytest.mark.parametrize("staying", [0, 1])
def test_the_making_goes_on_while_anyone_waits_and_ends_when_nobody_does(
    staying: int,
) -> None:
    ends: list[str] = []

    async def make() -> CachedImage:
        try:
            await turns(10)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        ends.append("made")
        return CachedImage(b"x")

    async def scenario() -> None:
        cache = ImageCache(10_000)
        waiters = [asyncio.create_task(cache.get("a", make)) for _ in range(3)]
        await turns(2)
        for waiter in waiters[staying:]:
            waiter.cancel()
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        cancelled = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
        assert cancelled == [False] * staying + [True] * (3 - staying)
        assert (cache.find("a") is not None) == bool(staying)
        assert (await cache.get("a", made)).content == b"x"

    asyncio.run(scenario())
    assert ends == (["made"] if staying else ["cancelled"])


def test_a_request_that_comes_while_the_making_is_being_cancelled_starts_another() -> None:
    async def slow() -> CachedImage:
        await turns(10)
        return CachedImage(b"old")

    async def scenario() -> None:
        cache = ImageCache(10_000)
        leaving = asyncio.create_task(cache.get("a", slow))
        await turns(2)
        leaving.cancel()
        answers = await asyncio.gather(
            leaving, cache.get("a", lambda: made(b"new")), return_exceptions=True
        )
        assert isinstance(answers[1], CachedImage)

    asyncio.run(scenario())


def test_a_failure_is_raised_to_every_waiter_and_is_not_kept() -> None:
    async def fail() -> CachedImage:
        await turns(2)
        raise ValueError("no")

    async def scenario() -> None:
        cache = ImageCache(10_000)
        asked = [cache.get("a", fail) for _ in range(3)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ValueError] * 3
        assert (await cache.get("a", made)).content == b"x"

    asyncio.run(scenario())


def test_the_images_unused_for_longest_are_dropped_when_there_is_no_more_room() -> None:
    async def scenario() -> None:
        cache = ImageCache(36_500)
        for name in "abc":
            await cache.get(name, lambda: made(bytes(10_000)))
        assert cache.find("a") is not None  # so that b is the longest unused
        await cache.get("d", lambda: made(bytes(10_000)))
        assert [name for name in "abcd" if cache.find(name)] == ["a", "c", "d"]
        await cache.get("huge", lambda: made(bytes(40_000)))
        assert cache.find("huge") is None
        assert [name for name in "abcd" if cache.find(name)] == ["a", "c", "d"]
        assert cache.nbytes <= cache.bound

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [300, 20_000])
def test_the_bytes_counted_are_those_that_the_allocator_reports(size: int) -> None:
    async def scenario() -> tuple[int, int]:
        cache = ImageCache(10**9)
        tracemalloc.start()
        for index in range(1000):
            content = bytes([index % 256]) * size
            name = f"{'version and plane ' * 20}{index}"
            image = await cache.get(name, partial(made, content))
            cache.response(request(f"/{index}.png"), name, image, TAG, CONTROL)
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return taken, cache.nbytes

    taken, counted = asyncio.run(scenario())
    assert 0.9 * taken < counted < 1.3 * taken


TAG, CONTROL = '"the-tag"', "no-cache"


def request(target: str, *headers: tuple[bytes, bytes]) -> Request:
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": list(headers),
    }
    return Request(scope)


async def sent(response: Response, *added: tuple[bytes, bytes]) -> tuple[Message, bytes]:
    """Return the head and the body of a response, sent by a `send` that adds headers to it."""
    messages: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] += added
        messages.append(message)

    await response({"type": "http"}, receive, send)
    return messages[0], messages[1]["body"]


def test_a_target_that_was_answered_is_answered_again_and_to_its_etag_with_304() -> None:
    async def scenario() -> None:
        cache = ImageCache(10_000)
        image = await cache.get("a", made)
        cache.response(request("/a.png?v=1"), "a", image, TAG, CONTROL)
        again = cache.not_modified_or_cached(request("/a.png?v=1"))
        assert again is not None
        assert (again.status_code, again.body) == (200, b"x")
        for tag, status in ((TAG, 304), ('"another"', None), ("*", None)):
            asked = request("/a.png?v=1", (b"if-none-match", tag.encode()))
            found = cache.not_modified_or_cached(asked)
            assert (found and found.status_code) == status
        assert cache.not_modified_or_cached(request("/a.png")) is None
        assert cache.not_modified_or_cached(request("/b.png?v=1")) is None

    asyncio.run(scenario())


def test_an_image_that_was_dropped_is_not_answered_from_a_remembered_target() -> None:
    async def scenario() -> None:
        cache = ImageCache(15_000)
        image = await cache.get("a", lambda: made(bytes(10_000)))
        cache.response(request("/a.png"), "a", image, TAG, CONTROL)
        await cache.get("b", lambda: made(bytes(10_000)))
        assert cache.find("a") is None
        assert cache.not_modified_or_cached(request("/a.png")) is None
        await cache.get("a", lambda: made(b"new"))
        found = cache.not_modified_or_cached(request("/a.png"))
        assert found is None or found.body == b"new"

    asyncio.run(scenario())


def test_a_remembered_target_whose_response_is_gone_is_no_hit() -> None:
    async def scenario() -> None:
        cache = ImageCache(15_000)
        image = await cache.get("a", lambda: made(bytes(10_000)))
        cache.response(request("/a.png"), "a", image, TAG, CONTROL)
        await cache.get("b", lambda: made(bytes(10_000)))
        await cache.get("a", lambda: made(b"new"))
        assert cache.not_modified_or_cached(request("/a.png")) is None
        assert cache.hits == 0

    asyncio.run(scenario())


def test_a_response_that_is_sent_twice_is_not_changed_by_what_wraps_send() -> None:
    async def scenario() -> None:
        cache = ImageCache(10_000)
        image = await cache.get("a", made)
        first = cache.response(request("/a.png"), "a", image, TAG, CONTROL)
        again = cache.not_modified_or_cached(request("/a.png"))
        assert again is not None
        has_it = request("/a.png", (b"if-none-match", TAG.encode()))
        not_modified = cache.not_modified_or_cached(has_it)
        assert not_modified is not None
        for response in (first, again, not_modified):
            once, body = await sent(response, (b"x-request-id", b"1"))
            twice, same_body = await sent(response, (b"x-request-id", b"2"))
            assert once["headers"][:-1] == twice["headers"][:-1]
            assert twice["headers"][-1] == (b"x-request-id", b"2")
            assert (b"x-request-id", b"1") not in twice["headers"]
            assert body == same_body
            assert (b"etag", TAG.encode()) in twice["headers"]

    asyncio.run(scenario())


def test_if_none_match_star_is_answered_304_for_an_image_that_exists() -> None:
    async def scenario() -> None:
        cache = ImageCache(10_000)
        image = await cache.get("a", made)
        asked = request("/a.png", (b"if-none-match", b"*"))
        response = cache.response(asked, "a", image, TAG, CONTROL)
        assert response.status_code == 304
        assert (response.headers["etag"], response.headers["cache-control"]) == (TAG, CONTROL)

    asyncio.run(scenario())
