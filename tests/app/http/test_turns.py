import asyncio

import pytest
from starlette.types import Message

from app.http.turns import PIECE, Turns


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


@pytest.mark.parametrize("sizes", [[0], [1], [PIECE], [PIECE + 1, 3 * PIECE], [5, 0, 2 * PIECE]])
def test_a_body_comes_whole_in_small_pieces(sizes: list[int]) -> None:
    bodies = [bytes([index]) * size for index, size in enumerate(sizes)]
    messages: list[Message] = [
        {"type": "http.request", "body": body, "more_body": body is not bodies[-1]}
        for body in bodies
    ]
    messages.append({"type": "http.disconnect"})

    async def scenario() -> list[Message]:
        async def receive() -> Message:
            return messages.pop(0)

        receive_in_turn = Turns().of(receive)
        received = [await receive_in_turn()]
        while received[-1]["type"] == "http.request":
            received.append(await receive_in_turn())
        return received

    *received, end = asyncio.run(scenario())
    assert end["type"] == "http.disconnect"
    assert b"".join(message["body"] for message in received) == b"".join(bodies)
    assert all(len(message["body"]) <= PIECE for message in received)
    assert [message["more_body"] for message in received] == [True] * (len(received) - 1) + [False]
