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


def test_work_returns_its_result_or_raises_its_error_while_the_client_waits() -> None:
    async def result() -> int:
        return 7

    async def error() -> int:
        raise ValueError("no result")

    async def run() -> None:
        assert await while_connected(request({"type": "http.request"}), result()) == 7
        with pytest.raises(ValueError, match="no result"):
            await while_connected(request(), error())

    asyncio.run(run())


def test_a_cancellation_from_elsewhere_passes_through() -> None:
    ends: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    async def run() -> None:
        task = asyncio.create_task(while_connected(request(), work()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(run())
    assert ends == ["cancelled"]


def test_a_cancellation_that_comes_together_with_the_disconnect_passes_through() -> None:
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def work() -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        task = asyncio.create_task(while_connected(Request({"type": "http"}, receive), work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gone.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_the_watch_for_the_disconnect_ends_with_the_work() -> None:
    async def result() -> int:
        await asyncio.sleep(0)
        return 7

    async def run() -> None:
        before = asyncio.all_tasks()
        assert await while_connected(request(), result()) == 7
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before

    asyncio.run(run())
