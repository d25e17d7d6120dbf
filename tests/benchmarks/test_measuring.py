"""The instruments of the benchmarks, held against what is known otherwise."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.measuring import cpu_seconds, http_load, percentile, process_tree, websocket_load

FAMILY = """
import subprocess, sys, time
generations = int(sys.argv[1])
if generations > 1:
    subprocess.Popen([sys.executable, "-c", sys.orig_argv[2], str(generations - 1)])
while time.process_time() < 0.3:
    pass
print(time.process_time(), flush=True)
sys.stdin.read()
"""
"""Each has a child, works a while, says how long, and waits for the end of its input."""


@pytest.fixture
def family() -> Iterator[tuple[subprocess.Popen[str], list[float]]]:
    """Three generations, and the seconds that each says it has worked."""
    process = subprocess.Popen(
        [sys.executable, "-c", FAMILY, "3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin
        assert process.stdout
        yield process, [float(process.stdout.readline()) for _ in range(3)]
        process.stdin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_the_work_of_children_and_their_children_counts(
    family: tuple[subprocess.Popen[str], list[float]],
) -> None:
    process, worked = family
    assert len(process_tree(process.pid)) == 3
    assert sum(worked) <= cpu_seconds(process.pid) < 1.5 * sum(worked)


def test_one_in_a_hundred_values_exceeds_the_99th_percentile() -> None:
    values = [float(value) for value in range(1000)]
    assert sum(value > percentile(values, 99) for value in values) == 10


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3\r\nrig\r\n2;x=y\r\nht\r\n0\r\n\r\n",
    ],
    ids=["length", "chunks"],
)
def test_answers_in_pieces_count_once_and_refusals_as_failed(answer: bytes) -> None:
    answered: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await reader.readline()) == b"GET\r\n":
            refused = len(answered) % 5 == 4
            answered.append(request)
            for byte in b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" if refused else answer:
                writer.write(bytes([byte]))
                await writer.drain()
        writer.close()

    async def load() -> None:
        async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            found = await http_load(port, b"GET\r\n", 3, 0.2)
        assert found.count + found.failed == len(answered) > 0
        assert found.failed == len(answered) // 5

    asyncio.run(load())


def test_every_message_of_a_websocket_comes_in_turn_and_is_answered() -> None:
    came: list[str | bytes] = []

    async def answer(connection: ServerConnection) -> None:
        await connection.ping()
        async for message in connection:
            came.append(message)
            await connection.send(bytes(788))

    async def load() -> None:
        async with serve(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"ws://127.0.0.1:{port}/"
            found = await websocket_load(url, lambda n: n.to_bytes(4, "big"), 2, 0.2)
        assert found.failed == 0
        assert found.count == len(came) > 0
        assert sorted(came) == [n.to_bytes(4, "big") for n in range(len(came))]

    asyncio.run(load())
