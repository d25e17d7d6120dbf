"""A reverse proxy before an explorer that does what proxies of offices, tunnels and distance do.

For tests and benchmarks. It passes HTTP/1.1 and WebSockets on 127.0.0.1, and by its arguments it
refuses, rewrites, holds back, cuts or delays what it passes.
"""

import asyncio
import math
import random
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Self

END = b"\r\n\r\n"
CHUNK = 65_536


@dataclass(kw_only=True)
class Proxy:
    """One proxy, which runs in a thread while its context is open.

    Args:
        to: The explorer's port.
        upgrades: Whether a request for a WebSocket stays one; else the explorer sees a plain GET.
        rewrites: Headers whose values it replaces where a request has them.
        adds: Headers that it adds; `{host}` becomes the `Host` that the client sent.
        prefix: Path under which it shows the explorer, such as `/explorer`. It takes the prefix off
            what it passes on, and ends the connection of a request for any other path.
        holds_bytes: What the explorer sends on a stream waits until it is that much; `math.inf`
            makes a stream that opens and never answers.
        cuts_seconds: Age at which a stream is cut.
        round_trip_seconds: Each way takes half of it.
        jitter_seconds: Each way takes up to half of it more or less, in order nevertheless.
        pause_seconds: Every `PAUSE_EVERY_SECONDS` nothing arrives for so long.
        tls: Ends TLS with this certificate.
    """

    to: int
    upgrades: bool = True
    rewrites: Mapping[str, str] = field(default_factory=dict)
    adds: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    holds_bytes: float = 0
    cuts_seconds: float | None = None
    round_trip_seconds: float = 0
    jitter_seconds: float = 0
    pause_seconds: float = 0
    tls: ssl.SSLContext | None = None

    PAUSE_EVERY_SECONDS = 5
    streams = 0
    """How many WebSockets the explorer has opened through it."""

    @property
    def url(self) -> str:
        """The address of the explorer's page."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}{self.prefix}"

    def __enter__(self) -> Self:
        self._started = Event()
        self._thread = Thread(target=asyncio.run, args=[self._run()])
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._passing: set[asyncio.Task[None]] = set()
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = listener.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        listener.close()

    def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._pass(client, to_client))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        to_client.transport.set_write_buffer_limits(0)  # so that `drain` waits for the last byte
        explorer, to_explorer = await asyncio.open_connection("127.0.0.1", self.to)
        try:
            head = await client.readuntil(END)
            is_stream = _value(head, "Upgrade") == "websocket"
            ways = [
                asyncio.create_task(self._carry(self._requests(head, client), to_explorer)),
                asyncio.create_task(self._carry(self._answers(is_stream, explorer), to_client)),
            ]
            seconds = self.cuts_seconds if is_stream else None
            await asyncio.wait(ways, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await to_client.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            to_client.transport.abort()
            to_explorer.transport.abort()

    async def _carry(self, chunks: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        """Write each chunk when it is due, in order."""
        due = 0.0
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            async for chunk in chunks:
                # Of two timers for the same moment, either may come first.
                due = max(math.nextafter(due, math.inf), self._due())
                self._loop.call_at(due, writer.write, chunk)
        await asyncio.sleep(due - self._loop.time())

    def _due(self) -> float:
        half_jitter = self.jitter_seconds / 2
        due = self._loop.time() + self.round_trip_seconds / 2
        due += random.uniform(-half_jitter, half_jitter)
        into = due % self.PAUSE_EVERY_SECONDS
        return due + max(0.0, self.pause_seconds - into)

    async def _requests(self, head: bytes, client: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """Yield the requests of a connection, the first of which has this head; then a stream."""
        while not _value(head, "Upgrade"):
            yield self._rewritten(head)
            left = int(_value(head, "Content-Length") or 0)
            while left and (chunk := await client.read(min(left, CHUNK))):
                left -= len(chunk)
                yield chunk
            head = await client.readuntil(END)
        yield self._rewritten(head)
        while chunk := await client.read(CHUNK):
            yield chunk

    async def _answers(
        self, is_stream: bool, explorer: asyncio.StreamReader
    ) -> AsyncIterator[bytes]:
        least: float = 0
        if is_stream:
            head = await explorer.readuntil(END)
            yield head
            if head.startswith(b"HTTP/1.1 101"):
                self.streams += 1
                least = self.holds_bytes
        held = bytearray()
        while chunk := await explorer.read(CHUNK):
            held += chunk
            if len(held) >= least:
                yield bytes(held)
                held.clear()

    def _rewritten(self, head: bytes) -> bytes:
        """Make the head of a request what the explorer sees of it.

        Raises:
            ConnectionError: Its path does not lie under the prefix.
        """
        text = head.decode("latin-1")
        if f" {self.prefix}/" not in text.partition("\r\n")[0]:
            raise ConnectionError(text)
        host = _value(head, "Host")
        if not self.upgrades:
            text = re.sub(r"(?im)^(upgrade|connection): .*\r\n", "", text)
        for name, value in self.rewrites.items():
            text = re.sub(rf"(?im)^({name}): .*(?=\r$)", rf"\1: {value}", text)
        text = text.replace(f" {self.prefix}/", " /", 1)
        added = [f"{name}: {value.format(host=host)}\r\n" for name, value in self.adds.items()]
        return f"{text[:-2]}{''.join(added)}\r\n".encode("latin-1")


def _value(head: bytes, name: str) -> str:
    """Return what a header says, or nothing."""
    found = re.search(rf"(?im)^{name}: (.*)\r$", head.decode("latin-1"))
    return found[1] if found else ""
