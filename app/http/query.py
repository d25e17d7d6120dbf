"""Query parameters: one that a route does not have is refused, as a field of a body is.

So is one that comes twice, of which the last would be taken in silence.
"""

from urllib.parse import unquote_plus

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import InvalidRequest, unknown
from app.http.json_body import MAX_NAME


class KnownQuery:
    """The query parameters of a route: those of its signature, and those that it describes itself.

    As ASGI middleware around an app it refuses all others, and each that comes more than once.
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
        """Raise InvalidRequest if a query has a parameter of another name, or one twice."""
        seen = set()
        for part in query.split(b"&"):
            name = part.partition(b"=")[0]
            if not name:
                continue
            if name not in self._known:
                name = self._unescaped(name)
            if name in seen:
                plain = name.decode()
                detail = f"{plain} comes more than once; only one value of it is taken."
                raise InvalidRequest.at(f"?{plain}", detail)
            seen.add(name)

    def _unescaped(self, name: bytes) -> bytes:
        plain = unquote_plus(name.decode("latin-1"))
        if plain not in self.names:
            plain = plain[:MAX_NAME]
            raise InvalidRequest.at(f"?{plain}", unknown("query parameter", plain, self.names))
        return plain.encode()
