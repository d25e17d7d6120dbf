"""The tiles of a plane's map: blocks of 8 x 8 decoded images, each under its own URL."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.errors import NotFound
from app.express import Soon
from app.formats import png
from app.http.cancellation import while_connected
from app.http.conditional import ASK_AGAIN, control, etag, is_current
from app.http.negotiation import PNG
from app.openapi import API, MODEL_PARAMETER, NOT_CHANGED, RawRoute
from app.server.http_protocol import Question, Whole
from app.serving.image_cache import Picture
from app.serving.registry import Registry, ServedModel
from app.serving.response_cache import Rack, png_response, whole_png
from model.engine import DEEPEST_ZOOM, version_of

FIRST = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1))
"""Zoom, x and y of the tiles that a map shows first."""


class _Tile(NamedTuple):
    model: str
    plane: str
    place: tuple[int, int, int]
    version: str
    control: str

    @property
    def name(self) -> str:
        return f"{self.version} {self.plane} {self.place}"

    @property
    def tag(self) -> str:
        return etag(self.version, self.plane, self.place)


class Tiles:
    """GET a tile, as a raw ASGI route: a map asks for dozens at once."""

    route = f"{API}/models/{{model}}/planes/{{plane}}/tiles/{{zoom}}/{{x}}/{{y}}.png"

    def __init__(self, registry: Registry, rack: Rack) -> None:
        self.registry = registry
        self.rack, self.pictures = rack, rack.pictures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tile = self._read(scope["path_params"], scope["query_string"].decode("latin-1"))
        tag = tile.tag
        picture = None
        if not is_current(Headers(scope=scope), tag):
            picture = await while_connected(Request(scope, receive), self.tile(tile))
        await png_response(picture, tag, tile.control)(scope, receive, send)

    def answer(self, question: Question, path: str, query: str) -> Whole | Soon | None:
        """The express lane: a tile, if its model is in memory."""
        found = _PLACE.fullmatch(path)
        served = self.registry.at_hand(found["model"]) if found else None
        if found is None or served is None or not served.engine.decodes:
            return None
        tile = self._read(found.groupdict(), query)
        tag, name = tile.tag, tile.name
        target, headers = question.target, question.headers
        known = self.rack.known(target, headers, self.route, name, tag, tile.control)
        if known is not None:
            return known
        make = partial(served.batcher.ask_tile, _drawing(served, tile))

        def write(picture: Picture) -> Whole:
            return whole_png(picture.content, tag, tile.control)

        return Soon(partial(self.pictures.ask, name, make), write, tile.model)

    def _read(self, path: Mapping[str, str], query: str) -> _Tile:
        """Take what varies in a path, and the version in a query; raises NotFound."""
        zoom, x, y = (_whole(path[name], name) for name in ("zoom", "x", "y"))
        version = version_of(self.registry.card(path["model"]))
        asked = parse_qs(query).get("v", [None])[0]
        place = (zoom, x, y)
        return _Tile(path["model"], path["plane"], place, version, control(asked, version))

    async def tile(self, tile: _Tile) -> Picture:
        """Give a tile, decoded unless it is at hand.

        Raises:
            NotFound: there is no such model.
            PlaneError: it has no such plane, or the plane no such tile.
            Undecodable: the model has no plane at all.
            Overloaded: too much is waiting.
        """

        async def make() -> Picture:
            async with self.registry.lend(tile.model) as served:
                served.require_latents()
                return await served.batcher.tile(_drawing(served, tile))

        return await self.pictures.get(tile.name, make)

    async def warm_up(self) -> None:
        """Have at hand what the page shows first: two levels of the default model's map."""
        card = self.registry.card(self.registry.default)
        for plane in card.planes[:1]:
            for place in FIRST:
                await self.tile(_Tile(card.id, plane, place, version_of(card), ASK_AGAIN))


def _drawing(served: ServedModel, tile: _Tile) -> Callable[[], Picture]:
    def draw() -> Picture:
        return Picture(png.encode(served.engine.tile(tile.plane, *tile.place)))

    return draw


_PLACE = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", Tiles.route.replace(".", r"\.")))


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise NotFound(
            f"The {name} of a tile is a whole number. There are tiles of the zooms 0 to "
            f"{DEEPEST_ZOOM}; x and y count from 0 to 2^zoom - 1."
        )
    return int(text)


def raw_route(tiles: Tiles) -> RawRoute:
    """Make the route of the tiles."""
    return RawRoute(Route(Tiles.route, tiles, methods=["GET"]), _OPERATION)


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
