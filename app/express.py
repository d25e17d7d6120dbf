"""The express lane: what can be answered at once is, before FastAPI so much as begins.

Two kinds of request make up nearly all that a busy server sees besides streams, and to take them
through every layer costs several times what their answer does:

- a GET of a finished picture, or the word that it has not changed. Who made it the ordinary way
  puts the whole answer on the rack, under its path and query.
- a decode of one latent into JSON, if all about it is as it should be.

Whatever is not so plain goes the ordinary way, and is answered or refused there; to a client there
is no difference. Nothing passes here that would be refused there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.caching import is_among
from app.ledger import ID_HEADER, Ledger, id_of
from app.pictures import Pictures
from app.security import Room, host_is_allowed, security_headers

MOST = 20_000
"""Answers remembered; each takes about a kilobyte besides its picture."""
SHORT = 1000
"""Bytes of a body, at most."""

Result = TypeVar("Result")
Headers = list[tuple[bytes, bytes]]
Asked = dict[bytes, bytes]
"""The headers of a request."""


class _Answer(NamedTuple):
    picture: str
    tag: str
    route: str
    whole: Headers
    unchanged: Headers


class Rack:
    """The answers that are at hand.

    Args:
        pictures: Where their contents are, as long as there is room.
    """

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.answers: dict[tuple[str, bytes], _Answer] = {}

    def keep(self, scope: Scope, route: str, picture: str, response: Response) -> None:
        """Remember the answer to a request that went the ordinary way.

        Args:
            scope: Of the request.
            route: Its path, with names in place of what varies.
            picture: The name under which `pictures` has the content.
            response: The whole answer, with an ETag.
        """
        place = scope.get(_PLACE)
        if place is None:  # no GET that could come this way again
            return
        if len(self.answers) >= MOST:
            del self.answers[next(iter(self.answers))]
        whole = [*response.raw_headers, *security_headers]
        unchanged = [pair for pair in whole if pair[0] not in _OF_CONTENT]
        self.answers[place] = _Answer(picture, response.headers["etag"], route, whole, unchanged)


class Plain(NamedTuple):
    """A request that a route may answer at once: its template, and what gives the answer's body.

    The call gets the request's body; it gives None for one that is not so plain after all.
    """

    route: str
    answer: Callable[[bytes], Awaitable[bytes | None]]


class Shortcuts(Protocol):
    """What may be answered at once though it is not on the rack."""

    async def get(self, scope: Scope) -> Response | None:
        """Answer a GET, and put the answer on the rack; None is for the ordinary way."""

    def post(self, path: str, asked: Asked) -> Plain | None:
        """Say of a POST, by its path and headers, whether it is plain."""


class Express:
    """ASGI app: answers what it can, and passes on the rest.

    Args:
        ordinary: Where the rest goes.
        rack: The pictures' answers.
        shortcuts: What else may be answered here.
        ledger: Where what is answered here is noted.
        room: Shared with `Limits`.
        hosts: As in `AllowedSites`.
        timeout_seconds: For the body of a request.
    """

    def __init__(
        self,
        ordinary: Callable[[Scope, Receive, Send], Awaitable[None]],
        rack: Rack,
        shortcuts: Shortcuts,
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

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer, or say what the ordinary way is to receive."""
        begun = time.perf_counter()
        asked = dict(scope["headers"])
        if b"origin" in asked or not self._is_for_us(asked):
            return receive
        if scope["method"] == "GET":
            place = scope["path"], scope["query_string"]
            answer = self.rack.answers.get(place)
            if answer is not None and (found := self._find(answer, asked)) is not None:
                await self._send(scope, send, answer.route, *found, begun)
                return None
            scope[_PLACE] = place
            response = await _tried(self.shortcuts.get(scope)) if answer is None else None
            if response is not None and (answer := self.rack.answers.get(place)) is not None:
                found = 200, answer.whole, bytes(response.body)
                await self._send(scope, send, answer.route, *found, begun)
                return None
        elif scope["method"] == "POST":
            plain = self.shortcuts.post(scope["path"], asked) if _is_short(asked) else None
            if plain is not None:
                return await self._post(plain, scope, receive, send, begun)
        return receive

    def _is_for_us(self, asked: Asked) -> bool:
        if self.hosts is None:
            return True
        return host_is_allowed(asked.get(b"host", b"").decode("latin-1"), self.hosts)

    def _find(self, answer: _Answer, asked: Asked) -> tuple[int, Headers, bytes] | None:
        known = asked.get(b"if-none-match")
        if known is not None and is_among(known.decode("latin-1"), answer.tag):
            return 304, answer.unchanged, b""
        picture = self.rack.pictures.find(answer.picture)
        return None if picture is None else (200, answer.whole, picture.content)

    async def _post(
        self, plain: Plain, scope: Scope, receive: Receive, send: Send, begun: float
    ) -> Receive | None:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                message = await receive()
        except TimeoutError:
            return receive
        whole = message["type"] == "http.request" and not message.get("more_body")
        body = await _tried(plain.answer(message["body"])) if whole else None
        if body is None:
            return _after(message, receive)
        headers = [*_OF_JSON, (b"content-length", b"%d" % len(body)), *security_headers]
        await self._send(scope, send, plain.route, 200, headers, body, begun)
        return None

    async def _send(
        self,
        scope: Scope,
        send: Send,
        route: str,
        status: int,
        headers: Headers,
        body: bytes,
        begun: float,
    ) -> None:
        known = id_of(scope)
        headers = [*headers, (ID_HEADER, known.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.ledger.note(scope, known, route, status, begun)


class Explorer(FastAPI):
    """FastAPI with an express lane before it, once that is set."""

    express: Express | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.express or self.ordinary)(scope, receive, send)

    async def ordinary(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do as FastAPI does."""
        await super().__call__(scope, receive, send)


async def _tried(answer: Awaitable[Result | None]) -> Result | None:
    """Give the answer, if it comes; for what goes wrong the ordinary way has the words."""
    try:
        return await answer
    except Exception:
        return None


def _is_short(asked: Asked) -> bool:
    length = asked.get(b"content-length", b"")
    return length.isdigit() and len(length) < 5 and int(length) <= SHORT


def _after(first: Message, receive: Receive) -> Receive:
    """Give a message once more, then what comes."""
    waiting = [first]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


_PLACE = "explorer.place"
_OF_CONTENT = {b"content-length", b"content-type"}
_OF_JSON = [(b"vary", b"Accept"), (b"content-type", b"application/json")]
