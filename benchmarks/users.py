"""How many people drag at once on one core, and what a second worker adds.

    python -m benchmarks.users [--seconds 5] [--rounds 3] [--only dragging|http|workers]
        [--plot FOLDER]

*dragging*: the server has one core to itself, the clients another. Each person moves 60 times a
second and does as the page does: sends nothing while the last question is open, then the newest
point. The clock of every movement starts when it was due, and stops at the first image that is as
new as it, so that what was overtaken counts as well. The figure is the most people of whom no more
than one movement in a hundred took longer than 33 ms, two frames of a screen.

*http*: the same where no stream opens, by requests.

*workers*: answers a second when 128 connections ask as fast as they are answered, of one worker and
of two, in turns, with this client on the same two cores: frames of drags, REST decodes, and tiles
that nobody asked for before.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import struct
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvloop

from benchmarks.limits import API, MODEL, decode, fresh_tile, message, post
from benchmarks.measuring import (
    Load,
    cpu_seconds,
    good_answer,
    http_load,
    on_core,
    percentile,
    upgrade,
    websocket_load,
)
from benchmarks.picture import bars
from tools.server import Server

QUESTION = struct.Struct("<2s4xIff")
"""A frame whose mask is zero: its head, the sequence, the latent."""
ANSWER = 4 + 4 + 784
"""Bytes of a frame: its head, the sequence, the image."""
PING = 2 + 4
CHROMIUM = (
    "Accept: application/octet-stream",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9",
    "Origin: http://127.0.0.1:8000",
    "Referer: http://127.0.0.1:8000/",
    'Sec-Ch-Ua: "Chromium";v="140", "Not=A?Brand";v="24"',
    "Sec-Ch-Ua-Mobile: ?0",
    'Sec-Ch-Ua-Platform: "Linux"',
    "Sec-Fetch-Dest: empty",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Site: same-origin",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
)
HERTZ = 60
LIMIT_SECONDS = 0.033
STEP = 10
"""People; the figure is a multiple of it."""
MOST = 960
ASKED_RATIO = 1.6
CONNECTIONS = 128
WARM_UP_SECONDS = 0.5
FINEST_SECONDS = 0.001
"""The shortest sleep of the client: its loop has no finer clock, and would spin."""


class Person(asyncio.Protocol):
    """Moves; asks as the page does; remembers how long each movement waited for its image."""

    def __init__(self) -> None:
        self.open = asyncio.get_running_loop().create_future()
        self.lost = False
        self.asked: list[float] = []
        """When the movements were due that the question under way will have answered."""
        self.waiting: list[float] = []
        self.lags: list[float] = []
        self.images = 0
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.open.done():
            self.open.set_exception(error or ConnectionError("closed before it opened"))

    def move(self, due: float) -> None:
        """Be at another point at a time that is now or has just been."""
        self.waiting.append(due)
        if not self.asked:
            self._ask()

    def _ask(self) -> None:
        self.asked, self.waiting = self.waiting, []
        self.send(random.uniform(-3, 3), random.uniform(-3, 3))

    def send(self, x: float, y: float) -> None:
        """Ask for the image of a point."""
        raise NotImplementedError

    def answered(self) -> None:
        """Have got the image."""
        now = time.perf_counter()
        self.lags.extend(now - due for due in self.asked)
        self.images += 1
        self.asked = []
        if self.waiting:
            self._ask()


class OnStream(Person):
    """Asks over a WebSocket."""

    sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(upgrade(f"{API}/stream"))

    def send(self, x: float, y: float) -> None:
        self.sequence += 1
        self.transport.write(QUESTION.pack(b"\x82\x8c", self.sequence, x, y))

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self.open.done():
            end = received.find(b"\r\n\r\n") + 4
            if end < 4:
                return
            if not received.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(ConnectionError(bytes(received[:end]).decode()))
                return
            del received[:end]
            self.open.set_result(None)
        while len(received) >= 2:
            length = PING if received[0] == 0x89 else ANSWER
            if len(received) < length:
                return
            if length == PING:
                self.transport.write(b"\x8a\x84" + bytes(4) + received[2:PING])
            else:
                assert int.from_bytes(received[4:8], "little") == self.sequence, "not the image"
                self.answered()
            del received[:length]


class OverHttp(Person):
    """Asks by requests over one connection, with the headers that Chromium sends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.open.set_result(None)

    def send(self, x: float, y: float) -> None:
        body = b'{"latents":[[%.17g,%.17g]]}' % (x, y)
        self.transport.write(post(f"{API}/decode", "application/json", body, *CHROMIUM))

    def data_received(self, data: bytes) -> None:
        self._received += data
        is_good = good_answer(self._received)
        if is_good is None:
            return
        if not is_good:
            self.transport.abort()
            return
        self._received.clear()
        self.answered()


WAYS: dict[str, tuple[type[Person], int]] = {"dragging": (OnStream, 400), "http": (OverHttp, 40)}
"""How people ask, and how many of them are asked for."""


@dataclass
class Crowd:
    """How it went for so many people."""

    people: int
    lags: list[float]
    images_per_second: float
    """Of one person."""
    server: float
    """Cores that it took."""
    client: float

    @property
    def p99_seconds(self) -> float:
        """What one movement in a hundred exceeds."""
        return percentile(self.lags, 99)


async def drag(server: Server, kind: type[Person], people: int, seconds: float) -> Crowd:
    """Have so many people drag, their movements evenly spread over time."""
    loop = asyncio.get_running_loop()
    crowd = [
        (await loop.create_connection(kind, "127.0.0.1", server.port))[1] for _ in range(people)
    ]
    await asyncio.gather(*(person.open for person in crowd))
    random.shuffle(crowd)
    await _move(crowd, WARM_UP_SECONDS)
    for person in crowd:
        person.lags.clear()
        person.images = 0
    began, used, own = time.perf_counter(), cpu_seconds(server.pid), time.process_time()
    await _move(crowd, seconds)
    took = time.perf_counter() - began
    used, own = cpu_seconds(server.pid) - used, time.process_time() - own
    lost = sum(person.lost for person in crowd)
    if lost:
        raise SystemExit(f"{lost} of {people} connections were closed")
    lags = [lag for person in crowd for lag in person.lags]
    images = sum(person.images for person in crowd) / people / took
    for person in crowd:
        person.transport.abort()
    return Crowd(people, lags, images, used / took, own / took)


async def _move(crowd: list[Person], seconds: float) -> None:
    """Move one person after the other, all of them 60 times a second, and await the last images."""
    between = 1 / (HERTZ * len(crowd))
    began = time.perf_counter()
    for number in range(round(seconds / between)):
        due = began + number * between
        while (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(max(early, FINEST_SECONDS))
        crowd[number % len(crowd)].move(due)
        if number % 16 == 0:  # the images must come in although movements are late
            await asyncio.sleep(0)
    while any(person.asked and not person.lost for person in crowd):
        await asyncio.sleep(0.001)


def most_people(way: str, seconds: float, rounds: int, folder: Path | None) -> None:
    """Print how it goes for ever more people, and where it stops being well."""
    kind, asked = WAYS[way]
    with ExitStack() as stack:
        server = Server("--models", MODEL, "--device", "cpu", "--max-streams", str(MOST))
        with on_core(0):
            stack.enter_context(server)
        stack.enter_context(on_core(1))
        print(f"\n{way}\n")
        print("| people | p50, ms | p99, ms | images a second each | server | client, cores |")
        print("|---|---|---|---|---|---|")

        tried: dict[int, Crowd] = {}

        def well(people: int) -> bool:
            crowds = (uvloop.run(drag(server, kind, people, seconds)) for _ in range(rounds))
            best = tried[people] = min(crowds, key=lambda crowd: crowd.p99_seconds)
            print(_row(best), flush=True)
            return best.p99_seconds <= LIMIT_SECONDS

        few, many = 0, 4 * STEP
        while many <= MOST and well(many):
            few, many = many, many + 4 * STEP
        many = min(many, MOST + STEP)
        while many - few > STEP:
            middle = (few + many) // 2 // STEP * STEP
            few, many = (middle, many) if well(middle) else (few, middle)
    if folder:
        rows = [
            (f"{people} people", 1e3 * crowd.p99_seconds, 1e3 * LIMIT_SECONDS)
            for people, crowd in sorted(tried.items())
        ]
        bars(folder / "users.png", "ms that one movement in a hundred took longer", rows, most=True)
    limit = f"p99 under {1e3 * LIMIT_SECONDS:.0f} ms"
    print(f"\n{few} people at {HERTZ} Hz on one core, {limit} (asked: {asked})")


def _row(crowd: Crowd) -> str:
    middle = 1e3 * percentile(crowd.lags, 50)
    return (
        f"| {crowd.people} | {middle:.1f} | {1e3 * crowd.p99_seconds:.1f} | "
        f"{crowd.images_per_second:.1f} | {crowd.server:.2f} | {crowd.client:.2f} |"
    )


@dataclass
class Saturated:
    """A load, and the CPU seconds that it took."""

    load: Load
    server: float
    client: float


Ask = Callable[[Server, float], Coroutine[Any, Any, Load]]


def frames(server: Server, seconds: float) -> Coroutine[Any, Any, Load]:
    """Drag as fast as images come."""
    url = f"ws://127.0.0.1:{server.port}{API}/stream"
    return websocket_load(url, message, CONNECTIONS, seconds)


def decodes(server: Server, seconds: float) -> Coroutine[Any, Any, Load]:
    """Ask for one latent by REST."""
    return http_load(server.port, decode(f"{API}/decode"), CONNECTIONS, seconds)


def tiles(server: Server, seconds: float) -> Coroutine[Any, Any, Load]:
    """Ask for tiles that are not kept."""
    return http_load(server.port, fresh_tile, CONNECTIONS, seconds)


KINDS: dict[str, Ask] = {"frames": frames, "REST decodes": decodes, "fresh tiles": tiles}


def saturate(ask: Ask, server: Server, seconds: float) -> Saturated:
    """Ask a server as fast as it answers."""
    used, own = cpu_seconds(server.pid), time.process_time()
    load = uvloop.run(ask(server, seconds))
    used, own = cpu_seconds(server.pid) - used, time.process_time() - own
    if load.failed:
        raise SystemExit(f"{load.failed} requests failed")
    return Saturated(load, used, own)


def two_workers(seconds: float, rounds: int) -> None:
    """Print what one worker answers in a second, and what two do."""
    options = ("--models", MODEL, "--device", "cpu")
    print("\n| | workers | a second | server | client, cores | a server's CPU second |")
    print("|---|---|---|---|---|---|")
    verdicts = []
    with Server(*options) as one, Server(*options, "--workers", "2") as two:
        for title, ask in KINDS.items():
            for server in (one, two):
                saturate(ask, server, WARM_UP_SECONDS)
            pairs = [
                [saturate(ask, server, seconds) for server in (one, two)] for _ in range(rounds)
            ]
            columns = zip(*pairs, strict=True)
            best = [max(column, key=lambda found: found.load.per_second) for column in columns]
            for count, found in enumerate(best, 1):
                cores = (
                    f"{part / found.load.seconds:.2f}" for part in (found.server, found.client)
                )
                print(
                    f"| {title} | {count} | {found.load.per_second:,.0f} | {' | '.join(cores)} | "
                    f"{found.load.count / found.server:,.0f} |",
                    flush=True,
                )
            ratio = best[1].load.per_second / best[0].load.per_second
            alike = (best[1].load.count / best[1].server) / (best[0].load.count / best[0].server)
            verdicts.append(f"{title}: {ratio:.2f}; with cores of their own: {2 * alike:.2f}")
    print(f"\ntwo workers / one (asked: {ASKED_RATIO}), client on the same cores")
    print(*verdicts, sep="\n")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(*WAYS, "workers"))
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="write users.png there")
    options = parser.parse_args()
    for way in WAYS:
        if options.only in (None, way):
            plot = options.plot if way == "dragging" else None
            most_people(way, options.seconds, options.rounds, plot)
    if options.only in (None, "workers"):
        two_workers(options.seconds, options.rounds)


if __name__ == "__main__":
    main()
