"""The express lane under another server than ours, such as Ray Serve's: by ASGI, with its tasks."""

import asyncio

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from app.express import Express
from app.server.http_protocol import ASKED, BODY_SECONDS, Question, Way, Whole


class Explorer(FastAPI):
    """FastAPI, with the express lane before it where the server did not ask that itself."""

    express: Express | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosted = scope["type"] == "http" and ASKED not in scope.get("extensions", ())
        if hosted and self.express is not None:
            rest = await _ask(self.express, scope, receive, send)
            if rest is None:
                return
            receive = rest
        await super().__call__(scope, receive, send)


class _Later(Way):
    """The way of an answer for which a task waits."""

    __slots__ = ("answer",)

    def __init__(self) -> None:
        super().__init__()
        self.answer: asyncio.Future[Whole] = asyncio.get_running_loop().create_future()

    def send(self, answer: Whole) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


async def _ask(express: Express, scope: Scope, receive: Receive, send: Send) -> Receive | None:
    """Have a request answered, or say what FastAPI is to receive."""
    headers, method = dict(scope["headers"]), scope["method"]
    if len(headers) < len(scope["headers"]) or method not in ("GET", "POST"):
        return receive
    target: bytes = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    body = b""
    if method == "POST":
        if not express.reads(target, headers):
            return receive
        body, receive = await _read(receive)
    way = _Later()
    client = None if scope.get("client") is None else tuple(scope["client"])
    answer = express.answer(Question(method, target, headers, client, body), way)
    if answer is None:
        return receive
    await _send(answer if isinstance(answer, Whole) else await _wait(way), send)
    return None


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """Give a body that comes soon and in one piece, and what gives it once more, then the rest."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            message = await receive()
    except TimeoutError:
        return b"", receive
    waiting = [message]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    whole = message["type"] == "http.request" and not message.get("more_body")
    return message.get("body", b"") if whole else b"", receive_again


async def _wait(way: _Later) -> Whole:
    try:
        return await way.answer
    except asyncio.CancelledError:
        if way.cut is not None:
            way.cut()
        raise


async def _send(whole: Whole, send: Send) -> None:
    pairs = [line.split(b": ", 1) for line in whole.head.split(b"\r\n")[:-1]]
    head = {"type": "http.response.start", "status": whole.status, "headers": pairs}
    await send(head)
    await send({"type": "http.response.body", "body": b"".join((whole.body, *whole.rest))})
