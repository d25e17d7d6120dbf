"""Under another server; tests/app/test_express.py asks everything there too."""

import asyncio
from contextlib import suppress

from app.hosted import _Later, _wait


def test_a_request_whose_task_is_cancelled_is_cut() -> None:
    cuts: list[str] = []

    async def scenario() -> None:
        way = _Later()
        way.cut = lambda: cuts.append("cut")
        task = asyncio.create_task(_wait(way))
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert cuts == ["cut"]
