"""Query parameters: one that a route does not have is refused, as a field of a body is."""

from urllib.parse import unquote_plus

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import InvalidRequest, unknown
from app.http.json_body import MAX_NAME


class KnownQuery:
    """The query parameters of a route: those of its signature, and those that it describes itself.

    As ASGI middleware around an app it refuses all others.
    """

    def __init__(self, route: APIRoute, app: ASGIApp) -> None:
        described = (route.openapi_extra or {}).get("parameters", [])
        names = [parameter.alias for parameter in route.dependant.query_params]
        names += [parameter["name"] for parameter in described if parameter["in"] == "query"]
        self.names = names
        self.app = app
        self._known = frozenset(name.encode() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"]:
            self.check(scope["query_string"])
        await self.app(scope, receive, send)

    def check(self, query: bytes) -> None:
        """Raise InvalidRequest if a query has a parameter of another name."""
        for part in query.split(b"&"):
            name = part.partition(b"=")[0]
            if not name or name in self._known:
                continue
            plain = unquote_plus(name.decode("latin-1"))
            if plain not in self.names:
                plain = plain[:MAX_NAME]
                raise InvalidRequest.at(f"?{plain}", unknown("query parameter", plain, self.names))
