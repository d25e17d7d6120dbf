import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.batching import CHUNK, SMALL, Batcher
from app.errors import Overloaded

T = TypeVar("T")


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
    arrives_after: int
    leaves_after: int | None
    """Turns of the loop."""


requests = st.builds(
    Request,
    levels=st.lists(st.integers(0, 255), min_size=1, max_size=3 * CHUNK)
    | st.lists(st.integers(0, 255), min_size=1, max_size=SMALL),
    bad=st.sampled_from([False, False, False, True]),
    arrives_after=st.integers(0, 6),
    leaves_after=st.none() | st.none() | st.integers(0, 3),
)


@given(st.lists(requests, min_size=1, max_size=20))
def test_every_request_is_answered_once_with_its_own_images_whatever_the_others_do(
    asked: list[Request],
) -> None:
    plain = Plain()

    async def ask(batcher: Batcher, request: Request) -> object:
        await turns(request.arrives_after)
        levels = [*request.levels[:-1], -1] if request.bad else request.levels
        task = asyncio.create_task(batcher.decode(latents_of(levels)))
        if request.leaves_after is not None:
            await turns(request.leaves_after)
            task.cancel()
        outcomes: list[object] = await asyncio.gather(task, return_exceptions=True)
        return outcomes[0]

    async def run() -> list[object]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(plain.decode, executor, max_queue=10**9)
            outcomes = await asyncio.gather(*(ask(batcher, request) for request in asked))
            await batcher.drain()
            return outcomes

    for request, outcome in zip(asked, asyncio.run(run()), strict=True):
        if request.leaves_after is not None and isinstance(outcome, asyncio.CancelledError):
            continue
        if request.bad:
            assert isinstance(outcome, ValueError)
        else:
            assert isinstance(outcome, np.ndarray)
            assert levels_of(outcome) == request.levels
    assert max(plain.passes, default=0) <= CHUNK


def with_batcher(
    scenario: Callable[[Batcher], Coroutine[Any, Any, T]], max_queue: int = 10**9
) -> tuple[Plain, T]:
    plain = Plain()

    async def run() -> T:
        with ThreadPoolExecutor(1) as executor:
            return await scenario(Batcher(plain.decode, executor, max_queue=max_queue))

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


def test_a_drag_passes_between_two_chunks_of_a_large_request() -> None:
    async def scenario(batcher: Batcher) -> None:
        large = asyncio.create_task(batcher.decode(latents_of([9] * 3 * CHUNK)))
        while not large.done():
            await batcher.decode(latents_of([1]))

    plain, _ = with_batcher(scenario)
    assert plain.passes[:6] == [1, CHUNK, 1, CHUNK, 1, CHUNK]


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


def test_a_flood_of_bulk_is_refused_and_keeps_no_drag_out() -> None:
    async def scenario(batcher: Batcher) -> None:
        flood = [asyncio.create_task(batcher.decode(latents_of([3] * 500))) for _ in range(3)]
        assert levels_of(await batcher.decode(latents_of([1]))) == [1]
        first, *others = await asyncio.gather(*flood, return_exceptions=True)
        assert isinstance(first, np.ndarray)
        assert all(isinstance(other, Overloaded) for other in others)

    with_batcher(scenario, max_queue=8)
