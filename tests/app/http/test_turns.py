import asyncio

from app.http.turns import Turns


async def count_turns(seen: list[int]) -> None:
    """Note each turn of the event loop, until cancelled."""
    while True:
        seen.append(len(seen))
        await asyncio.sleep(0)


def test_those_who_wait_go_on_in_order_and_in_turns_of_their_own() -> None:
    async def scenario() -> list[tuple[int, int]]:
        turns, seen, went = Turns(), list[int](), list[tuple[int, int]]()

        async def wait(name: int) -> None:
            await turns.next()
            went.append((name, len(seen)))

        counting = asyncio.create_task(count_turns(seen))
        waiting = [asyncio.create_task(wait(name)) for name in range(5)]
        await asyncio.sleep(0)
        waiting[2].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        counting.cancel()
        await turns.next()
        return went

    went = asyncio.run(scenario())
    assert [name for name, _ in went] == [0, 1, 3, 4]
    assert len({turn for _, turn in went}) == 4
