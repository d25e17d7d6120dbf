"""Images of several requests in one pass: each gets what it would have got alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from threading import Event

import numpy as np
import pytest

from app.serving.batcher import Batcher
from app.serving.encode_batcher import MAX_PER_PASS, EncodeBatcher
from app.telemetry.counters import Counters
from model.data.datasets import test_set as images_of
from model.engine import Code, Encoding, Engine
from model.errors import ImageError
from model.inference.encoding import Encoder

SIZES = (1, 3, 4, 1, 2, 3, 1, 1, 4)
IMAGES = np.split(
    images_of("mnist").images[: sum(SIZES)].astype(np.float32) / 255, np.cumsum(SIZES)[:-1]
)


class Passes(Encoder):
    """The encoder of an engine; its passes wait for an event, and their sizes are noted."""

    loop: asyncio.AbstractEventLoop

    def __init__(self, engine: Engine) -> None:
        vars(self).update(vars(engine.encoder))
        self.engine = Engine.__new__(Engine)
        vars(self.engine).update(vars(engine), encoder=self)
        self.sizes: list[int] = []
        self.whole: list[bool] = []
        self.begun = asyncio.Event()
        self.go = Event()

    def encode(self, images: np.ndarray) -> Encoding:
        self._note(images, True)
        return super().encode(images)

    def code(self, images: np.ndarray) -> Code:
        self._note(images, False)
        return super().code(images)

    def _note(self, images: np.ndarray, whole: bool) -> None:
        self.loop.call_soon_threadsafe(self.begun.set)
        self.go.wait()
        self.sizes.append(len(images))
        self.whole.append(whole)


def run(passes: Passes, scenario: Callable[[EncodeBatcher], Awaitable[None]]) -> Counters:
    counters = Counters()

    async def within(executor: ThreadPoolExecutor) -> None:
        passes.loop = asyncio.get_running_loop()
        batcher = Batcher(passes.engine.decode, executor, max_queue=10**6, counters=counters)
        await scenario(EncodeBatcher(passes.engine, batcher))
        assert batcher.waiting == (0, 0, 0)

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(within(executor))
    return counters


async def start(
    encoder: EncodeBatcher, parts: Sequence[np.ndarray], *whole: bool
) -> "list[asyncio.Task[Code]]":
    """Start a request for each of the parts; all of them are queued when this returns."""
    kinds = zip(parts, whole or [True] * len(parts), strict=True)
    asks = [encoder.encode(images) if kind else encoder.code(images) for images, kind in kinds]
    tasks = [asyncio.ensure_future(_only(ask)) for ask in asks]
    await asyncio.sleep(0)  # each task runs up to its first wait
    return tasks


async def _only(ask: Awaitable[Sequence[Code]]) -> Code:
    (found,) = await ask
    return found


def test_each_request_gets_what_it_gets_alone_in_fewer_passes(engine: Engine) -> None:
    passes = Passes(engine)
    passes.go.set()

    async def scenario(encoder: EncodeBatcher) -> None:
        asked = await start(encoder, IMAGES)
        for images, found in zip(IMAGES, await asyncio.gather(*asked), strict=True):
            assert isinstance(found, Encoding)
            for own, alone in zip(astuple(found), astuple(engine.encode(images)), strict=True):
                np.testing.assert_array_equal(own, alone)

    run(passes, scenario)
    assert max(passes.sizes) <= MAX_PER_PASS
    assert sum(passes.sizes) == sum(SIZES)
    assert len(passes.sizes) < len(SIZES)


def test_a_request_that_was_cancelled_is_not_encoded(engine: Engine) -> None:
    passes = Passes(engine)

    async def scenario(encoder: EncodeBatcher) -> None:
        (first,) = await start(encoder, IMAGES[:1])
        await passes.begun.wait()
        asked = await start(encoder, IMAGES[1:5])
        for leaving in asked[:2]:
            leaving.cancel()
        await asyncio.sleep(0)
        passes.go.set()
        outcomes = await asyncio.gather(first, *asked, return_exceptions=True)
        left = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
        assert left == [False, True, True, False, False]

    run(passes, scenario)
    assert sum(passes.sizes) == SIZES[0] + SIZES[3] + SIZES[4]


def test_one_request_that_fails_leaves_the_others_of_its_pass_alone(engine: Engine) -> None:
    passes = Passes(engine)
    passes.go.set()
    too_bright = np.full((1, 28, 28), 2, np.float32)

    async def scenario(encoder: EncodeBatcher) -> None:
        parts: list[np.ndarray] = [IMAGES[0], too_bright, IMAGES[3], IMAGES[6]]
        asked = await start(encoder, parts)
        first, bad, *others = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(bad, ImageError)
        for found, images in zip((first, *others), (IMAGES[0], IMAGES[3], IMAGES[6]), strict=True):
            assert isinstance(found, Encoding)
            np.testing.assert_array_equal(found.mean, engine.encode(images).mean)

    counters = run(passes, scenario)
    assert passes.sizes[0] == 4
    assert counters.bulk.images.sum == 4 * passes.engine.decodes_to_encode


@pytest.mark.parametrize("whole", [(False, False), (False, True), (True, False)])
def test_a_request_for_the_code_alone_gets_it_from_a_pass_of_either_kind(
    engine: Engine, whole: tuple[bool, bool]
) -> None:
    passes = Passes(engine)
    passes.go.set()
    parts = (IMAGES[0], IMAGES[3])

    async def scenario(encoder: EncodeBatcher) -> None:
        asked = await start(encoder, parts, *whole)
        for images, found in zip(parts, await asyncio.gather(*asked), strict=True):
            alone = engine.code(images)
            np.testing.assert_array_equal(found.mean, alone.mean)
            np.testing.assert_array_equal(found.covariance, alone.covariance)

    run(passes, scenario)
    assert passes.whole == [any(whole)]


def test_more_images_than_a_pass_takes_are_encoded_in_pieces(engine: Engine) -> None:
    passes = Passes(engine)
    passes.go.set()
    images = np.concatenate(IMAGES)[: 2 * MAX_PER_PASS + 1]

    async def scenario(encoder: EncodeBatcher) -> None:
        found = await encoder.encode(images)
        means = np.concatenate([one.mean for one in found])
        np.testing.assert_array_equal(means, engine.encode(images).mean)

    run(passes, scenario)
    assert passes.sizes == [MAX_PER_PASS, MAX_PER_PASS, 1]
