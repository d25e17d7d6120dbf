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
from app.serving.queues import COLD

T = TypeVar("T")
Do = Callable[[str], Callable[[], None]]
"""Returns the call of an engine that writes down a name."""


class ForwardPass:
    """A forward pass whose images have their latent's first number as grey level; -1 fails."""

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
    """Both in turns of the event loop."""


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
    forward_pass = ForwardPass()

    async def ask(batcher: Batcher, request: Request) -> object:
        await turns(request.arrives_after)
        levels = [*request.levels[:-1], -1] if request.bad else request.levels
        latents = latents_of(levels)
        job = (
            batcher.tile_job(partial(forward_pass.decode, latents))
            if request.is_tile
            else batcher.decode_job(latents)
        )
        task = asyncio.create_task(batcher.run(job))
        if request.leaves_after is not None:
            await turns(request.leaves_after)
            task.cancel()
        outcomes: list[object] = await asyncio.gather(task, return_exceptions=True)
        return outcomes[0]

    async def run() -> list[object]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(forward_pass.decode, executor, max_queue=max_queue)
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
    assert max(forward_pass.passes, default=0) <= max(CHUNK, *tiles, 0)


async def decode(batcher: Batcher, levels: list[int]) -> np.ndarray:
    images = await batcher.run(batcher.decode_job(latents_of(levels)))
    assert isinstance(images, np.ndarray)
    return images


async def run(batcher: Batcher, *calls: Callable[[], Any]) -> list[Any]:
    """Run calls in a thread, each of which costs as much as one image."""
    results: list[Any] = await batcher.run(batcher.calls_job(calls, weight=1))
    return results


def with_batcher(
    scenario: Callable[[Batcher], Coroutine[Any, Any, T]],
    max_queue: int = 10**9,
    max_wait_seconds: float = math.inf,
) -> tuple[ForwardPass, T]:
    forward_pass = ForwardPass()

    async def run() -> T:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(
                forward_pass.decode,
                executor,
                max_queue=max_queue,
                max_wait_seconds=max_wait_seconds,
            )
            return await scenario(batcher)

    return forward_pass, asyncio.run(run())


def test_small_requests_that_come_together_share_one_forward_pass() -> None:
    async def scenario(batcher: Batcher) -> list[np.ndarray]:
        return await asyncio.gather(*(decode(batcher, [i]) for i in range(10)))

    forward_pass, images = with_batcher(scenario)
    assert forward_pass.passes == [10]
    assert [levels_of(one) for one in images] == [[i] for i in range(10)]


def test_a_large_request_goes_in_chunks_and_comes_back_whole() -> None:
    async def scenario(batcher: Batcher) -> np.ndarray:
        return await decode(batcher, [i % 256 for i in range(150)])

    forward_pass, images = with_batcher(scenario)
    assert forward_pass.passes == [64, 64, 22]
    assert levels_of(images) == [i % 256 for i in range(150)]


def test_a_drag_that_comes_during_a_chunk_goes_before_the_next_one() -> None:
    passes: list[int] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        def forward(latents: np.ndarray) -> np.ndarray:
            passes.append(len(latents))
            if len(latents) == CHUNK:
                loop.call_soon(batcher.submit, latents_of([1]), loop.create_future())
            return np.zeros((len(latents), 28, 28), np.uint8)

        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(forward, executor, max_queue=10**9)
            await decode(batcher, [9] * 3 * CHUNK)

    asyncio.run(scenario())
    assert passes[:5] == [CHUNK, 1, CHUNK, 1, CHUNK]  # the last drag may come after the end


def order_of(scenario: Callable[[Batcher, Do], list[Coroutine[Any, Any, Any]]]) -> str:
    """Start all the work of a scenario at once, and return the order in which it was done."""
    done: list[str] = []

    async def start(batcher: Batcher) -> None:
        await asyncio.gather(*scenario(batcher, lambda name: partial(done.append, name)))

    with_batcher(start)
    return "".join(done)


def test_tiles_go_before_bulk_which_has_a_turn_now_and_then() -> None:
    def scenario(batcher: Batcher, do: Do) -> list[Coroutine[Any, Any, Any]]:
        bulk = run(batcher, *[do("b")] * 3)
        return [bulk, *(batcher.run(batcher.tile_job(do("t"))) for _ in range(10))]

    assert order_of(scenario) == "ttttbttttbttb"


def test_a_short_job_does_not_wait_for_all_of_a_long_one_nor_a_long_one_for_all_short_ones() -> (
    None
):
    def scenario(batcher: Batcher, do: Do) -> list[Coroutine[Any, Any, Any]]:
        long = run(batcher, *[do("l")] * 16)
        return [long, *(run(batcher, do("s")) for _ in range(3))]

    assert order_of(scenario) == "lslsls" + 13 * "l"


def test_of_two_long_requests_the_first_is_done_before_the_second_begins() -> None:
    def scenario(batcher: Batcher, do: Do) -> list[Coroutine[Any, Any, Any]]:
        return [run(batcher, *[do(name)] * 4) for name in "ab"]

    assert order_of(scenario) == "aaaabbbb"


def test_one_bad_request_does_not_spoil_the_pass_of_the_others() -> None:
    async def scenario(batcher: Batcher) -> list[object]:
        asked = [decode(batcher, [level]) for level in (1, -1, 2)]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    _, (good, bad, other) = with_batcher(scenario)
    assert isinstance(bad, ValueError)
    assert [levels_of(one) for one in (good, other) if isinstance(one, np.ndarray)] == [[1], [2]]


def test_a_request_that_is_cancelled_before_its_turn_is_never_decoded() -> None:
    async def scenario(batcher: Batcher) -> None:
        kept = asyncio.create_task(decode(batcher, [1]))
        small = asyncio.create_task(decode(batcher, [2] * SMALL))
        large = asyncio.create_task(decode(batcher, [3] * 200))
        await turns(1)
        small.cancel()
        large.cancel()
        await kept
        await batcher.drain()

    forward_pass, _ = with_batcher(scenario)
    assert forward_pass.passes == [1]


def test_a_full_queue_refuses_at_once_and_takes_requests_again_when_it_is_empty() -> None:
    async def scenario(batcher: Batcher) -> None:
        gate = Event()
        held = asyncio.create_task(run(batcher, gate.wait))
        await turns(5)
        waiting = asyncio.create_task(decode(batcher, [1] * 8))
        await turns(1)
        with pytest.raises(Overloaded, match="8 latents of small requests wait"):
            await decode(batcher, [2])
        gate.set()
        await held
        assert levels_of(await waiting) == [1] * 8
        assert levels_of(await decode(batcher, [2])) == [2]

    with_batcher(scenario, max_queue=8)


def test_a_request_larger_than_the_queue_is_served_when_nothing_else_waits() -> None:
    async def scenario(batcher: Batcher) -> np.ndarray:
        return await decode(batcher, [7] * 500)

    _, images = with_batcher(scenario, max_queue=8)
    assert levels_of(images) == [7] * 500


def test_a_large_decode_that_would_wait_too_long_is_refused_and_drags_and_tiles_go_on() -> None:
    async def scenario(batcher: Batcher) -> None:
        await decode(batcher, [3] * (COLD + 1) * CHUNK)  # so that the queue knows its pace
        accepted = asyncio.create_task(decode(batcher, [4] * 3 * CHUNK))
        await turns(1)
        with pytest.raises(Overloaded, match="192 latents to decode come before"):
            batcher.require_room(1)
        with pytest.raises(Overloaded):
            await decode(batcher, [5] * CHUNK)
        assert levels_of(await decode(batcher, [6])) == [6]
        assert (
            await asyncio.gather(*(batcher.run(batcher.tile_job(lambda: 7)) for _ in range(9)))
            == [7] * 9
        )
        assert levels_of(await accepted) == [4] * 3 * CHUNK

    with_batcher(scenario, max_wait_seconds=1e-9)


def test_of_several_large_decodes_that_come_together_one_is_accepted() -> None:
    async def scenario(batcher: Batcher) -> list[object]:
        await decode(batcher, [3] * (COLD + 1) * CHUNK)  # so that the queue knows its pace
        many = (decode(batcher, [4] * 3 * CHUNK) for _ in range(5))
        return list(await asyncio.gather(*many, return_exceptions=True))

    _, (first, *others) = with_batcher(scenario, max_wait_seconds=1e-9)
    assert isinstance(first, np.ndarray)
    assert all(isinstance(other, Overloaded) for other in others)


def test_a_cancelled_job_takes_no_room_in_the_queue() -> None:
    async def scenario(batcher: Batcher) -> None:
        await decode(batcher, [3] * (COLD + 1) * CHUNK)  # so that the queue knows its pace
        gate = Event()
        held = asyncio.create_task(run(batcher, gate.wait))
        await turns(5)
        left = asyncio.create_task(decode(batcher, [1] * 500))
        await turns(1)
        with pytest.raises(Overloaded):
            batcher.require_room(8)
        left.cancel()
        await turns(2)
        batcher.require_room(8)
        gate.set()
        await held

    with_batcher(scenario, max_wait_seconds=1e-9)


def test_a_flood_of_bulk_delays_no_drag() -> None:
    async def scenario(batcher: Batcher) -> None:
        flood = [asyncio.create_task(decode(batcher, [3] * 500)) for _ in range(3)]
        await turns(1)
        assert levels_of(await decode(batcher, [1])) == [1]
        assert not any(one.done() for one in flood)
        assert [len(images) for images in await asyncio.gather(*flood)] == [500] * 3

    with_batcher(scenario, max_queue=8)
