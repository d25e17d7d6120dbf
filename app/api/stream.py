"""The stream: a WebSocket that decodes while a point is dragged.

In: `uint32` sequence, then D x `float32`. Out: the same `uint32`, then H x W x C x `uint8`, by the
shape of the model's images. All are little-endian. At most one decode is in flight for a
connection. A message that comes meanwhile waits in a mailbox with one slot: the newest replaces an
older one, which is never answered. A stream on which nothing comes for long is closed, to make room
for others.
"""

import asyncio
import logging
import math
import re
from dataclasses import dataclass, field
from struct import Struct
from time import perf_counter

import numpy as np
from fastapi import Request, Response
from starlette.types import Message, Receive, Scope, Send

from app.errors import InvalidRequest, Overloaded, Unavailable, UpgradeRequired
from app.formats.latents import refuse
from app.gate.hosts import Origins
from app.openapi import API, MODEL_PARAMETER, feature, parameter
from app.server.websocket_protocol import FRAMES, Frames
from app.serving.batcher import Images, Latents
from app.serving.registry import Registry
from app.telemetry.counters import Counters, Histogram
from model.card import Card
from model.engine import LATENT_LIMIT

PATH = f"{API}/models/{{model}}/stream"
IDLE, NOT_BINARY, BAD_MESSAGE, FAILED, TRY_LATER = 1000, 1003, 1007, 1011, 1013
"""Close codes (RFC 6455, section 7.4, and its registry); a frame beyond all bounds gets 1009."""
SEQUENCE_BYTES = 4
PLAIN_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
MAX_REASON_BYTES = 123
"""Of the reason in a close frame."""
IDLE_STEPS = 100
"""Steps in which idle time is measured: moving a timer at each frame costs as much as decoding."""

log = logging.getLogger("explorer")


@dataclass(eq=False)
class Stream:
    """The route: finds the model, then holds a conversation with each client."""

    registry: Registry
    max_streams: int
    """How many may be open at once."""
    idle_seconds: float
    """How long a stream may be silent before it is closed."""
    counters: Counters = field(default_factory=Counters)
    """Where frames are counted."""
    open: int = 0
    """Streams that are open."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.open >= self.max_streams:
            raise Overloaded(
                f"{self.open} streams are open, as many as this server holds. Try again later, or "
                "decode by POST.",
                retry_after_seconds=5,
            )
        self.open += 1
        try:
            async with self.registry.lend(scope["path_params"]["model"]) as served:
                served.require_latents()  # before it opens, so that a refusal has a status
            await receive()  # websocket.connect
            await send({"type": "websocket.accept"})
            past_asgi = scope.get("extensions", {}).get(FRAMES)
            conversation = _Conversation(
                self.registry, served.card, send, self.counters.frames, past_asgi
            )
            await conversation.hold(receive, self.idle_seconds)
        finally:
            self.open -= 1


class _BadMessage(Exception):
    """Ends the conversation with a close code and a reason."""


@dataclass(eq=False)
class _Conversation:
    """One open stream, and the `Waiter` of its own requests to the batcher.

    The model is looked up for each frame, so that a silent stream keeps none in memory. Where the
    server offers `Frames`, messages are taken and images sent without a turn of the event loop, a
    task or a timer for each frame.
    """

    registry: Registry
    card: Card
    send: Send
    frames: Histogram
    past_asgi: Frames | None
    mailbox: bytes | None = None
    asked: bytes | None = None
    received_at: float = 0.0
    asked_at: float = 0.0
    task: asyncio.Task[None] | None = None
    """Whatever cannot be done at once; one at a time."""
    closed: bool = False

    def __post_init__(self) -> None:
        self.numbers = Struct(f"<{SEQUENCE_BYTES}x{self.card.latent_dim}f")
        self.latent = np.dtype(("<f4", (self.card.latent_dim,)))

    async def hold(self, receive: Receive, idle_seconds: float) -> None:
        self.loop, self.idle_seconds = asyncio.get_running_loop(), idle_seconds
        self.idle_checked_until = perf_counter() + idle_seconds / IDLE_STEPS
        try:
            async with asyncio.timeout(idle_seconds) as self.idle:
                if self.past_asgi is not None:
                    self.past_asgi.take = self._take
                while (message := await receive())["type"] == "websocket.receive":
                    self._received(self._checked(message))
        except TimeoutError:
            await self._close(IDLE, "Nothing came for long. Open it again when there is something.")
        except _BadMessage as fault:
            await self._close(*fault.args)
        finally:
            self.closed = True
            if self.past_asgi is not None:
                self.past_asgi.take = None
            if self.task is not None:
                self.task.cancel()

    def _take(self, content: bytes) -> bool:
        if self.closed or not self._is_valid(content):
            return False
        self._received(content)
        return True

    def _received(self, content: bytes) -> None:
        self.mailbox, self.received_at = content, perf_counter()
        if self.asked is None:
            self._ask()
        if self.received_at > self.idle_checked_until and not self.idle.expired():
            self.idle_checked_until = self.received_at + self.idle_seconds / IDLE_STEPS
            self.idle.reschedule(self.loop.time() + self.idle_seconds)

    def _is_valid(self, content: bytes) -> bool:
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
        if not self._is_valid(content):
            latent = self.numbers.unpack(content)
            try:
                refuse(list(latent), self.card, "The latent", "#")
            except InvalidRequest as error:
                raise _BadMessage(BAD_MESSAGE, error.detail) from error
        return content

    def _ask(self) -> None:
        assert self.mailbox is not None
        self.asked, self.asked_at, self.mailbox = self.mailbox, self.received_at, None
        served = self.registry.get(self.card.id)
        if served is None:
            self.task = self.loop.create_task(self._load())
            return
        try:
            served.batcher.submit(self._latents(self.asked), self)
        except Overloaded as error:
            self.set_exception(error)

    def _latents(self, content: bytes) -> Latents:
        # Keyword arguments would double its cost.
        return np.frombuffer(content, self.latent, 1, SEQUENCE_BYTES)

    def done(self) -> bool:
        return self.closed

    def set_result(self, images: Images, /) -> None:
        assert self.asked is not None
        content = self.asked[:SEQUENCE_BYTES] + images.tobytes()
        if self.past_asgi is not None and self.past_asgi.send(content):
            self._sent()
        else:
            self.task = self.loop.create_task(self._send(content))

    def set_exception(self, error: Exception, /) -> None:
        self.task = self.loop.create_task(self._fail(error))

    async def _load(self) -> None:
        assert self.asked is not None
        try:
            async with self.registry.lend(self.card.id) as served:
                images = await served.decode(self._latents(self.asked))
        except Exception as error:
            await self._fail(error)
        else:
            self.set_result(images)

    async def _send(self, content: bytes) -> None:
        try:
            await self.send({"type": "websocket.send", "bytes": content})
        except OSError:  # the client has gone; `hold` receives the disconnect
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
            reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
            await self.send({"type": "websocket.close", "code": code, "reason": reason})


router = feature("/models/{model}", "stream")


@router.get(
    "/stream",
    name="stream",
    status_code=101,
    response_description="The stream is open",
    summary="Decode while a point is dragged (WebSocket)",
    description=(
        "Binary messages, little-endian. To the server: `uint32` sequence, then D x `float32`. "
        "From it: the same `uint32`, then H x W x C x `uint8`, by the card's `image`: row by row, "
        "the numbers of a pixel together. The newest message wins; an older one may be skipped. "
        "Closes with 1000 when nothing came for long, 1002 on broken frames, 1003 "
        "on text, 1007 on a wrong length or on numbers that cannot be decoded, 1009 on a message "
        "beyond all bounds, 1012 when the server stops or restarts, 1013 when it is full. A server "
        "that holds as many streams as it may answers 503 before the upgrade. A request without "
        "the upgrade is answered by 426, which says why streams may not open."
    ),
    openapi_extra={
        "parameters": [
            MODEL_PARAMETER,
            parameter(
                "origin",
                "query",
                {"type": "string", "pattern": f"^{PLAIN_ORIGIN.pattern}$"},
                "Of a request without the upgrade: the origin of the page whose stream does not "
                "open",
                example="https://example.org",
            ),
        ]
    },
    responses={403: {}, 409: {}, 422: {}, 426: {}},
    response_class=Response,
)
async def without_upgrade(request: Request) -> Response:
    """Say why a stream does not open, to a page whose handshakes fail.

    Raises:
        UpgradeRequired: Always, unless one of the others is raised.
        NotFound: There is no such model.
        InvalidRequest: The origin given is none.
    """
    request.app.state.registry.card(request.path_params["model"])
    origin = request.query_params.get("origin")
    if origin is None:
        raise UpgradeRequired(
            "This is a WebSocket, and the request came without its upgrade. If you did ask for "
            "one, a proxy on the way passes none; decode by POST."
        )
    if not PLAIN_ORIGIN.fullmatch(origin):
        raise InvalidRequest.at("?origin", "origin is not of the form https://example.org:8000.")
    origins: Origins = request.app.gate.origins
    headers = dict(request.scope["headers"])
    if origins.includes(origin, request.scope, headers):
        raise UpgradeRequired(
            "A proxy between this page and the server passes no WebSockets, or changes Origin. Its "
            "operator can let it forward Upgrade and Connection, as deploy/nginx.conf does; where "
            "it changes Origin, the server's log names the setting that helps."
        )
    raise UpgradeRequired(
        f"A proxy between this page and the server changes Host: the page is at {origin}, and the "
        f"server sees {origins.host(request.scope, headers)}. The operator can let the proxy pass "
        "Host on, or send X-Forwarded-Host and be named in EXPLORER_TRUSTED_PROXIES, or set "
        f"EXPLORER_ALLOWED_ORIGINS={origin}."
    )
