"""Images of several requests, encoded in one pass: four together take twice what one does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from jaxtyping import Float32

from app.errors import Problem
from app.serving.batcher import Batcher
from app.serving.queues import Answer, Job
from model.engine import Code, Encoding, Engine

Pixels = Float32[np.ndarray, "images 28 28"]

MOST = 8
"""Images of a pass; the drags of the moment wait for it."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a request has encoded.

    Attributes:
        images: Gives them, up to 8, in a thread, or what the request is refused with. That is not
            raised: an error that is kept where it was caught holds what holds it.
        count: How many.
        whole: Whether an ELBO and a reconstruction are wanted too.
    """

    images: Callable[[], Pixels | Problem]
    count: int = 1
    whole: bool = True


@dataclass(frozen=True, eq=False)
class _Part:
    wanted: Wanted
    answer: Answer


_Outcome = tuple[_Part, Code | Exception]


class Encodes:
    """Encodes up to 8 images a request, as bulk; whoever waits when a pass begins, goes along.

    Args:
        engine: What it says of an image does not depend on the others.
        batcher: Whose turns it takes.
    """

    def __init__(self, engine: Engine, batcher: Batcher) -> None:
        self._engine = engine
        self._batcher = batcher
        self._waiting: list[_Part] = []

    def ask(self, wanted: Wanted, answer: Answer) -> None:
        """Have `answer` told of the Encoding, or of the Code if that is all that is wanted.

        Raises:
            Overloaded: too much is waiting.
        """
        part = _Part(wanted, answer)
        weight = self._engine.decodes_to_encode
        job = Job([], weight * wanted.count, answer, self._shared_out, hops=True)
        self._batcher.ask_job(job)
        job.calls.append(partial(self._pass, job, part))  # not before: one refused is to be gone
        self._waiting = [other for other in self._waiting if not other.answer.done()]
        self._waiting.append(part)

    def _pass(self, job: Job, first: _Part) -> list[_Outcome]:
        """In the thread: encode a request's images, and those of others for which there is room."""
        parts, room = [first], MOST - first.wanted.count
        for part in self._waiting:
            if part is not first and not part.answer.done() and part.wanted.count <= room:
                parts.append(part)
                room -= part.wanted.count
        job.weight = self._engine.decodes_to_encode * (MOST - room)
        return self._together(parts)

    def _together(self, parts: list[_Part]) -> list[_Outcome]:
        """Encode what each wants, or tell each why that could not be done."""
        try:
            return self._encoded(parts)
        except Exception as error:
            if len(parts) == 1:
                return [(parts[0], error)]
            # the fault of one is not the others'
            return [outcome for part in parts for outcome in self._together([part])]

    def _encoded(self, parts: list[_Part]) -> list[_Outcome]:
        outcomes: list[_Outcome] = []
        good: list[tuple[_Part, Pixels]] = []
        for part in parts:
            images = part.wanted.images()
            if isinstance(images, Problem):
                outcomes.append((part, images))
            else:
                good.append((part, images))
        if not good:
            return outcomes
        whole = any(part.wanted.whole for part, _ in good)
        encode = self._engine.encode if whole else self._engine.code
        encoding = encode(np.concatenate([own for _, own in good]))
        start = 0
        for part, own in good:
            outcomes.append((part, encoding.of(start, start + len(own))))
            start += len(own)
        return outcomes

    def _shared_out(self, results: list[list[_Outcome]]) -> None:
        """On the loop: tell each of its own; the turns of the others are void then."""
        (outcomes,) = results
        for part, outcome in outcomes:
            if part.answer.done():
                continue
            if isinstance(outcome, Exception):
                part.answer.set_exception(outcome)
            else:
                part.answer.set_result(outcome)
        self._waiting = [part for part in self._waiting if not part.answer.done()]


Found = TypeVar("Found", Code, Encoding)


async def encoded(encodes: Encodes, images: Pixels, kind: type[Found]) -> Found:
    """Encode images, for who awaits it: as a Code or an Encoding.

    Raises:
        Overloaded: too much is waiting.
    """
    answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    encodes.ask(Wanted(lambda: images, len(images), kind is Encoding), answer)
    found = await answer
    assert isinstance(found, kind)
    return found
