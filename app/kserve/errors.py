"""Refusals in the protocol's form, `{"error": "..."}`, whoever makes them."""

import gzip
import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import MEDIA_TYPE
from app.http.negotiation import JSON

PREFIX = "/v2"


class ProtocolRefusals:
    """ASGI middleware: below `/v2` it makes the protocol's error of every problem document.

    It lies outside the limits, so that what they refuse has the same form as what a route does.

    Args:
        app: What may refuse.
        root_path: Under which a proxy shows the server, or "".
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(self.root_path)
        if scope["type"] != "http" or not f"{path}/".startswith(f"{PREFIX}/"):
            return await self.app(scope, receive, send)
        refusal: Message | None = None

        async def send_in_form(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and _is_problem(message):
                refusal = message
            elif refusal is not None:
                head, refusal = refusal, None
                await _send_error(head, message["body"], send)
            else:
                await send(message)

        return await self.app(scope, receive, send_in_form)


def _is_problem(start: Message) -> bool:
    return MutableHeaders(scope=start).get("content-type") == MEDIA_TYPE


async def _send_error(start: Message, document: bytes, send: Send) -> None:
    """Send the detail of a problem document, which is a single piece; to a HEAD it is empty."""
    headers = MutableHeaders(scope=start)
    if document and "content-encoding" in headers:
        document = gzip.decompress(document)
    headers["content-type"] = JSON
    del headers["content-encoding"], headers["content-length"]
    content = b""
    if document:
        content = json.dumps({"error": json.loads(document)["detail"]}).encode()
        headers["content-length"] = str(len(content))
    await send(start)
    await send({"type": "http.response.body", "body": content})
