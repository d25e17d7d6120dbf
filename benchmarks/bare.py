"""What no server can do without: the limits that `benchmarks.limits` holds ours against.

Raw ASGI that answers bytes made beforehand, FastAPI routes that do nothing, and our own app without
its gate. `main` serves one of them; `benchmarks.limits` starts it.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import uvicorn
from fastapi import FastAPI, Response, UploadFile
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.__main__ import uvicorn_options
from app.main import create_app
from app.settings import Settings

IMAGE = bytes(784)


class Latents(BaseModel):
    """What a decode is asked."""

    latents: list[list[float]]


class Answers:
    """Raw ASGI: each GET is answered with what was posted under its path before, a stream echoed.

    Under /fastapi are routes of FastAPI that do nothing.
    """

    def __init__(self) -> None:
        self.kept: dict[str, tuple[Message, Message]] = {}
        self.fastapi = _fastapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith("/fastapi"):
            await self.fastapi(scope, receive, send)
        elif scope["type"] == "websocket":
            await _echo(receive, send)
        elif scope["method"] == "GET" and scope["path"] in self.kept:
            start, body = self.kept[scope["path"]]
            await send(start)
            await send(body)
        else:
            await self._keep(scope, receive, send)

    async def _keep(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the headers of the answer from those of this request that begin with `keep-`."""
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {name: value for name, value in scope["headers"] if name.startswith(b"keep-")}
        status = int(headers.pop(b"keep-status", b"200"))
        start = {
            "type": "http.response.start",
            "status": status,
            "headers": [(name[5:], value) for name, value in headers.items()],
        }
        self.kept[scope["path"]] = start, {"type": "http.response.body", "body": body}
        await Response()(scope, receive, send)


async def _echo(receive: Receive, send: Send) -> None:
    """Answer each message as a stream does: its sequence, and an image."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": message["bytes"][:4] + IMAGE})


def _fastapi() -> FastAPI:
    app = FastAPI()

    @app.post("/fastapi/decode/{length}")
    async def decode(length: int, body: Latents) -> Response:
        return Response(bytes(length), media_type="application/json")

    @app.post("/fastapi/encode/{length}")
    async def encode(length: int, file: list[UploadFile]) -> Response:
        return Response(bytes(length), media_type="application/json")

    return app


def ours_without_gate() -> ASGIApp:
    """Return our app without the gate: a request comes straight to the hot routes."""
    app = create_app(Settings(models=("mnist-vae-2d",)))
    app.gate = app.gate.app  # type: ignore[assignment]
    return app


def main() -> None:
    """Serve `answers` as stock uvicorn does, or `ours` as we do; argv: the port, and which."""
    port, which = int(sys.argv[1]), sys.argv[2]
    if which == "answers":
        uvicorn.run(Answers(), port=port, access_log=False, log_level="warning")
    else:
        options = uvicorn_options(replace(Settings(), port=port))
        uvicorn.run(ours_without_gate(), **{**options, "workers": None})
