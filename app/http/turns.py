"""Turns: of bodies that came together, one piece is read in each turn of the event loop."""

import asyncio
from collections import deque
from collections.abc import Iterator

from starlette.types import Message, Receive

PIECE = 16 * 1024
"""Bytes of a body that are read at once, at most; of a form with small images that takes 3 ms."""


class Turns:
    """Lets those who wait go on one after the other, one in each turn of the event loop.

    Parsing a form with 64 images takes 5 ms. Of a hundred that come together, a drag would wait
    for all.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Wait for a turn that nobody else has."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            loop.call_soon(self._let_one_go_on)
        await turn

    def _let_one_go_on(self) -> None:
        turn = self._waiting.popleft()
        if not turn.done():  # else its request was cancelled
            turn.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._let_one_go_on)

    def of(self, receive: Receive) -> Receive:
        """Return a `receive` that gives the same body, each small piece in a turn of its own."""
        pieces: deque[Message] = deque()

        async def receive_in_turn() -> Message:
            if not pieces:
                pieces.extend(_pieces(await receive()))
            await self.next()
            return pieces.popleft()

        return receive_in_turn


def _pieces(message: Message) -> Iterator[Message]:
    """Return a message as several, each with at most `PIECE` bytes of its body."""
    body = memoryview(message.get("body", b""))
    *others, last = range(0, max(len(body), 1), PIECE)
    for start in others:
        yield {**message, "body": bytes(body[start : start + PIECE]), "more_body": True}
    yield {**message, "body": bytes(body[last:])}
