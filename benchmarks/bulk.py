"""Encodes of many images at once: what is refused, how long all take, how a drag beside them fares.

    python -m benchmarks.bulk [--clients 200] [--only "50 x"]

Each line is a number of clients that encode at once, against as many requests one after another,
asked in the same run. Who is refused comes again after `Retry-After`. One person drags at 60 Hz all
the while. The server and the clients share this machine.
"""

import argparse
import asyncio
import io
import random
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import httpx
from PIL import Image

from benchmarks.measuring import percentile
from benchmarks.visitors import API, drag, open_streams
from model.data.datasets import test_set
from tools.server import Server

MOST_ONE_BY_ONE = 24
"""Requests one after another; of more the time is taken from these."""


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
        except httpx.ReadError:  # the server closed the idle connection just then
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
        await encode(client, asked)
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
    few = min(clients, MOST_ONE_BY_ONE)
    loop = asyncio.get_running_loop()
    (stream,) = await open_streams(server.port, 1)
    with ProcessPoolExecutor(1) as process:
        alone, _ = await loop.run_in_executor(process, in_process, server.url, few, images, False)
        dragging = asyncio.create_task(drag(stream, 60, time.perf_counter() + 600))
        together, refused = await loop.run_in_executor(
            process, in_process, server.url, clients, images, True
        )
    dragging.cancel()
    stream.transport.abort()
    alone *= clients / few
    print(
        f"| {clients} x {images} | {alone:.2f} | {together:.2f} | {together / alone:.2f} "
        f"| {refused} | {1e3 * percentile(stream.waits, 50):.1f} "
        f"| {1e3 * percentile(stream.waits, 99):.1f} |",
        flush=True,
    )


async def table(server: Server, clients: int, only: str) -> None:
    """Print the lines of a few large requests, many small ones, and far too many."""
    print("| encodes x images | one by one, s | at once, s | ratio | refused |", end="")
    print(" drag p50, ms | p99, ms |\n|---|---|---|---|---|---|---|")
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
