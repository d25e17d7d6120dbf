"""The routes that are asked for most, matched before FastAPI's router.

FastAPI takes several times as long to find and call an endpoint as the endpoint itself does. Each
of these endpoints exists once: it is an ordinary route of FastAPI as well, which documents it and
answers whatever this table does not match.
"""

from collections.abc import Awaitable, Callable, Iterable
from re import Pattern
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class HotRoute(NamedTuple):
    """A route of the table; its path is a template, as FastAPI has them."""

    method: str
    template: str
    endpoint: Endpoint


class HotRoutes:
    """ASGI middleware: answers the requests of its table, and passes on all others.

    Args:
        app: FastAPI.
        routes: The table. A request is looked up by its method and the number of its segments.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[HotRoute]) -> None:
        self.app = app
        self._routes: dict[tuple[str, int], list[tuple[Pattern[str], Endpoint]]] = {}
        for method, template, endpoint in routes:
            regex, _, _ = compile_path(template)
            same = self._routes.setdefault((method, template.count("/")), [])
            same.append((regex, endpoint))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope["root_path"])
            for regex, endpoint in self._routes.get((scope["method"], path.count("/")), ()):
                found = regex.match(path)
                if found:
                    scope["path_params"], scope["endpoint"] = found.groupdict(), endpoint
                    response = await endpoint(Request(scope, receive))
                    return await response(scope, receive, send)
        return await self.app(scope, receive, send)
