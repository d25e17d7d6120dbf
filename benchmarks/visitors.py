"""Who visits the server in `benchmarks.load`: people who drag, and clients that ask."""

import asyncio
import json
import random
import statistics
import struct
import time
from collections import Counter
from collections.abc import Sequence

import httpx

from benchmarks.measuring import upgrade

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
        self.closed_with: int | None = None
        self.sent_at: dict[int, float] = {}
        self.waits: list[float] = []
        self.sequence = 0
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(upgrade(f"{API}/stream"))

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
        if self._received[0] == 0x88:  # the end, with a code
            if len(self._received) >= 4:
                (self.closed_with,) = struct.unpack_from(">H", self._received, 2)
            return False
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


async def open_streams(port: int, count: int) -> list[Stream]:
    """Open so many, and return when all of them are."""
    loop = asyncio.get_running_loop()
    streams = [(await loop.create_connection(Stream, "127.0.0.1", port))[1] for _ in range(count)]
    await asyncio.gather(*(stream.open for stream in streams))
    return streams


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


def quantiles(seconds: Sequence[float]) -> tuple[str, str]:
    """Lay out the middle and the slow end, in milliseconds."""
    if len(seconds) < 2:
        return "", ""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"{1000 * cuts[49]:.1f}", f"{1000 * cuts[98]:.1f}"
