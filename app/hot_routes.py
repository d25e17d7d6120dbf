"""The routes that are asked for most, matched before FastAPI's router.

FastAPI takes several times as long to find and call an endpoint as the endpoint itself does. Each
of these endpoints exists once: it is an ordinary route of FastAPI as well, which documents it and
answers whatever this table does not match.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class HotRoute(NamedTuple):
    """A route of the table.

    Attributes:
        method: `GET` or `POST`.
        template: Its path below the root path; what varies is the whole of a segment in braces,
            or all of the last segment but its ending.
        endpoint: The coroutine that answers.
    """

    method: str
    template: str
    endpoint: Endpoint


class _Entry(NamedTuple):
    fixed: tuple[tuple[int, str], ...]
    varying: tuple[tuple[int, str], ...]
    ending: str
    endpoint: Endpoint


class HotRoutes:
    """ASGI middleware: answers the requests of its table, and passes on all others.

    Args:
        app: FastAPI.
        routes: The table; two routes of one method differ in the number of segments or in the
            sixth, the first after `/api/v1/models/{model}`.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[HotRoute]) -> None:
        self.app = app
        self.routes = {}
        for method, template, endpoint in routes:
            parts = template.split("/")
            last, _, ending = parts[-1].rpartition("}")
            ending = ending if last else ""
            self.routes[method, parts[FEATURE], len(parts)] = _Entry(
                tuple((i, part) for i, part in enumerate(parts) if "{" not in part),
                tuple(
                    (i, part[1 : part.index("}")]) for i, part in enumerate(parts) if "{" in part
                ),
                ending,
                endpoint,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._find(scope) if scope["type"] == "http" else None
        if endpoint is None:
            return await self.app(scope, receive, send)
        scope["endpoint"] = endpoint
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)
        return None

    def _find(self, scope: Scope) -> Endpoint | None:
        parts = scope["path"].removeprefix(scope.get("root_path", "")).split("/")
        if len(parts) <= FEATURE:
            return None
        entry = self.routes.get((scope["method"], parts[FEATURE], len(parts)))
        if entry is None or not parts[-1].endswith(entry.ending):
            return None
        for place, text in entry.fixed:
            if parts[place] != text:
                return None
        if entry.ending:
            parts[-1] = parts[-1][: -len(entry.ending)]
        scope["path_params"] = found = {name: parts[place] for place, name in entry.varying}
        return entry.endpoint if all(found.values()) else None


FEATURE = 5
"""The place of the segment after `/api/v1/models/{model}` in a path that is split at slashes."""
