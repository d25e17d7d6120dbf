"""Several requests' images in one pass: to each it is as if it had been alone."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from threading import Event

import numpy as np
import pytest

from app.errors import InvalidRequest, Problem
from app.serving.batcher import Batcher
from app.serving.encode_batcher import MOST, Encodes, Wanted, encoded
from app.telemetry.counters import Tally
from model.data.datasets import test_set as images_of
from model.engine import Code, Encoding, Engine
from model.errors import ImageError

SIZES = (1, 3, 8, 1, 2, 5, 1, 1, 7)
IMAGES = np.split(
    images_of("mnist").images[: sum(SIZES)].astype(np.float32) / 255, np.cumsum(SIZES)[:-1]
)


class Passes(Engine):
    """An engine that waits to be let go, and keeps the size of each pass."""

    def __init__(self, engine: Engine) -> None:
        vars(self).update(vars(engine))
        self.sizes: list[int] = []
        self.whole: list[bool] = []
        self.go = Event()

    def encode(self, images: np.ndarray) -> Encoding:
        self._note(images, True)
        return super().encode(images)

    def code(self, images: np.ndarray) -> Code:
        self._note(images, False)
        return super().code(images)

    def _note(self, images: np.ndarray, whole: bool) -> None:
        self.go.wait()
        self.sizes.append(len(images))
        self.whole.append(whole)


def run(passes: Passes, scenario: Callable[[Encodes], Awaitable[None]]) -> Tally:
    tally = Tally()

    async def within(executor: ThreadPoolExecutor) -> None:
        batcher = Batcher(passes.decode, executor, max_queue=10**6, tally=tally)
        await scenario(Encodes(passes, batcher))
        assert batcher.waiting == (0, 0, 0)

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(within(executor))
    return tally


def test_each_has_what_it_has_alone_in_fewer_passes(engine: Engine) -> None:
    passes = Passes(engine)

    async def scenario(encodes: Encodes) -> None:
        asked = [asyncio.ensure_future(encoded(encodes, images, Encoding)) for images in IMAGES]
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
        asked = [asyncio.ensure_future(encoded(encodes, images, Encoding)) for images in IMAGES[:5]]
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
        asked = [asyncio.ensure_future(encoded(encodes, images, Encoding)) for images in parts]
        await asyncio.sleep(0.01)
        passes.go.set()
        first, bad, *others = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(bad, ImageError)
        for found, images in zip((first, *others), (IMAGES[0], IMAGES[3], IMAGES[6]), strict=True):
            assert isinstance(found, Encoding)
            np.testing.assert_array_equal(found.mean, engine.encode(images).mean)

    run(passes, scenario)


@pytest.mark.parametrize("kinds", [(Code, Code), (Code, Encoding), (Encoding, Code)])
def test_who_wants_the_code_alone_has_it_of_whatever_pass_there_is(
    engine: Engine, kinds: tuple[type[Code], ...]
) -> None:
    passes = Passes(engine)
    parts = (IMAGES[0], IMAGES[3])

    async def scenario(encodes: Encodes) -> None:
        coming = [encoded(encodes, *pair) for pair in zip(parts, kinds, strict=True)]
        asked = [asyncio.ensure_future(one) for one in coming]
        await asyncio.sleep(0.01)
        passes.go.set()
        for images, found in zip(parts, await asyncio.gather(*asked), strict=True):
            alone = engine.code(images)
            np.testing.assert_array_equal(found.mean, alone.mean)
            np.testing.assert_array_equal(found.covariance, alone.covariance)

    run(passes, scenario)
    assert passes.whole == [Encoding in kinds]


def test_images_that_cannot_be_read_are_their_own_fault(engine: Engine) -> None:
    passes = Passes(engine)

    def damaged() -> Problem:
        return InvalidRequest("It is damaged.")

    async def scenario(encodes: Encodes) -> None:
        loop = asyncio.get_running_loop()
        wants = [
            Wanted(lambda: IMAGES[0]),
            Wanted(damaged),
            Wanted(damaged),
            Wanted(lambda: IMAGES[3]),
        ]
        answers: list[asyncio.Future[Encoding]] = [loop.create_future() for _ in wants]
        for want, answer in zip((wants[1], *wants[:1], *wants[2:]), answers, strict=True):
            encodes.ask(want, answer)
        passes.go.set()
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        assert [str(found) for found in (outcomes[0], outcomes[2])] == ["422: It is damaged."] * 2
        for found, images in ((outcomes[1], IMAGES[0]), (outcomes[3], IMAGES[3])):
            assert isinstance(found, Encoding)
            np.testing.assert_array_equal(found.mean, engine.encode(images).mean)

    tally = run(passes, scenario)
    assert passes.sizes == [2]
    assert tally.bulk.images.sum == 4 * passes.decodes_to_encode
