import asyncio
import math
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Overloaded
from app.serving.batcher import CHUNK, SMALL, Batcher

T = TypeVar("T")
Do = Callable[[str], Callable[[], None]]
"""Makes the call of an engine that spells a name."""


class Plain:
    """A forward pass whose images carry their latent's first number; -1 makes it fail."""

    def __init__(self) -> None:
        self.passes: list[int] = []
        self.busy = False

    def decode(self, latents: np.ndarray) -> np.ndarray:
        assert not self.busy, "two callers at once"
        self.busy = True
        try:
            self.passes.append(len(latents))
            if (latents[:, 0] < 0).any():
                raise ValueError("a bad latent")
            levels = latents[:, 0].astype(np.uint8)
            return np.broadcast_to(levels[:, None, None], (len(latents), 28, 28)).copy()
        finally:
            self.busy = False


def latents_of(levels: list[int]) -> np.ndarray:
    return np.array([[level, 0] for level in levels], np.float32)


def levels_of(images: np.ndarray) -> list[int]:
    assert images.shape[1:] == (28, 28)
    return [int(image[0, 0]) for image in images]


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Request:
    levels: list[int]
    bad: bool
    is_tile: bool
    arrives_after: int
    leaves_after: int | None
    """Turns of the loop."""


requests = st.builds(
    Request,
    levels=st.lists(st.integers(0, 255), min_size=1, max_size=3 * CHUNK)
    | st.lists(st.integers(0, 255), min_size=1, max_size=SMALL),
    bad=st.sampled_from([False, False, False, True]),
    is_tile=st.booleans(),
    arrives_after=st.integers(0, 6),
    leaves_after=st.none() | st.none() | st.integers(0, 3),
)


@given(st.lists(requests, min_size=1, max_size=20), st.sampled_from([1, 100, 10**9]))
def test_every_request_is_answered_once_with_its_own_images_whatever_the_others_do(
    asked: list[Request], max_queue: int
) -> None:
    plain = Plain()

    async def ask(batcher: Batcher, request: Request) -> object:
        await turns(request.arrives_after)
        levels = [*request.levels[:-1], -1] if request.bad else request.levels
        latents = latents_of(levels)
        work = (
            batcher.tile(partial(plain.decode, latents))
            if request.is_tile
            else batcher.decode(latents)
        )
        task = asyncio.create_task(work)
        if request.leaves_after is not None:
            await turns(request.leaves_after)
            task.cancel()
        outcomes: list[object] = await asyncio.gather(task, return_exceptions=True)
        return outcomes[0]

    async def run() -> list[object]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(plain.decode, executor, max_queue=max_queue)
            outcomes = await asyncio.gather(*(ask(batcher, request) for request in asked))
            await batcher.drain()
            assert batcher.waiting == (0, 0, 0)
            return outcomes

    for request, outcome in zip(asked, asyncio.run(run()), strict=True):
        if request.leaves_after is not None and isinstance(outcome, asyncio.CancelledError):
            continue
        if max_queue < 10**9 and isinstance(outcome, Overloaded):
            continue
        if request.bad:
            assert isinstance(outcome, ValueError)
        else:
            assert isinstance(outcome, np.ndarray)
            assert levels_of(outcome) == request.levels
    tiles = [len(request.levels) for request in asked if request.is_tile]
    assert max(plain.passes, default=0) <= max(CHUNK, *tiles, 0)


def with_batcher(
    scenario: Callable[[Batcher], Coroutine[Any, Any, T]],
    max_queue: int = 10**9,
    max_wait_seconds: float = math.inf,
) -> tuple[Plain, T]:
    plain = Plain()

    async def run() -> T:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(
                plain.decode, executor, max_queue=max_queue, max_wait_seconds=max_wait_seconds
            )
            return await scenario(batcher)

    return plain, asyncio.run(run())


def test_small_requests_that_come_together_share_one_forward_pass() -> None:
    async def scenario(batcher: Batcher) -> list[np.ndarray]:
        return await asyncio.gather(*(batcher.decode(latents_of([i])) for i in range(10)))

    plain, images = with_batcher(scenario)
    assert plain.passes == [10]
    assert [levels_of(one) for one in images] == [[i] for i in range(10)]


def test_a_large_request_goes_in_chunks_and_comes_back_whole() -> None:
    async def scenario(batcher: Batcher) -> np.ndarray:
        return await batcher.decode(latents_of([i % 256 for i in range(150)]))

    plain, images = with_batcher(scenario)
    assert plain.passes == [64, 64, 22]
    assert levels_of(images) == [i % 256 for i in range(150)]


def test_a_drag_that_comes_during_a_chunk_goes_before_the_next_one() -> None:
    async def scenario(batcher: Batcher) -> list[int]:
        loop, passes = asyncio.get_running_loop(), list[int]()

        def decode(latents: np.ndarray) -> np.ndarray:
            passes.append(len(latents))
            if len(latents) == CHUNK:
                loop.call_soon(batcher.ask, latents_of([1]), loop.create_future())
            return np.zeros((len(latents), 28, 28), np.uint8)

        batcher._forward = decode
        await batcher.decode(latents_of([9] * 3 * CHUNK))
        return passes

    _, passes = with_batcher(scenario)
    assert passes[:5] == [CHUNK, 1, CHUNK, 1, CHUNK]  # the last may or may not be heard of yet


def order_of(scenario: Callable[[Batcher, Do], list[Coroutine[Any, Any, Any]]]) -> str:
    """Start all that a scenario asks for at once, and spell the order in which it was done."""
    done: list[str] = []

    async def run(batcher: Batcher) -> None:
        await asyncio.gather(*scenario(batcher, lambda name: partial(done.append, name)))

    with_batcher(run)
    return "".join(done)


def test_tiles_go_before_bulk_which_has_its_turns_all_the_same() -> None:
    def scenario(batcher: Batcher, do: Do) -> list[Coroutine[Any, Any, Any]]:
        bulk = batcher.run([do("b")] * 3, weight=1)
        return [bulk, *(batcher.tile(do("t")) for _ in range(10))]

    assert order_of(scenario) == "ttttbttttbttb"


def test_what_is_short_does_not_wait_for_all_of_what_is_long_nor_that_for_all_that_is_short() -> (
    None
):
    def scenario(batcher: Batcher, do: Do) -> list[Coroutine[Any, Any, Any]]:
        long = batcher.run([do("l")] * 16, weight=1)
        return [long, *(batcher.run([do("s")], weight=1) for _ in range(3))]

    assert order_of(scenario) == "lslsls" + 13 * "l"


def test_of_two_long_requests_the_first_is_done_before_the_second_begins() -> None:
    def scenario(batcher: Batcher, do: Do) -> list[Coroutine[Any, Any, Any]]:
        return [batcher.run([do(name)] * 4, weight=1) for name in "ab"]

    assert order_of(scenario) == "aaaabbbb"


def test_one_bad_request_does_not_spoil_the_pass_of_the_others() -> None:
    async def scenario(batcher: Batcher) -> list[object]:
        asked = [batcher.decode(latents_of([level])) for level in (1, -1, 2)]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    _, (good, bad, other) = with_batcher(scenario)
    assert isinstance(bad, ValueError)
    assert [levels_of(one) for one in (good, other) if isinstance(one, np.ndarray)] == [[1], [2]]


def test_a_request_that_is_given_up_before_its_turn_is_never_decoded() -> None:
    async def scenario(batcher: Batcher) -> None:
        kept = asyncio.create_task(batcher.decode(latents_of([1])))
        small = asyncio.create_task(batcher.decode(latents_of([2] * SMALL)))
        large = asyncio.create_task(batcher.decode(latents_of([3] * 200)))
        await turns(1)
        small.cancel()
        large.cancel()
        await kept
        await batcher.drain()

    plain, _ = with_batcher(scenario)
    assert plain.passes == [1]


def test_a_full_queue_refuses_at_once_and_takes_requests_again_when_it_is_empty() -> None:
    async def scenario(batcher: Batcher) -> None:
        gate = Event()
        held = asyncio.create_task(batcher.run([gate.wait], weight=1))
        await turns(5)
        waiting = asyncio.create_task(batcher.decode(latents_of([1] * 8)))
        await turns(1)
        with pytest.raises(Overloaded, match="8 images wait"):
            await batcher.decode(latents_of([2]))
        gate.set()
        await held
        assert levels_of(await waiting) == [1] * 8
        assert levels_of(await batcher.decode(latents_of([2]))) == [2]

    with_batcher(scenario, max_queue=8)


def test_a_request_larger_than_the_queue_is_served_when_nothing_else_waits() -> None:
    async def scenario(batcher: Batcher) -> np.ndarray:
        return await batcher.decode(latents_of([7] * 500))

    _, images = with_batcher(scenario, max_queue=8)
    assert levels_of(images) == [7] * 500


def test_a_large_decode_that_would_wait_too_long_is_told_so_and_drags_and_tiles_go_on() -> None:
    async def scenario(batcher: Batcher) -> None:
        await batcher.decode(latents_of([3] * CHUNK))  # from which its pace is known
        accepted = asyncio.create_task(batcher.decode(latents_of([4] * 3 * CHUNK)))
        await turns(1)
        with pytest.raises(Overloaded):
            batcher.require_room(CHUNK)
        with pytest.raises(Overloaded):
            await batcher.decode(latents_of([5] * CHUNK), patient=False)
        patient = asyncio.create_task(batcher.decode(latents_of([5] * CHUNK)))
        batcher.require_room(SMALL)
        assert levels_of(await batcher.decode(latents_of([6]))) == [6]
        assert await asyncio.gather(*(batcher.tile(lambda: 7) for _ in range(9))) == [7] * 9
        assert levels_of(await accepted) == [4] * 3 * CHUNK
        assert levels_of(await patient) == [5] * CHUNK

    with_batcher(scenario, max_wait_seconds=1e-9)


def test_of_those_who_come_together_and_cannot_wait_one_is_accepted() -> None:
    async def scenario(batcher: Batcher) -> list[object]:
        await batcher.decode(latents_of([3] * CHUNK))  # from which its pace is known
        many = (batcher.decode(latents_of([4] * 3 * CHUNK), patient=False) for _ in range(5))
        return list(await asyncio.gather(*many, return_exceptions=True))

    _, (first, *others) = with_batcher(scenario, max_wait_seconds=1e-9)
    assert isinstance(first, np.ndarray)
    assert all(isinstance(other, Overloaded) for other in others)


def test_what_a_client_left_behind_keeps_nobody_out() -> None:
    async def scenario(batcher: Batcher) -> None:
        gate = Event()
        held = asyncio.create_task(batcher.run([gate.wait], weight=1))
        await turns(5)
        left = asyncio.create_task(batcher.decode(latents_of([1] * 500)))
        await turns(1)
        left.cancel()
        await turns(2)
        batcher.require_room(500)
        gate.set()
        await held

    with_batcher(scenario, max_queue=8)


def test_a_flood_of_bulk_is_refused_and_keeps_no_drag_out() -> None:
    async def scenario(batcher: Batcher) -> None:
        flood = [asyncio.create_task(batcher.decode(latents_of([3] * 500))) for _ in range(3)]
        assert levels_of(await batcher.decode(latents_of([1]))) == [1]
        first, *others = await asyncio.gather(*flood, return_exceptions=True)
        assert isinstance(first, np.ndarray)
        assert all(isinstance(other, Overloaded) for other in others)

    with_batcher(scenario, max_queue=8)
