"""What a server keeps of models that it has loaded and dropped again.

    python -m benchmarks.loads [--loads 1000] [--mebibytes 70]

A server with little memory for models is asked for images of all of them in random order while
somebody drags, so that nearly each request loads a model and drops others. Its resident memory at
the end is held against that of a fresh server that has loaded the same models once.
"""

import argparse
import asyncio
import random
import time

import httpx

from benchmarks.memory import MEGABYTE, resident
from benchmarks.visitors import drag, open_streams
from tools.server import Server

ASKED = 1.5


async def load(server: Server, names: list[tuple[str, int]], count: int) -> list[str]:
    """Have so many models loaded while one stream drags; return those that are in memory then."""
    (stream,) = await open_streams(server.port, 1)
    dragging = asyncio.create_task(drag(stream, 60, time.perf_counter() + 3600))
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
        last = ""
        for number in range(count):
            name, size = random.choice([pair for pair in names if pair[0] != last])
            z = ",".join(f"{random.uniform(-1, 1):.4f}" for _ in range(size))
            answer = await client.get(f"/api/v1/models/{name}/decode.png?z={z}")
            answer.raise_for_status()
            last = name
            if number % 100 == 99:
                print(f"{number + 1:6} loads: {resident(server.pid) // MEGABYTE} MB", flush=True)
        loaded: list[str] = (await client.get("/readyz")).json()["loaded"]
    dragging.cancel()
    stream.transport.abort()
    return loaded


async def once(server: Server, names: list[tuple[str, int]]) -> None:
    """Load each of these models once."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
        for name, size in names:
            z = ",".join(["0"] * size)
            (await client.get(f"/api/v1/models/{name}/decode.png?z={z}")).raise_for_status()


def main() -> None:
    """Print the memory of both, and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--loads", type=int, default=1000)
    parser.add_argument("--mebibytes", type=int, default=70, help="for loaded models")
    options = parser.parse_args()
    random.seed(0)
    bound = ("--model-memory-bytes", str(options.mebibytes * 2**20), "--log-level", "error")
    with Server(*bound) as server:
        cards = httpx.get(f"{server.url}/api/v1/models", trust_env=False).json()["models"]
        names = [(card["id"], card["latent_dim"]) for card in cards if card["planes"]]
        loaded = asyncio.run(load(server, names, options.loads))
        after = resident(server.pid)
    with Server("--log-level", "error") as server:
        asyncio.run(once(server, [pair for pair in names if pair[0] in loaded]))
        fresh = resident(server.pid)
    print(f"{len(loaded)} models: {after // MEGABYTE} MB after {options.loads} loads, "
          f"{fresh // MEGABYTE} MB fresh, ratio {after / fresh:.2f} (asked: {ASKED})")  # fmt: skip


if __name__ == "__main__":
    main()
