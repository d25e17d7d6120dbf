"""Turns: of bodies that came together, one piece is read in each turn of the event loop."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Iterator

from starlette.types import Message, Receive

PIECE = 16 * 1024
"""Bytes of a body that are read at once, at most; of a form with small images that takes 3 ms."""


class Turns:
    """Lets those who wait go on one after the other, one in each turn of the event loop.

    Parsing a form with 64 images takes 5 ms. Of a hundred that come together, a drag would wait
    for all. Who came first goes first, so that few forms are half read at a time: the files of a
    hundred are so many objects that the garbage collector stops the event loop for 45 ms.
    """

    def __init__(self) -> None:
        self._places = itertools.count()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def next(self, place: int) -> None:
        """Wait for a turn that nobody else has; the lowest place goes first."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._waiting, (place, turn))
        if len(self._waiting) == 1:
            loop.call_soon(self._let_one_go_on)
        await turn

    def _let_one_go_on(self) -> None:
        _, turn = heapq.heappop(self._waiting)
        if not turn.done():  # else its request was cancelled
            turn.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._let_one_go_on)

    async def of(self, receive: Receive) -> Receive:
        """Return a `receive` that gives the same body, each small piece in a turn of its own.

        It comes in such a turn itself, so that a hundred requests do not begin in one.
        """
        place = next(self._places)
        await self.next(place)
        pieces: deque[Message] = deque()

        async def receive_in_turn() -> Message:
            if not pieces:
                pieces.extend(_pieces(await receive()))
            await self.next(place)
            return pieces.popleft()

        return receive_in_turn


def _pieces(message: Message) -> Iterator[Message]:
    """Return a message as several, each with at most `PIECE` bytes of its body."""
    body = memoryview(message.get("body", b""))
    *others, last = range(0, max(len(body), 1), PIECE)
    for start in others:
        yield {**message, "body": bytes(body[start : start + PIECE]), "more_body": True}
    yield {**message, "body": bytes(body[last:])}
