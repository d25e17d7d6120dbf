"""What benchmarks of a server share: its processor time, and clients that cost little themselves.

A client is a closed loop: each connection asks again as soon as it was answered.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import re
import struct
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit


def process_tree(pid: int) -> list[int]:
    """The process and all that descend from it, parents before children."""
    children = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        children[int(fields[1])].append(int(stat.parent.name))
    tree = [pid]
    for parent in tree:
        tree.extend(children[parent])
    return tree


def cpu_seconds(pid: int) -> float:
    """Processor time, user and system, of a process and all that descend from it, on Linux.

    By the clocks that the kernel keeps in nanoseconds: threads that ended count, processes that
    ended do not.
    """
    seconds = 0.0
    for process in process_tree(pid):
        try:
            seconds += time.clock_gettime(~process << 3 | 2)  # as clock_getcpuclockid(3) names it
        except OSError:  # it has ended
            continue
    return seconds


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """Keep this process on one of its cores, and for good what it starts meanwhile, on Linux.

    A server and its clients want a core each: else whoever happens to wake a core that rests is
    charged for it, and a figure depends on how busy the other side is.

    Raises:
        SystemExit: there is no such core.
    """
    free = sorted(os.sched_getaffinity(0))
    if number >= len(free):
        raise SystemExit(f"{number + 1} cores are needed; this process has {len(free)}.")
    os.sched_setaffinity(0, free[number : number + 1])
    try:
        yield
    finally:
        os.sched_setaffinity(0, free)


@dataclass
class Load:
    """How the requests of a load went."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    """Of those with a good answer, in seconds."""
    failed: int = 0
    """Answers that were not good, and connections that broke."""

    @property
    def count(self) -> int:
        """Good answers."""
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return self.count / self.seconds

    @property
    def p50_seconds(self) -> float:
        """The middle latency."""
        return percentile(self.latencies, 50)

    @property
    def p99_seconds(self) -> float:
        """The latency that one in a hundred exceeds."""
        return percentile(self.latencies, 99)


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed; none has no such value."""
    if not values:
        return float("nan")
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(0, int(rank) - 1)]


async def http_load(
    port: int,
    request: bytes | Callable[[int], bytes],
    connections: int,
    seconds: float,
    *,
    awake: bool = False,
) -> Load:
    """Send HTTP/1.1 requests over connections that stay open; good is status 200 or 304.

    Args:
        port: On 127.0.0.1.
        request: Head and body of a request, or what makes that of the n-th.
        connections: How many ask at once.
        seconds: After which nothing more is asked.
        awake: Whether the client never rests, for which it wants a core of its own. Else a server
            pays for waking it, which on a virtual machine can cost more than an answer.
    """
    requests = itertools.repeat(request) if isinstance(request, bytes) else _made(request)
    return await _load(port, lambda load: _Http(requests, load), connections, seconds, awake)


async def websocket_load(
    url: str,
    message: Callable[[int], bytes],
    connections: int,
    seconds: float,
    *,
    awake: bool = False,
) -> Load:
    """Send binary messages of at most 125 bytes; good is any message that comes back.

    Args:
        url: `ws://127.0.0.1:PORT/PATH`.
        message: Makes the n-th message.
        connections: How many ask at once.
        seconds: After which nothing more is asked.
        awake: As in `http_load`.
    """
    address = urlsplit(url)
    assert address.port, f"{url} names no port"
    frames = (_frame(0x82, content) for content in _made(message))
    return await _load(
        address.port,
        lambda load: _WebSocket(address.path, frames, load),
        connections,
        seconds,
        awake,
    )


def _made(make: Callable[[int], bytes]) -> Iterator[bytes]:
    return map(make, itertools.count())


async def _load(
    port: int,
    connect: Callable[[Load], _Connection],
    connections: int,
    seconds: float,
    awake: bool,
) -> Load:
    load = Load(seconds)
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: connect(load), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    began = time.perf_counter()
    for connection in made:
        connection.begin(until=began + seconds)
    ended = asyncio.gather(*(connection.ended for connection in made))

    def stay_awake() -> None:
        if not ended.done():
            loop.call_soon(stay_awake)

    if awake:
        stay_awake()
    await ended
    load.seconds = time.perf_counter() - began
    return load


class _Connection(asyncio.Protocol):
    """Asks, waits for the answer, asks again."""

    def __init__(self, requests: Iterator[bytes], load: Load) -> None:
        self.requests = requests
        self.load = load
        self.ended = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()

    def begin(self, until: float) -> None:
        self.until = until
        self.ask()

    def ask(self) -> None:
        self.asked_at = time.perf_counter()
        self.transport.write(next(self.requests))

    def answered(self, good: bool) -> None:
        now = time.perf_counter()
        if good:
            self.load.latencies.append(now - self.asked_at)
        else:
            self.load.failed += 1
        if now < self.until:
            self.ask()
        else:
            self.ended.set_result(None)
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.load.failed += 1
            self.ended.set_result(None)


class _Http(_Connection):
    def data_received(self, data: bytes) -> None:
        if self.buffer:
            self.buffer += data
            found = good_answer(self.buffer)
            if found is not None:
                self.buffer.clear()
        else:  # most come in one piece
            found = good_answer(data)
            if found is None:
                self.buffer += data
        if found is not None:
            self.answered(found)


def good_answer(received: bytes | bytearray) -> bool | None:
    """Tell of an answer whether it is good, if it is whole; nothing comes behind it unasked."""
    head = received.find(b"\r\n\r\n") + 4
    if head < 4:
        return None
    unchanged = received.startswith(b"HTTP/1.1 304")
    length = _LENGTH.search(received, 0, head)
    if unchanged or length:
        end: int | None = head + int(length[1] if length else 0)
    else:
        end = _end_of_chunks(received, head)
    if end is None or len(received) < end:
        return None
    return unchanged or received.startswith(b"HTTP/1.1 200")


_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _end_of_chunks(answer: bytes | bytearray, start: int) -> int | None:
    """Where a body in chunks without trailers ends, if it is whole (RFC 9112, section 7.1)."""
    while (line := answer.find(b"\r\n", start)) >= 0:
        size = int(answer[start:line].partition(b";")[0], 16)
        start = line + 2 + size + 2
        if size == 0:
            return start
    return None


class _WebSocket(_Connection):
    """Small frames, masked with zeros, which leave a message as it is (RFC 6455, section 5.3)."""

    def __init__(self, path: str, requests: Iterator[bytes], load: Load) -> None:
        super().__init__(requests, load)
        self.path = path
        self.open = False

    def begin(self, until: float) -> None:
        self.until = until
        self.transport.write(upgrade(self.path))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.buffer.startswith(b"HTTP/1.1 101"):
                self.transport.close()
                return
            del self.buffer[: end + 4]
            self.open = True
            self.ask()
        while (frame := _first_frame(self.buffer)) is not None:
            kind, start, end = frame
            content = bytes(self.buffer[start:end])
            del self.buffer[:end]
            if kind == 0x89:  # a ping
                self.transport.write(_frame(0x8A, content))
            elif kind in (0x81, 0x82):
                self.answered(good=True)
            else:
                self.transport.close()


def upgrade(path: str) -> bytes:
    """The request that opens a WebSocket (RFC 6455, section 4.1)."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )


def _frame(kind: int, content: bytes) -> bytes:
    assert len(content) < 126, "a longer message needs a longer head"
    return bytes((kind, 0x80 | len(content), 0, 0, 0, 0)) + content


def _first_frame(buffer: bytearray) -> tuple[int, int, int] | None:
    """What kind of frame comes first, and where its content starts and ends, if it is whole."""
    if len(buffer) < 2:
        return None
    start, length = 2, buffer[1]
    if length > 125:
        start = 4 if length == 126 else 10
        if len(buffer) < start:
            return None
        (length,) = struct.unpack_from(">H" if length == 126 else ">Q", buffer, 2)
    return (buffer[0], start, start + length) if len(buffer) >= start + length else None
