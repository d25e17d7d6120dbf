"""Encodes of many images at once: what is refused, how long all take, how a drag beside them fares.

    python -m benchmarks.bulk [--clients 200] [--only "50 x"]

Each line is a number of clients that encode at once, against requests one after another. Both are
asked in turns, and a ratio is of a turn and of the halves of those before and after it; told are
the middle one, the least and the greatest. Who is refused comes again after `Retry-After`. One
person drags at 60 Hz all the while, and for a few seconds alone. The server and the clients share
this machine; the server's processor time depends less on what else runs there.
"""

import argparse
import asyncio
import io
import math
import random
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx
from PIL import Image

from benchmarks.measuring import cpu_seconds, percentile
from benchmarks.visitors import API, drag, open_streams
from model.data.datasets import test_set
from tools.server import Server

MOST_ONE_BY_ONE = 16
"""Requests one after another in a turn; of more the time is taken from these."""
IMAGES = 2048
"""To encode in the turns at once of a line, at least."""
DRAG_ALONE_SECONDS = 5.0


@dataclass
class Turn:
    """How the encodes of a turn went."""

    encodes: int
    seconds: float
    refused: int
    cpu_seconds: float
    """Of the server, the drag included."""
    drag: list[float]
    """Round trips."""


def form(images: int) -> httpx.Request:
    """An encode of so many test images, each a PNG file."""
    dice = random.Random(images)
    files = []
    for index in dice.sample(range(10_000), images):
        file = io.BytesIO()
        Image.fromarray(test_set("mnist").images[index]).save(file, "PNG")
        files.append(("file", (f"{index}.png", file.getvalue())))
    request = httpx.Request("POST", "http://server", files=files)
    request.read()
    return request


async def encode(client: httpx.AsyncClient, asked: httpx.Request) -> int:
    """Encode, as often as it takes; return how often it was refused."""
    refused = 0
    headers = {"Content-Type": asked.headers["Content-Type"]}
    while True:
        try:
            answer = await client.post(f"{API}/encode", content=asked.content, headers=headers)
        except httpx.ReadError:  # the server closed an idle connection
            continue
        if answer.status_code != 503:
            answer.raise_for_status()
            return refused
        refused += 1
        await asyncio.sleep(int(answer.headers["Retry-After"]))


async def encodes(url: str, clients: int, images: int, at_once: bool) -> tuple[float, int]:
    """Return how long so many encodes took, and how many refusals there were."""
    asked = form(images)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, verify=False, timeout=120, limits=limits
    ) as client:
        begun = time.perf_counter()
        if at_once:
            refused = sum(await asyncio.gather(*(encode(client, asked) for _ in range(clients))))
        else:
            refused = sum([await encode(client, asked) for _ in range(clients)])
        return time.perf_counter() - begun, refused


def in_process(*arguments: Any) -> tuple[float, int]:
    """Encode from a process of its own, so that a drag from another is not held up by it."""
    return asyncio.run(encodes(*arguments))


async def compare(server: Server, clients: int, images: int) -> None:
    """Print the line of so many clients, each of which encodes so many images."""
    loop = asyncio.get_running_loop()
    (stream,) = await open_streams(server.port, 1)
    dragging = asyncio.create_task(drag(stream, 60, math.inf))
    with ProcessPoolExecutor(1) as process:

        async def turn(count: int, at_once: bool) -> Turn:
            stream.waits.clear()
            before = cpu_seconds(server.pid)
            run = loop.run_in_executor(process, in_process, server.url, count, images, at_once)
            seconds, refused = await run
            cpu = cpu_seconds(server.pid) - before
            return Turn(count, seconds, refused, cpu, list(stream.waits))

        few = min(clients, MOST_ONE_BY_ONE)
        await turn(few, at_once=True)  # nothing is cold any more
        stream.waits.clear()
        await asyncio.sleep(DRAG_ALONE_SECONDS)
        drag_alone = list(stream.waits)
        alone, together = [await turn(few, at_once=False)], []
        for _ in range(math.ceil(IMAGES / (clients * images))):
            together.append(await turn(clients, at_once=True))
            alone.append(await turn(few, at_once=False))
    dragging.cancel()
    stream.transport.abort()
    ratios = [
        one.seconds / clients / ((before.seconds + after.seconds) / 2 / few)
        for one, (before, after) in zip(together, pairwise(alone), strict=True)
    ]
    print(
        f"| {clients} x {images} | {_seconds(alone, clients)} | {_seconds(together, clients)} "
        f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
        f"| {clients * len(together)} | {sum(one.refused for one in together)} "
        f"| {_cpu(alone)} | {_cpu(together)} "
        f"| {_p50_and_p99(drag_alone)} | {_drag(alone)} | {_drag(together)} |",
        flush=True,
    )


def _seconds(turns: Sequence[Turn], encodes: int) -> str:
    """Return the seconds that so many encodes took."""
    took = sum(turn.seconds for turn in turns) / sum(turn.encodes for turn in turns)
    return f"{took * encodes:.2f}"


def _cpu(turns: Sequence[Turn]) -> str:
    """Return the milliseconds of processor time that an encode took."""
    took = sum(turn.cpu_seconds for turn in turns) / sum(turn.encodes for turn in turns)
    return f"{1e3 * took:.0f}"


def _drag(turns: Sequence[Turn]) -> str:
    return _p50_and_p99([wait for turn in turns for wait in turn.drag])


def _p50_and_p99(seconds: list[float]) -> str:
    return " ".join(f"{1e3 * percentile(seconds, percent):.1f}" for percent in (50, 99))


async def table(server: Server, clients: int, only: str) -> None:
    """Print the lines of a few large requests, many small ones, and far too many."""
    print("| encodes x images | one by one, s | at once, s | ratio | encodes | refusals ", end="")
    print("| CPU of one, ms | at once | drag p50 p99, ms | one by one | at once |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for count, images in ((8, 64), (50, 4), (50, 64), (clients, 64)):
        if f"{count} x {images}".startswith(only):
            await compare(server, count, images)


def main() -> None:
    """Start a server and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=200, help="of the last line")
    parser.add_argument("--only", default="", help="lines that begin with it, such as '50 x 4'")
    options = parser.parse_args()
    with Server("--device", "cpu") as server:
        asyncio.run(table(server, options.clients, options.only))


if __name__ == "__main__":
    main()
