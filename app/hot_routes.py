"""The routes that are asked for most, matched before FastAPI's router.

FastAPI takes several times as long to find and call an endpoint as the endpoint itself does. Each
of these endpoints exists once: its route is in FastAPI's router as well, which answers whatever is
not matched here. `HOT` in `app/main.py` lists them.
"""

from collections.abc import Awaitable, Callable, Iterable
from re import Pattern

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.query import KnownQuery

Endpoint = Callable[[Request], Awaitable[Response]]


class HotRoutes:
    """ASGI middleware: answers the requests of its routes, and passes on all others.

    Args:
        app: FastAPI.
        routes: Some of its own. A request is looked up by its method and its number of segments.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self.app = app
        self._routes: dict[tuple[str, int], list[tuple[Pattern[str], Endpoint, KnownQuery]]] = {}
        for route in routes:
            assert isinstance(route, APIRoute)
            assert isinstance(route.app, KnownQuery)
            for method in route.methods or ():
                same = self._routes.setdefault((method, route.path.count("/")), [])
                same.append((route.path_regex, route.endpoint, route.app))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope["root_path"])
            for regex, endpoint, query in self._routes.get((scope["method"], path.count("/")), ()):
                found = regex.match(path)
                if found:
                    scope["path_params"], scope["endpoint"] = found.groupdict(), endpoint
                    if scope["query_string"]:
                        query.check(scope["query_string"])
                    response = await endpoint(Request(scope, receive))
                    return await response(scope, receive, send)
        return await self.app(scope, receive, send)
