"""What counting costs: two servers side by side, one with metrics and one without.

    python -m benchmarks.metrics [--rounds 4] [--requests 15000]

Each round asks both servers for the same: frames of one stream, one after the other, and a tile
that is at hand, over one connection. What is compared is the processor time of the servers, best
of the rounds; a frame with metrics may cost 5 % more, and so may a tile.
"""

import argparse
import http.client
from collections.abc import Callable
from contextlib import ExitStack

from websockets.sync.client import connect

from tools.server import Server

MODEL = "mnist-vae-2d"
API = f"/api/v1/models/{MODEL}"
QUESTION = bytes(12)
LIMIT = 1.05


def main() -> None:
    """Start the servers, ask them in turn, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--requests", type=int, default=15_000)
    options = parser.parse_args()
    kinds = {"frame of a stream": stream, "tile at hand": tile}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Server("--models", MODEL, "--metrics", switch))
            for switch in ("off", "on")
        ]
        print(f"{'CPU microseconds':24}{'off':>8}{'on':>8}{'on / off':>10}   (limit {LIMIT})")
        for name, kind in kinds.items():
            for server in servers:
                cost(server, kind, options.requests // 10)  # caches and compilers warm up
            rounds = [
                [cost(server, kind, options.requests) for server in servers]
                for _ in range(options.rounds)
            ]
            off, on = (min(costs) for costs in zip(*rounds, strict=True))
            print(f"{name:24}{off:8.1f}{on:8.1f}{on / off:10.3f}")


def cost(server: Server, kind: Callable[[Server, int], None], requests: int) -> float:
    """Processor microseconds of the server for one request of a kind."""
    used = server.cpu_seconds()
    kind(server, requests)
    return 1e6 * (server.cpu_seconds() - used) / requests


def stream(server: Server, requests: int) -> None:
    """Drag: the next latent goes out when the last image is here."""
    address = f"ws://127.0.0.1:{server.port}{API}/stream"
    with connect(address, compression=None, proxy=None) as connection:
        for _ in range(requests):
            connection.send(QUESTION)
            connection.recv()


def tile(server: Server, requests: int) -> None:
    """Ask for one tile again and again."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for _ in range(requests):
        connection.request("GET", f"{API}/planes/latent/tiles/1/0/1.png")
        connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    main()
