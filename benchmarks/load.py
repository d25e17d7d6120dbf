"""Many at once, too many, and the end: what a crowd loses.

    python -m benchmarks.load [--streams 200] [--hertz 30] [--seconds 120] [--workers 1]

Four parts, each with a server of its own, on this machine, which also runs the clients:

- *crowd*: streams that each send a latent `--hertz` times a second, as a drag does, while four
  clients ask for images, tiles and encodes without pause. Lost is a stream that closed, or a
  request without a good answer. The newest latent wins, so fewer may be answered than were sent.
- *flood*: batches of 1,024 from far more clients than the queue takes, beside patient ones. Refused
  must be refused at once; who is accepted must not wait longer than without the flood.
- *stop*: SIGTERM in the middle of requests. Lost is one that was sent before and not answered.
- *crash*: `kill -9` of one of two workers. Lost is what was under way on the killed one.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import struct
import time
from collections import Counter
from pathlib import Path

import httpx

from tools.server import Server

MODEL = "mnist-vae-2d"
API = f"/api/v1/models/{MODEL}"
JSON = {"Content-Type": "application/json"}
PAUSE = 0.25
"""Seconds after a refusal; who asks again at once would keep this machine busy by that alone."""
ANSWER = 4 + 4 + 784  # a frame's head, the sequence, the image


Request = tuple[str, str, bytes | None]


class Stream(asyncio.Protocol):
    """One person who drags; no library, for two hundred of these share a core with the server."""

    def __init__(self) -> None:
        self.open = asyncio.get_running_loop().create_future()
        self.lost = False
        self.sent_at: dict[int, float] = {}
        self.waits: list[float] = []
        self.sequence = 0
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            f"GET {API}/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.open.done():
            self.open.set_exception(error or ConnectionError("closed before it opened"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.open.done():
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._received.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(ConnectionError(bytes(self._received[:end]).decode()))
                return
            del self._received[: end + 4]
            self.open.set_result(None)
        while len(self._received) >= 2 and self._take():
            pass

    def _take(self) -> bool:
        """Take one frame; False if it is not whole yet."""
        if self._received[0] == 0x89:  # a ping, with four bytes
            if len(self._received) < 6:
                return False
            self.transport.write(b"\x8a\x84" + bytes(4) + self._received[2:6])
            del self._received[:6]
            return True
        if len(self._received) < ANSWER:
            return False
        (sequence,) = struct.unpack_from("<I", self._received, 4)
        self.waits.append(time.perf_counter() - self.sent_at.pop(sequence))
        self.sent_at = {n: at for n, at in self.sent_at.items() if n > sequence}  # overtaken
        del self._received[:ANSWER]
        return True

    def send(self) -> None:
        self.sequence += 1
        self.sent_at[self.sequence] = time.perf_counter()
        latent = struct.pack("<Iff", self.sequence, random.uniform(-2, 2), random.uniform(-2, 2))
        self.transport.write(b"\x82\x8c" + bytes(4) + latent)


async def drag(stream: Stream, hertz: float, end: float) -> None:
    """Send at a rate, each stream at its own phase."""
    await asyncio.sleep(random.random() / hertz)
    due = time.perf_counter()
    while (now := time.perf_counter()) < end and not stream.lost:
        stream.send()
        due = max(due + 1 / hertz, now)
        await asyncio.sleep(due - now)


async def ask(url: str, end: float, asked: "Asked", kinds: list[Request]) -> None:
    """Ask one thing after another, and note how each went."""
    # Without TLS, which takes longer to load than to ask.
    client = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False)
    async with client:
        await asyncio.sleep(random.random())  # or all of them ask at once, and wait for each other
        while time.perf_counter() < end:
            method, path, body = random.choice(kinds)
            await asked.once(client, method, path, body)


class Asked:
    """How requests went: their statuses, and how long the good ones and the refused ones took."""

    def __init__(self) -> None:
        self.statuses: Counter[int | str] = Counter()
        self.good: list[float] = []
        self.refused: list[float] = []

    async def once(
        self, client: httpx.AsyncClient, method: str, path: str, body: bytes | None
    ) -> None:
        start = time.perf_counter()
        try:
            answer = await client.request(method, path, content=body, headers=JSON)
        except httpx.ConnectError:
            self.statuses["not connected"] += 1
            await asyncio.sleep(0.05)
            return
        except httpx.TransportError as error:
            self.statuses[type(error).__name__] += 1
            return
        took = time.perf_counter() - start
        self.statuses[answer.status_code] += 1
        if answer.is_success:
            self.good.append(took)
        else:
            self.refused.append(took)
            await asyncio.sleep(PAUSE)

    @property
    def broken(self) -> int:
        """Requests that were taken and got no answer, or a 5xx that is no refusal."""
        fine = (200, 503, "not connected")
        return sum(count for status, count in self.statuses.items() if status not in fine)


def written(**body: object) -> bytes:
    return json.dumps(body).encode()


def z() -> str:
    return f"{random.uniform(-2, 2):.4f},{random.uniform(-2, 2):.4f}"


def mixed() -> list[Request]:
    """What visitors ask for besides dragging."""
    image = [[0.0] * 28] * 28
    x, y = random.randrange(64), random.randrange(64)
    return [
        ("GET", f"{API}/decode.png?z={z()}", None),
        ("GET", f"{API}/planes/latent/tiles/6/{x}/{y}.png", None),
        ("POST", f"{API}/decode", written(latents=[[0.1, 0.2]] * 64)),
        ("POST", f"{API}/encode", written(images=[image])),
    ]


async def crowd(server: Server, count: int, hertz: float, seconds: float) -> None:
    """Two hundred people drag, four more ask."""
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    streams = [
        (await loop.create_connection(Stream, "127.0.0.1", server.port))[1] for _ in range(count)
    ]
    await asyncio.gather(*(stream.open for stream in streams))
    asked = Asked()
    memory: list[int] = []
    used, start = server.cpu_seconds(), time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for stream in streams:
            tasks.create_task(drag(stream, hertz, end))
        for _ in range(4):
            kinds = [random.choice(mixed()) for _ in range(99)]
            tasks.create_task(ask(server.url, end, asked, kinds))
        tasks.create_task(watch(server.pid, end, memory))
    used = (server.cpu_seconds() - used) / (time.perf_counter() - start)
    waits = [wait for stream in streams for wait in stream.waits]
    sent = sum(stream.sequence for stream in streams)
    warm = len(memory) // 4
    print(
        f"crowd: {count} streams at {hertz:g} Hz, {seconds:g} s: "
        f"{sum(stream.lost for stream in streams)} lost; {sent:,} sent, {len(waits):,} answered, "
        f"{quantiles(waits)}\n"
        f"       {sum(asked.statuses.values()):,} requests, {asked.broken} lost, "
        f"{asked.statuses[503]} refused, {quantiles(asked.good)}\n"
        f"       memory {memory[warm]:.0f} MB after warm-up, {memory[-1]:.0f} MB at the end; "
        f"{used:.2f} cores"
    )
    for stream in streams:
        stream.transport.abort()


async def watch(pid: int, end: float, memory: list[int]) -> None:
    """Note the resident memory of a process, in MB, while the others work."""
    while time.perf_counter() < end:
        status = Path(f"/proc/{pid}/status").read_text()
        memory.append(int(status.partition("VmRSS:")[2].split()[0]) // 1024)
        await asyncio.sleep(1)


async def flood(server: Server, seconds: float) -> None:
    """Far more than can be done: refused early, and the accepted no later than before."""
    batch = ("POST", f"{API}/decode", written(latents=[[0.1, 0.2]] * 1024))
    alone, beside, refused = Asked(), Asked(), Asked()
    await ask(server.url, time.perf_counter() + seconds / 4, alone, [batch])
    end = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as tasks:
        for _ in range(40):
            tasks.create_task(ask(server.url, end, refused, [batch]))
        tasks.create_task(ask(server.url, end, beside, [mixed()[0]]))
    print(
        f"flood: alone {quantiles(alone.good)}; of 40 at once {refused.statuses[200]:,} accepted "
        f"{quantiles(refused.good)}, {refused.statuses[503]:,} refused "
        f"{quantiles(refused.refused)}, {refused.broken} lost; "
        f"a small one beside them {quantiles(beside.good)}"
    )


async def stop(server: Server) -> None:
    """SIGTERM while sixteen clients ask."""
    asked = Asked()
    end = time.perf_counter() + 4
    async with asyncio.TaskGroup() as tasks:
        for _ in range(16):
            tasks.create_task(ask(server.url, end, asked, mixed()))
        await asyncio.sleep(2)
        os.kill(server.pid, signal.SIGTERM)
    print(f"stop: {sum(asked.statuses.values()):,} requests, {asked.broken} lost ({told(asked)})")


async def crash(server: Server) -> None:
    """One of two workers is killed."""
    asked = Asked()
    end = time.perf_counter() + 20
    async with asyncio.TaskGroup() as tasks:
        for _ in range(16):
            tasks.create_task(ask(server.url, end, asked, mixed()))
        await asyncio.sleep(3)
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        workers = [pid for pid in map(int, children) if b"spawn_main" in cmdline(pid)]
        os.kill(workers[0], signal.SIGKILL)
    print(f"crash: {sum(asked.statuses.values()):,} requests, {asked.broken} lost ({told(asked)})")


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def told(asked: Asked) -> str:
    return ", ".join(f"{count:,} {status}" for status, count in asked.statuses.most_common())


def quantiles(seconds: list[float]) -> str:
    """Lay out the middle and the slow end, in milliseconds."""
    if len(seconds) < 2:
        return "too few to say"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p50 {1000 * cuts[49]:.1f}, p99 {1000 * cuts[98]:.1f} ms"


def main() -> None:
    """Run the four, each on a fresh server."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--hertz", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    workers = ("--workers", str(options.workers))
    with Server(*workers) as server:
        asyncio.run(crowd(server, options.streams, options.hertz, options.seconds))
    with Server(*workers) as server:
        asyncio.run(flood(server, options.seconds / 6))
    with Server(*workers) as server:
        asyncio.run(stop(server))
    with Server("--workers", "2") as server:
        asyncio.run(crash(server))


if __name__ == "__main__":
    main()
