"""Several requests' images in one pass: to each it is as if it had been alone."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from threading import Event

import numpy as np

from app.batching import Batcher
from app.encodes import MOST, Encodes
from model.data.datasets import test_set as images_of
from model.engine import Encoding, Engine
from model.errors import ImageError

SIZES = (1, 3, 8, 1, 2, 5, 1, 1, 7)
IMAGES = np.split(
    images_of("mnist").images[: sum(SIZES)].astype(np.float32) / 255, np.cumsum(SIZES)[:-1]
)


class Passes:
    """An engine that waits to be let go, and keeps the size of each pass."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sizes: list[int] = []
        self.go = Event()

    def encode(self, images: np.ndarray) -> Encoding:
        self.go.wait()
        self.sizes.append(len(images))
        return self.engine.encode(images)


def run(passes: Passes, scenario: Callable[[Encodes], Awaitable[None]]) -> None:
    async def within(executor: ThreadPoolExecutor) -> None:
        batcher = Batcher(passes.engine.decode, executor, max_queue=10**6)
        await scenario(Encodes(passes.encode, 82, batcher))
        assert batcher.waiting == (0, 0, 0)

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(within(executor))


def test_each_has_what_it_has_alone_in_fewer_passes(engine: Engine) -> None:
    passes = Passes(engine)

    async def scenario(encodes: Encodes) -> None:
        asked = [asyncio.ensure_future(encodes(images)) for images in IMAGES]
        await asyncio.sleep(0.01)
        passes.go.set()
        for images, found in zip(IMAGES, await asyncio.gather(*asked), strict=True):
            for own, alone in zip(astuple(found), astuple(engine.encode(images)), strict=True):
                np.testing.assert_array_equal(own, alone)

    run(passes, scenario)
    assert max(passes.sizes) <= MOST
    assert sum(passes.sizes) == sum(SIZES)
    assert len(passes.sizes) < len(SIZES)


def test_who_has_left_is_not_encoded(engine: Engine) -> None:
    passes = Passes(engine)

    async def scenario(encodes: Encodes) -> None:
        asked = [asyncio.ensure_future(encodes(images)) for images in IMAGES[:5]]
        await asyncio.sleep(0.01)
        for leaving in asked[1:3]:
            leaving.cancel()
        await asyncio.sleep(0)
        passes.go.set()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        left = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
        assert left == [False, True, True, False, False]

    run(passes, scenario)
    assert sum(passes.sizes) <= sum(SIZES[:5]) - SIZES[2]  # the second may have been on its way


def test_the_fault_of_one_is_not_the_others(engine: Engine) -> None:
    passes = Passes(engine)
    glaring = np.full((1, 28, 28), 2, np.float32)

    async def scenario(encodes: Encodes) -> None:
        parts: list[np.ndarray] = [IMAGES[0], glaring, IMAGES[3], IMAGES[6]]
        asked = [asyncio.ensure_future(encodes(images)) for images in parts]
        await asyncio.sleep(0.01)
        passes.go.set()
        first, bad, *others = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(bad, ImageError)
        for found, images in zip((first, *others), (IMAGES[0], IMAGES[3], IMAGES[6]), strict=True):
            assert isinstance(found, Encoding)
            np.testing.assert_array_equal(found.mean, engine.encode(images).mean)

    run(passes, scenario)
