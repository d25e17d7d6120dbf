"""The hot path: a WebSocket that decodes while a point is dragged. Raw ASGI, raw bytes.

In: `uint32` sequence, then D x `float32`; out: the same `uint32`, then 784 x `uint8`; all
little-endian. At most one decode is in flight for a connection. What comes meanwhile waits in a
mailbox with one slot: the newest wins, and what it replaces is never answered.
"""

import asyncio
import logging
from typing import Any

import numpy as np
from starlette.routing import WebSocketRoute
from starlette.types import Message, Receive, Scope, Send

from app.batching import Latents
from app.errors import InvalidRequest, Overloaded, Unavailable
from app.latents import refuse
from app.openapi import API, MODEL_PARAMETER, RawRoute
from app.registry import Registry
from model.card import Card

NOT_BINARY, BAD_MESSAGE, FAILED, TRY_LATER = 1003, 1007, 1011, 1013
"""Close codes (RFC 6455, section 7.4, and its registry); a frame beyond all bounds gets 1009."""
SEQUENCE_BYTES = 4

log = logging.getLogger("explorer")


class Stream:
    """The route: finds the model, then holds one conversation a connection."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.registry.lend(scope["path_params"]["model"]) as served:
            served.require_latents()  # refused before it opens, if at all
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        await _Conversation(self.registry, served.card, send).hold(receive)


class _BadMessage(Exception):
    """Ends the conversation with a code and a reason."""


class _Conversation:
    """Borrows the model while it answers: a stream that is open and silent holds no memory."""

    def __init__(self, registry: Registry, card: Card, send: Send) -> None:
        self.registry = registry
        self.card = card
        self.send = send
        self.mailbox: bytes | None = None
        self.answering: asyncio.Task[None] | None = None
        self.closed = False

    async def hold(self, receive: Receive) -> None:
        try:
            while (message := await receive())["type"] == "websocket.receive":
                self.mailbox = self._checked(message)
                if self.answering is None or self.answering.done():
                    self.answering = asyncio.create_task(self._answer())
        except _BadMessage as fault:
            self._stop_answering()
            await self._close(*fault.args)
        finally:
            self._stop_answering()

    def _checked(self, message: Message) -> bytes:
        content = message.get("bytes")
        if content is None:
            raise _BadMessage(NOT_BINARY, "Send binary messages, not text.")
        assert isinstance(content, bytes)
        wanted = SEQUENCE_BYTES + 4 * self.card.latent_dim
        if len(content) != wanted:
            came = f"A message of {len(content)} bytes came; {self.card.id} takes {wanted}."
            raise _BadMessage(BAD_MESSAGE, came)
        try:
            refuse(_latent(content)[0].tolist(), self.card, "The latent", "#")
        except InvalidRequest as error:
            raise _BadMessage(BAD_MESSAGE, error.detail) from error
        return content

    async def _answer(self) -> None:
        try:
            async with self.registry.lend(self.card.id) as served:
                while self.mailbox is not None:
                    question, self.mailbox = self.mailbox, None
                    (image,) = await served.batcher.decode(_latent(question))
                    content = question[:SEQUENCE_BYTES] + image.tobytes()
                    await self.send({"type": "websocket.send", "bytes": content})
        except Overloaded as error:
            await self._close(TRY_LATER, error.detail)
        except Unavailable as error:
            await self._close(FAILED, error.detail)
        except OSError:  # the client has gone; `hold` hears of it too
            pass
        except Exception:
            log.exception("A stream of %s failed", self.card.id)
            await self._close(FAILED, "The server failed; its log says where.")

    def _stop_answering(self) -> None:
        if self.answering is not None:
            self.answering.cancel()

    async def _close(self, code: int, reason: str) -> None:
        if not self.closed:
            self.closed = True
            reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
            await self.send({"type": "websocket.close", "code": code, "reason": reason})


LONGEST_REASON = 123
"""Bytes that a close frame has for its reason."""


def _latent(content: bytes) -> Latents:
    return np.frombuffer(content, "<f4", offset=SEQUENCE_BYTES)[None]


def raw_route(registry: Registry) -> RawRoute:
    """Make the route of the stream."""
    path = f"{API}/models/{{model}}/stream"
    return RawRoute(WebSocketRoute(path, Stream(registry)), _OPERATION)


_OPERATION: dict[str, Any] = {
    "tags": ["stream"],
    "summary": "Decode while a point is dragged (WebSocket)",
    "operationId": "stream",
    "description": (
        "Binary messages, little-endian. To the server: `uint32` sequence, then D x `float32`. "
        "From it: the same `uint32`, then 784 x `uint8`. The newest message wins; an older one "
        "may be skipped. Closes with 1003 on text, 1007 on a wrong length or on numbers that "
        "cannot be decoded, 1009 on a message beyond all bounds, 1013 when the server is full."
    ),
    "parameters": [MODEL_PARAMETER],
    "responses": {"101": {"description": "The stream is open"}},
}
