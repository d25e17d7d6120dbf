"""The tiles of a plane's map: blocks of 8 x 8 decoded images, each under its own URL."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import png
from app.caching import control, etag
from app.disconnect import while_connected
from app.errors import NotFound
from app.express import Plain
from app.negotiation import PNG
from app.openapi import API, MODEL_PARAMETER, NOT_CHANGED, RawRoute
from app.pictures import Picture
from app.rack import Asked, Rack, whole_of, whole_png
from app.registry import Registry
from app.wire import LINE, Whole
from model.engine import DEEPEST_ZOOM, version_of

PATH = f"{API}/models/{{model}}/planes/{{plane}}/tiles/{{zoom}}/{{x}}/{{y}}.png"
FIRST = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1))
"""Zoom, x and y of the tiles that a map shows first."""
_PLACE = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", PATH.replace(".", r"\.")))


class _Asked(NamedTuple):
    model: str
    plane: str
    place: tuple[int, ...]
    name: str
    tag: str
    control: str

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": self.tag, "Cache-Control": self.control}


class Tiles:
    """GET a tile, as a raw ASGI route: a map asks for dozens at once."""

    def __init__(self, registry: Registry, rack: Rack) -> None:
        self.registry = registry
        self.rack, self.pictures = rack, rack.pictures

    def shortcut(self, scope: Scope, asked: Asked) -> Plain | None:
        """Take a request for a tile of a model that is in memory, from who tells when it goes."""
        found = _PLACE.fullmatch(scope["path"]) if LINE in scope.get("extensions", ()) else None
        if found is None or self.registry.at_hand(found["model"]) is None:
            return None
        return Plain(PATH, partial(self._fresh, scope, found.groupdict()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._read(scope, scope["path_params"])
        response = self._known(scope, asked)
        if response is None:
            making = self.tile(asked.model, asked.plane, *asked.place)
            picture = await while_connected(Request(scope, receive), making)
            response = Response(picture.content, headers=asked.headers, media_type=PNG)
        await response(scope, receive, send)

    async def _fresh(self, scope: Scope, path: Mapping[str, str], _: bytes) -> Whole:
        asked = self._read(scope, path)
        known = self._known(scope, asked)
        if known is not None:
            return whole_of(known)
        picture = await self.tile(asked.model, asked.plane, *asked.place)
        return whole_png(picture.content, asked.tag, asked.control)

    def _read(self, scope: Scope, path: Mapping[str, str]) -> _Asked:
        """Take what varies in a path, and the version in a query; raises NotFound."""
        model, plane = path["model"], path["plane"]
        place = tuple(_whole(path[name], name) for name in ("zoom", "x", "y"))
        version = version_of(self.registry.card(model))
        query = parse_qs(scope["query_string"].decode("latin-1"))
        tag, name = etag(version, plane, place), _name(version, plane, place)
        return _Asked(model, plane, place, name, tag, control(query.get("v", [None])[0], version))

    def _known(self, scope: Scope, asked: _Asked) -> Response | None:
        """Answer if the client has the tile, or this server has."""
        return self.rack.known(scope, PATH, asked.name, asked.headers)

    async def tile(self, model: str, plane: str, zoom: int, x: int, y: int) -> Picture:
        """Give a tile, decoded unless it is at hand.

        Raises:
            NotFound: there is no such model.
            PlaneError: it has no such plane, or the plane no such tile.
            Undecodable: the model has no plane at all.
            Overloaded: too much is waiting.
        """

        async def make() -> Picture:
            async with self.registry.lend(model) as served:
                served.require_latents()

                def draw() -> bytes:
                    return png.encode(served.engine.tile(plane, zoom, x, y))

                return Picture(await served.batcher.tile(draw))

        version = version_of(self.registry.card(model))
        return await self.pictures.get(_name(version, plane, (zoom, x, y)), make)

    async def warm_up(self) -> None:
        """Have at hand what the page shows first: two levels of the default model's map."""
        card = self.registry.card(self.registry.default)
        for plane in card.planes[:1]:
            for place in FIRST:
                await self.tile(card.id, plane, *place)


def _name(version: str, plane: str, place: tuple[int, ...]) -> str:
    return f"{version} {plane} {place}"


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise NotFound(
            f"The {name} of a tile is a whole number. There are tiles of the zooms 0 to "
            f"{DEEPEST_ZOOM}; x and y count from 0 to 2^zoom - 1."
        )
    return int(text)


def raw_route(tiles: Tiles) -> RawRoute:
    """Make the route of the tiles."""
    return RawRoute(Route(PATH, tiles, methods=["GET"]), _OPERATION)


def _whole_parameter(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**DEEPEST_ZOOM - 1},
        "example": 1,
        "description": description,
    }


PLANE_PARAMETER = {
    "name": "plane",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "examples": ["latent"]},
    "description": "Name of a plane: one of GET planes, or any that its description tells of",
}
VERSION_PARAMETER = {
    "name": "v",
    "in": "query",
    "schema": {"type": "string"},
    "description": "The plane's `version`: with it the answer is immutable, else asked for again",
}

_OPERATION: dict[str, Any] = {
    "tags": ["tiles"],
    "summary": "A tile of a plane's map",
    "operationId": "tile",
    "description": (
        "8 x 8 decoded images of 28 x 28 pixels, taken at the cell centres of this tile of the "
        "plane's extent, in which there are 2^zoom x 2^zoom tiles. u grows to the right and v "
        "upwards, so tile (0, 0) is the corner of least u and greatest v. Every cell has the bytes "
        "of a decode at its centre."
    ),
    "parameters": [
        MODEL_PARAMETER,
        PLANE_PARAMETER,
        {
            **_whole_parameter("zoom", "How often the extent is halved"),
            "schema": {"type": "integer", "minimum": 0, "maximum": DEEPEST_ZOOM},
            "example": 1,
        },
        _whole_parameter("x", "Counts to the right, less than 2^zoom"),
        _whole_parameter("y", "Counts down from the top, less than 2^zoom"),
        VERSION_PARAMETER,
    ],
    "responses": {
        "200": {
            "description": "An 8-bit grey PNG, 224 x 224, with an ETag",
            "content": {PNG: {"schema": {"type": "string", "format": "binary"}}},
        },
        "304": NOT_CHANGED,
        "409": {},
    },
}
