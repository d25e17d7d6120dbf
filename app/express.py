"""The express lane: what can be answered at once is, before FastAPI so much as begins.

Three kinds of request make up nearly all that a busy server sees besides streams, and to take them
through every layer costs several times what their answer does:

- a GET of a finished picture, or the word that it has not changed. Who made it the ordinary way
  puts the whole answer on the rack, under its target, and `wire` answers from there.
- a GET of a picture that is still to be drawn.
- a decode of one latent into JSON.

All that if everything about the request is as it should be. Whatever is not so plain goes the
ordinary way, and is answered or refused there; to a client there is no difference. Nothing passes
here that would be refused there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from app.errors import Overloaded
from app.ledger import Ledger, id_of
from app.rack import Asked, Found, Header, Rack, whole_of, with_id
from app.security import Room, host_is_allowed
from app.wire import LINE, Line, Whole

SHORT = 1000
"""Bytes of a body, at most."""


class Plain(NamedTuple):
    """A request that may be answered here: its route's template, and what gives the answer.

    For a POST the call gets the request's body. It gives None for one that is not so plain after
    all; what else it raises than Overloaded, the ordinary way has the words for.
    """

    route: str
    answer: Callable[[bytes], Awaitable[Whole | None]]


Shortcut = Callable[[Scope, Asked], Plain | None]
"""Says of a request, if it is one of a route's own and plain, how it is answered."""


class Express:
    """ASGI app: answers what it can, and passes on the rest.

    Args:
        ordinary: Where the rest goes.
        rack: The pictures' answers.
        shortcuts: By method, what else may be answered here.
        ledger: Where what is answered here is noted.
        room: Shared with `Limits`.
        hosts: As in `AllowedSites`.
        timeout_seconds: For a request.
    """

    def __init__(
        self,
        ordinary: Callable[[Scope, Receive, Send], Awaitable[None]],
        rack: Rack,
        shortcuts: dict[str, Sequence[Shortcut]],
        ledger: Ledger,
        room: Room,
        hosts: Sequence[str],
        timeout_seconds: float,
    ) -> None:
        self.ordinary = ordinary
        self.rack = rack
        self.shortcuts = shortcuts
        self.ledger = ledger
        self.room = room
        self.hosts = None if "*" in hosts else hosts
        self.timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self.room.is_full():
            self.room.open += 1
            try:
                rest = await self._pass(scope, receive, send)
            finally:
                self.room.open -= 1
            if rest is None:
                return
            receive = rest
        await self.ordinary(scope, receive, send)

    def at_hand(
        self, target: bytes, headers: Sequence[Header], client: tuple[str, int] | None
    ) -> Whole | None:
        """Answer a GET from the rack, by its target as it came; for `wire.AT_HAND`."""
        if target not in self.rack.answers or self.room.is_full():
            return None
        begun = time.perf_counter()
        asked = dict(headers)
        if not asked.keys().isdisjoint(_NOT_BARE) or not self._is_plain(asked):
            return None
        found = self.rack.find(target, asked)
        if found is None:
            return None
        route, whole = found
        known = id_of(headers)
        self.ledger.enter(client, "GET", known, route, whole.status, begun)
        return with_id(whole, known)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer, or say what the ordinary way is to receive."""
        begun = time.perf_counter()
        asked = dict(scope["headers"])
        if not self._is_plain(asked):
            return receive
        line: Line | None = scope.get("extensions", {}).get(LINE)
        found = None
        if scope["method"] == "GET":
            found = self.rack.find(self.rack.target_of(scope), asked)
        if found is None:
            plain = self._plain(scope, asked)
            if plain is None:
                return receive
            body: bytes | None = b""
            if scope["method"] == "POST":
                body = None if line is None else line.body
                if body is None:
                    body, receive = await self._read(receive)
            if body is None:
                return receive
            found = await self._made(plain, body, line)
        if found is None:
            return receive
        route, whole = found
        known = id_of(scope["headers"])
        whole = with_id(whole, known)
        if line is None or not line.send(whole):
            await _send(whole, send)
        self.ledger.note(scope, known, route, whole.status, begun)
        return None

    def _is_plain(self, asked: Asked) -> bool:
        if b"origin" in asked:
            return False
        if self.hosts is None:
            return True
        return host_is_allowed(asked.get(b"host", b"").decode("latin-1"), self.hosts)

    def _plain(self, scope: Scope, asked: Asked) -> Plain | None:
        for shortcut in self.shortcuts.get(scope["method"], ()):
            plain = shortcut(scope, asked)
            if plain is not None:
                return plain
        return None

    async def _read(self, receive: Receive) -> tuple[bytes | None, Receive]:
        """Give a body that comes in one piece, and what gives it once more, then the rest."""
        try:
            async with asyncio.timeout(self.timeout_seconds):
                message = await receive()
        except TimeoutError:
            return None, receive
        waiting = [message]

        async def receive_again() -> Message:
            return waiting.pop() if waiting else await receive()

        is_whole = message["type"] == "http.request" and not message.get("more_body")
        return message["body"] if is_whole else None, receive_again

    async def _made(self, plain: Plain, body: bytes, line: Line | None) -> Found | None:
        if line is not None:
            line.work = asyncio.current_task()
        try:
            whole = await plain.answer(body)
        except Overloaded as refusal:
            whole = whole_of(refusal.response())
        except asyncio.CancelledError:
            if line is None or not line.is_cut:
                raise
            whole = Whole(GONE, b"", b"")
        except Exception:
            return None
        finally:
            if line is not None:
                line.work = None
        return None if whole is None else (plain.route, whole)


class Explorer(FastAPI):
    """FastAPI with an express lane before it, once that is set."""

    express: Express | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.express or self.ordinary)(scope, receive, send)

    async def ordinary(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do as FastAPI does."""
        await super().__call__(scope, receive, send)


async def _send(whole: Whole, send: Send) -> None:
    lines = whole.head.split(b"\r\n")[:-1]
    headers = [tuple(line.split(b": ", 1)) for line in lines]
    await send({"type": "http.response.start", "status": whole.status, "headers": headers})
    await send({"type": "http.response.body", "body": whole.body})


def is_short(asked: Asked) -> bool:
    """Tell whether a body says of itself that it is short; for a shortcut of a POST."""
    length = asked.get(b"content-length", b"")
    return length.isdigit() and len(length) < 5 and int(length) <= SHORT


_NOT_BARE = {b"content-length", b"transfer-encoding", b"expect", b"x-forwarded-for"}
"""Of a request with a body, or from a proxy, behind which the client is another."""
GONE = 499
"""What the log says of a request whose client went before its answer."""
