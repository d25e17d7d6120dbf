"""The hot path: a WebSocket that decodes while a point is dragged. Raw ASGI, raw bytes.

In: `uint32` sequence, then D x `float32`; out: the same `uint32`, then 784 x `uint8`; all
little-endian. At most one decode is in flight for a connection. What comes meanwhile waits in a
mailbox with one slot: the newest wins, and what it replaces is never answered. A stream on which
nothing comes for long is closed, without blame, to make room.
"""

import asyncio
import logging
import math
from struct import Struct
from time import perf_counter
from typing import Any

import numpy as np
from starlette.routing import WebSocketRoute
from starlette.types import Message, Receive, Scope, Send

from app.errors import InvalidRequest, Overloaded, Unavailable
from app.formats.latents import refuse
from app.openapi import API, MODEL_PARAMETER, RawRoute
from app.server.websocket_protocol import FRAMES, Frames
from app.serving.batcher import Images, Latents
from app.serving.registry import Registry
from app.telemetry.counters import Histogram, Tally
from model.card import Card
from model.engine import LATENT_LIMIT

IDLE, NOT_BINARY, BAD_MESSAGE, FAILED, TRY_LATER = 1000, 1003, 1007, 1011, 1013
"""Close codes (RFC 6455, section 7.4, and its registry); a frame beyond all bounds gets 1009."""
SEQUENCE_BYTES = 4
TIMERS = 100
"""How finely the time of rest is watched: to move a timer with every frame costs as much as to draw
it takes."""

log = logging.getLogger("explorer")


class Stream:
    """The route: finds the model, then holds one conversation a connection.

    Args:
        registry: The models.
        most: Streams open at once.
        idle_seconds: After which a stream on which nothing came is closed.
        tally: Where frames are counted.
    """

    def __init__(
        self, registry: Registry, most: int, idle_seconds: float, tally: Tally | None = None
    ) -> None:
        self.registry = registry
        self.most = most
        self.idle_seconds = idle_seconds
        self.frames = (tally or Tally()).frames
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.open >= self.most:
            raise Overloaded(
                f"{self.open} streams are open, as many as this server holds. Try again later, or "
                "decode by POST.",
                retry_after_seconds=5,
            )
        self.open += 1
        try:
            async with self.registry.lend(scope["path_params"]["model"]) as served:
                served.require_latents()  # refused before it opens, if at all
            await receive()  # websocket.connect
            await send({"type": "websocket.accept"})
            way = scope.get("extensions", {}).get(FRAMES)
            conversation = _Conversation(self.registry, served.card, send, self.frames, way)
            await conversation.hold(receive, self.idle_seconds)
        finally:
            self.open -= 1


class _BadMessage(Exception):
    """Ends the conversation with a code and a reason."""


class _Conversation:
    """Takes the model anew for each answer: a stream that is open and silent holds no memory.

    It is itself the `Answer` for which the batcher draws, and where the server lets it, hears of
    frames and sends images without a turn of the event loop, task or timer of a frame's own.
    """

    def __init__(
        self, registry: Registry, card: Card, send: Send, frames: Histogram, way: Frames | None
    ) -> None:
        self.registry = registry
        self.card = card
        self.send = send
        self.frames = frames
        self.way = way
        self.numbers = Struct(f"<{SEQUENCE_BYTES}x{card.latent_dim}f")
        self.latent = np.dtype(("<f4", (card.latent_dim,)))
        self.mailbox: bytes | None = None
        self.asked: bytes | None = None
        self.came = self.asked_at = 0.0
        self.slow: asyncio.Task[None] | None = None  # what cannot be done at once, one at a time
        self.closed = False

    async def hold(self, receive: Receive, idle_seconds: float) -> None:
        self.loop, self.idle_seconds = asyncio.get_running_loop(), idle_seconds
        self.rests_until = perf_counter() + idle_seconds / TIMERS
        try:
            async with asyncio.timeout(idle_seconds) as self.rest:
                if self.way is not None:
                    self.way.take = self._take
                while (message := await receive())["type"] == "websocket.receive":
                    self._came(self._checked(message))
        except TimeoutError:
            await self._close(IDLE, "Nothing came for long. Open it again when there is something.")
        except _BadMessage as fault:
            await self._close(*fault.args)
        finally:
            self.closed = True
            if self.way is not None:
                self.way.take = None
            if self.slow is not None:
                self.slow.cancel()

    def _take(self, content: bytes) -> bool:
        if self.closed or not self._is_right(content):
            return False
        self._came(content)
        return True

    def _came(self, content: bytes) -> None:
        self.mailbox, self.came = content, perf_counter()
        if self.asked is None:
            self._ask()
        if self.came > self.rests_until and not self.rest.expired():
            self.rests_until = self.came + self.idle_seconds / TIMERS
            self.rest.reschedule(self.loop.time() + self.idle_seconds)

    def _is_right(self, content: bytes) -> bool:
        if len(content) != self.numbers.size:
            return False
        return math.hypot(*self.numbers.unpack(content)) <= LATENT_LIMIT

    def _checked(self, message: Message) -> bytes:
        content = message.get("bytes")
        if content is None:
            raise _BadMessage(NOT_BINARY, "Send binary messages, not text.")
        assert isinstance(content, bytes)
        wanted = self.numbers.size
        if len(content) != wanted:
            came = f"A message of {len(content)} bytes came; {self.card.id} takes {wanted}."
            raise _BadMessage(BAD_MESSAGE, came)
        if not self._is_right(content):
            latent = self.numbers.unpack(content)
            try:
                refuse(list(latent), self.card, "The latent", "#")
            except InvalidRequest as error:
                raise _BadMessage(BAD_MESSAGE, error.detail) from error
        return content

    def _ask(self) -> None:
        assert self.mailbox is not None
        self.asked, self.asked_at, self.mailbox = self.mailbox, self.came, None
        served = self.registry.at_hand(self.card.id)
        if served is None:
            self.slow = self.loop.create_task(self._load())
            return
        try:
            served.batcher.ask(self._latents(self.asked), self)
        except Overloaded as error:
            self.set_exception(error)

    def _latents(self, content: bytes) -> Latents:
        return np.frombuffer(content, self.latent, 1, SEQUENCE_BYTES)  # names would cost as much

    def done(self) -> bool:
        return self.closed

    def set_result(self, images: Images, /) -> None:
        assert self.asked is not None
        content = self.asked[:SEQUENCE_BYTES] + images.tobytes()
        if self.way is not None and self.way.send(content):
            self._sent()
        else:
            self.slow = self.loop.create_task(self._send(content))

    def set_exception(self, error: Exception, /) -> None:
        self.slow = self.loop.create_task(self._fail(error))

    async def _load(self) -> None:
        assert self.asked is not None
        try:
            async with self.registry.lend(self.card.id) as served:
                images = await served.batcher.decode(self._latents(self.asked))
        except Exception as error:
            await self._fail(error)
        else:
            self.set_result(images)

    async def _send(self, content: bytes) -> None:
        try:
            await self.send({"type": "websocket.send", "bytes": content})
        except OSError:  # the client has gone; `hold` hears of it too
            self.closed = True
        else:
            self._sent()

    def _sent(self) -> None:
        self.frames.add(perf_counter() - self.asked_at)
        self.asked = None
        if self.mailbox is not None and not self.closed:
            self._ask()

    async def _fail(self, error: Exception) -> None:
        match error:
            case Overloaded():
                await self._close(TRY_LATER, error.detail)
            case Unavailable():
                await self._close(FAILED, error.detail)
            case _:
                log.error("A stream of %s failed", self.card.id, exc_info=error)
                await self._close(FAILED, "The server failed; its log says where.")

    async def _close(self, code: int, reason: str) -> None:
        if not self.closed:
            self.closed = True
            reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
            await self.send({"type": "websocket.close", "code": code, "reason": reason})


LONGEST_REASON = 123
"""Bytes that a close frame has for its reason."""


def raw_route(stream: Stream) -> RawRoute:
    """Make the route of the stream."""
    return RawRoute(WebSocketRoute(f"{API}/models/{{model}}/stream", stream), _OPERATION)


_OPERATION: dict[str, Any] = {
    "tags": ["stream"],
    "summary": "Decode while a point is dragged (WebSocket)",
    "operationId": "stream",
    "description": (
        "Binary messages, little-endian. To the server: `uint32` sequence, then D x `float32`. "
        "From it: the same `uint32`, then 784 x `uint8`. The newest message wins; an older one "
        "may be skipped. Closes with 1000 when nothing came for long, 1002 on broken frames, 1003 "
        "on text, 1007 on a wrong length or on numbers that cannot be decoded, 1009 on a message "
        "beyond all bounds, 1012 when the server stops or restarts, 1013 when it is full. A server "
        "that holds as many streams as it may answers 503 before the upgrade."
    ),
    "parameters": [MODEL_PARAMETER],
    "responses": {"101": {"description": "The stream is open"}, "403": {}, "409": {}},
}
