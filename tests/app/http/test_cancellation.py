import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from app.http.cancellation import while_connected


def request(*messages: Message) -> Request:
    waiting = list(messages)

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http"}, receive)


def test_work_is_cancelled_when_the_client_goes_away() -> None:
    cancelled: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    async def run() -> None:
        with pytest.raises(ClientDisconnect):
            await while_connected(request({"type": "http.disconnect"}), work())
        await asyncio.sleep(0)

    asyncio.run(run())
    assert cancelled == [True]


def test_work_gives_its_result_or_its_error_while_the_client_waits() -> None:
    async def result() -> int:
        return 7

    async def error() -> int:
        raise ValueError("no result")

    async def run() -> None:
        assert await while_connected(request({"type": "http.request"}), result()) == 7
        with pytest.raises(ValueError, match="no result"):
            await while_connected(request(), error())

    asyncio.run(run())
