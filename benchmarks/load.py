"""Many at once, too many, the end, and what machines and clients do wrong: what it costs the rest.

    python -m benchmarks.load [--streams 200] [--hertz 30] [--seconds 120] [--workers 1]
                              [--only crowd,flood,...]

Each part has a server of its own, on this machine, which also runs the clients, and a line or more
of one table. Lost is a stream that closed, or a request that was taken and got no good answer.

- *crowd*: streams that each send a latent `--hertz` times a second, as a drag does, while four
  clients ask for images, tiles and encodes without pause. The newest latent wins, so fewer may be
  answered than were sent.
- *flood*: batches of 1,024 from far more clients than the queue takes, beside patient ones. Refused
  must be refused at once; who is accepted waits as long as `EXPLORER_MAX_WAIT_SECONDS` lets it, and
  with next to none hardly longer than without the flood.
- *beside*: one person drags at 60 Hz beside one client that asks for something long without pause:
  geodesics that are warm, a GIF of 256 steps, an encode of 64 files, the list of models.
- *stop*: SIGTERM in the middle of requests and drags. Then the server starts again on its port, and
  the streams, which were told to come again (1012), do.
- *crash*: `kill -9` of one of two workers. Lost is what was under way on the killed one.
- *disk*: no file of the server can grow any more, its log among them.
- *read-only*: every place on the disk is read-only, with one worker and with two.
- *silent*: one client asks for images and one drags, and neither ever reads; others ask beside them
  until both are cut.
"""

import argparse
import asyncio
import os
import random
import resource
import signal
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import httpx
import numpy as np

from app.formats import png
from benchmarks.memory import MEGABYTE, resident
from benchmarks.visitors import (
    API,
    Asked,
    ask,
    drag,
    mixed,
    open_streams,
    quantiles,
    written,
)
from tools.server import READ_ONLY, Server, can_be_read_only

COLUMNS = ("part", "of", "asked", "answered", "refused", "lost", "p50, ms", "p99, ms", "")
SHORT_SECONDS = 4
ASKING = 16
"""Clients that ask at once while something goes wrong."""
MOST_SILENT_SECONDS = 90
"""Unread answers are cut after 30."""


def row(part: str, of: str, *numbers: int, waits: Sequence[float] = (), also: str = "") -> None:
    """Print a line of the table: asked, answered, refused, lost, and how long it took."""
    cells = (part, of, *(f"{number:,}" for number in numbers), *quantiles(waits), also)
    print("| " + " | ".join(cells) + " |", flush=True)


def requests(part: str, of: str, asked: Asked, also: str = "") -> None:
    """Print the line of requests of one kind."""
    statuses = asked.statuses
    told = ", ".join(
        f"{count:,} {status}"
        for status, count in statuses.most_common()
        if status not in (200, 503)
    )
    row(
        *(part, of, statuses.total(), len(asked.good), statuses[503], asked.broken),
        waits=asked.good,
        also="; ".join(filter(None, (also, told))),
    )


async def crowd(server: Server, options: argparse.Namespace) -> None:
    """Two hundred people drag, four more ask."""
    streams = await open_streams(server.port, options.streams)
    end = time.perf_counter() + options.seconds
    asked = Asked()
    memory: list[int] = []
    used, start = server.cpu_seconds(), time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for stream in streams:
            tasks.create_task(drag(stream, options.hertz, end))
        for _ in range(4):
            kinds = [random.choice(mixed()) for _ in range(99)]
            tasks.create_task(ask(server.url, end, asked, kinds))
        tasks.create_task(watch(server.pid, end, memory))
    used = (server.cpu_seconds() - used) / (time.perf_counter() - start)
    waits = [wait for stream in streams for wait in stream.waits]
    sent, lost = (
        sum(stream.sequence for stream in streams),
        sum(stream.lost for stream in streams),
    )
    grown = f"memory {memory[len(memory) // 4]} MB after warm-up, {memory[-1]} MB at the end"
    of = f"{options.streams} streams at {options.hertz:g} Hz, {options.seconds:g} s"
    row("crowd", of, sent, len(waits), 0, lost, waits=waits, also=f"{grown}; {used:.2f} cores")
    requests("", "requests", asked)
    for stream in streams:
        stream.transport.abort()


async def watch(pid: int, end: float, memory: list[int]) -> None:
    """Note the resident memory of a process, in MB, while the others work."""
    while time.perf_counter() < end:
        memory.append(resident(pid) // MEGABYTE)
        await asyncio.sleep(1)


async def flood(wait: str, server: Server, options: argparse.Namespace) -> None:
    """Far more than can be done: refused early, and the accepted later by `wait` at most."""
    batch = ("POST", f"{API}/decode", written(latents=[[0.1, 0.2]] * 1024))
    alone, beside, many = Asked(), Asked(), Asked()
    seconds = options.seconds / 6
    await ask(server.url, time.perf_counter() + seconds / 4, alone, [batch])
    end = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as tasks:
        for _ in range(40):
            tasks.create_task(ask(server.url, end, many, [batch]))
        tasks.create_task(ask(server.url, end, beside, [mixed()[0]]))
    requests(f"flood, may wait {wait} s", "a batch alone", alone)
    requests("", "batches of 40 clients", many)
    row("", "of them refused", *(0, 0, len(many.refused), 0), waits=many.refused)
    requests("", "small ones beside them", beside)


async def beside(server: Server, options: argparse.Namespace) -> None:
    """One drag beside long requests of each kind."""
    content = png.encode(np.eye(28, dtype=np.uint8) * 255)
    form = httpx.Request("POST", server.url, files=[("file", ("1.png", content))] * 64)
    form.read()

    def path(**body: object) -> bytes:
        ends = {
            name: {"latent": [random.uniform(-2, 2) for _ in "xy"]} for name in ("start", "end")
        }
        return written(**ends, **body)

    geodesics = [("POST", f"{API}/interpolate", path(path="geodesic")) for _ in range(20)]
    kinds: dict[str, list[tuple[str, str, bytes | None, dict[str, str]]]] = {
        "nothing": [],
        "geodesics": [(*one, {}) for one in geodesics],
        "a GIF of 256 steps": [
            ("POST", f"{API}/interpolate", path(steps=256), {"accept": "image/gif"})
        ],
        "an encode of 64 files": [
            ("POST", f"{API}/encode", form.content, {"content-type": form.headers["content-type"]})
        ],
        "the list of models": [("GET", "/api/v1/models", None, {})],
    }
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
        for name, asks in kinds.items():
            for method, url, body, headers in asks[:1]:  # warm
                await client.request(method, url, content=body, headers=_json(headers))
            (stream,) = await open_streams(server.port, 1)
            end = time.perf_counter() + options.seconds / 12
            count = 0
            async with asyncio.TaskGroup() as tasks:
                dragging = tasks.create_task(drag(stream, 60, end))
                while not dragging.done():
                    if not asks:
                        await asyncio.sleep(0.1)
                        continue
                    method, url, body, headers = asks[count % len(asks)]
                    answer = await client.request(method, url, content=body, headers=_json(headers))
                    answer.raise_for_status()
                    count += 1
            of = f"a drag at 60 Hz beside {name}"
            numbers = (stream.sequence, len(stream.waits), 0, stream.lost)
            row("beside", of, *numbers, waits=stream.waits, also=f"{count} answered beside it")
            stream.transport.abort()


def _json(headers: dict[str, str]) -> dict[str, str]:
    return {"content-type": "application/json", **headers}


async def asking(server: Server, seconds: float, *also: Awaitable[object]) -> Asked:
    """Let sixteen ask for a while, during something."""
    asked = Asked()
    end = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as tasks:
        for _ in range(ASKING):
            tasks.create_task(ask(server.url, end, asked, mixed()))
        for one in also:
            await one
    return asked


async def stop(server: Server, options: argparse.Namespace) -> None:
    """SIGTERM while sixteen clients ask and eight people drag; then a start."""
    streams = await open_streams(server.port, 8)
    end = time.perf_counter() + SHORT_SECONDS
    drags = [asyncio.create_task(drag(stream, options.hertz, end)) for stream in streams]
    asked = await asking(
        server, SHORT_SECONDS, after(SHORT_SECONDS / 2, os.kill, server.pid, signal.SIGTERM)
    )
    await asyncio.gather(*drags)
    requests("stop", "requests", asked)
    told = sum(stream.closed_with == 1012 for stream in streams)
    server.stop()
    server.start()
    again = await open_streams(server.port, len(streams))
    end = time.perf_counter() + 1
    await asyncio.gather(*(drag(stream, options.hertz, end) for stream in again))
    well = sum(bool(stream.waits) for stream in again)
    row(
        *("", "streams", len(streams), well, 0, len(streams) - min(well, told)),
        waits=[wait for stream in again for wait in stream.waits],
        also=f"{told} closed with 1012, {well} answered after the start",
    )
    for stream in again:
        stream.transport.abort()


async def after(seconds: float, act: Callable[..., object], *arguments: object) -> None:
    await asyncio.sleep(seconds)
    act(*arguments)


async def crash(server: Server, _: argparse.Namespace) -> None:
    """One of two workers is killed."""
    killed = after(SHORT_SECONDS, os.kill, server.workers()[0], signal.SIGKILL)
    requests("crash", "requests", await asking(server, 5 * SHORT_SECONDS, killed))


async def disk(server: Server, _: argparse.Namespace) -> None:
    """Nothing can be written any more, as on a full disk."""
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, 0))
    requests("disk", "requests, full", await asking(server, SHORT_SECONDS))


async def read_only(workers: int, server: Server, _: argparse.Namespace) -> None:
    """Nothing could be written from the start."""
    requests("read-only", f"requests, workers: {workers}", await asking(server, SHORT_SECONDS))


async def silent(server: Server, _: argparse.Namespace) -> None:
    """Two clients never read; others go on."""
    began, before = time.perf_counter(), resident(server.pid) // MEGABYTE
    asked, cut = Asked(), []
    with silent_client(server.port) as client, silent_client(server.port) as dragging:
        image = f"GET {API}/decode.png?z=0,0&size=1120 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        upgrade = (
            f"GET {API}/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket"
            "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await asyncio.get_running_loop().sock_sendall(dragging, upgrade.encode())
        frame = b"\x82\x8c" + bytes(4) + struct.pack("<Iff", 1, 0.1, 0.2)
        end = began + MOST_SILENT_SECONDS
        pouring = [
            asyncio.create_task(pour(client, image, end)),
            asyncio.create_task(pour(dragging, 100 * frame, end)),
        ]
        others = [asyncio.create_task(ask(server.url, end, asked, mixed())) for _ in range(4)]
        for poured in asyncio.as_completed(pouring):
            cut.append(await poured - began)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    both = " and ".join(f"{seconds:.0f}" for seconds in cut)
    grown = f"memory {before} MB before, {resident(server.pid) // MEGABYTE} MB after"
    requests("silent", "requests of others", asked, f"cut after {both} s; {grown}")


def silent_client(port: int) -> socket.socket:
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.connect(("127.0.0.1", port))
    opened.setblocking(False)
    return opened


async def pour(opened: socket.socket, data: bytes, end: float) -> float:
    """Send without reading until the other side cuts the connection; give the time of that."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(loop.time() + end - time.perf_counter()):
            while True:
                await loop.sock_sendall(opened, data)
                await asyncio.sleep(0.001)
    except (ConnectionError, TimeoutError):
        return time.perf_counter()


Part = Callable[[Server, argparse.Namespace], Awaitable[None]]


WAITS = ("0.1", "0.001")
"""Seconds: a few batches, and next to none."""


def parts(workers: int) -> dict[str, list[tuple[Part, Server]]]:
    """Give each part with the servers that it is tried on."""
    own = ("--workers", str(workers))
    tried = (1, 2) if can_be_read_only() else ()
    return {
        "crowd": [(crowd, Server(*own))],
        "flood": [
            (partial(flood, wait), Server(*own, "--max-wait-seconds", wait)) for wait in WAITS
        ],
        "beside": [(beside, Server(*own))],
        "stop": [(stop, Server(*own))],
        "crash": [(crash, Server("--workers", "2"))],
        "disk": [(disk, Server())],
        "read-only": [
            (partial(read_only, count), Server("--workers", str(count), within=READ_ONLY))
            for count in tried
        ],
        "silent": [(silent, Server())],
    }


def main() -> None:
    """Run them all, each on a fresh server."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--hertz", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="", help="parts, by commas")
    options = parser.parse_args()
    found = parts(options.workers)
    print("| " + " | ".join(COLUMNS) + " |\n" + len(COLUMNS) * "|---" + "|")
    for name in options.only.split(",") if options.only else found:
        for part, server in found[name]:
            with server:
                asyncio.run(_run(part, server, options))


async def _run(part: Part, server: Server, options: argparse.Namespace) -> None:
    await part(server, options)


if __name__ == "__main__":
    main()
