"""Turns: of requests whose bodies came together, one goes on in each turn of the event loop."""

import asyncio
from collections import deque


class Turns:
    """Lets those who wait go on one after the other, one in each turn of the event loop.

    To parse a small form and to start its work takes half a millisecond. Of fifty that come
    together, a drag would wait for all.
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
