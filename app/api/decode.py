"""From latents to images: POST decode, and GET decode.png for one that a URL can name."""

import json
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qs

import numpy as np
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic_core import from_json
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import png, rendering
from app.batching import CHUNK, SMALL, Images, Latents
from app.body import JsonBody, only_json
from app.caching import ASK_AGAIN, etag
from app.disconnect import while_connected
from app.errors import InvalidRequest
from app.express import Plain, is_short
from app.latents import LATENT, read_latents, read_z, refuse
from app.negotiation import JSON, PNG
from app.openapi import API, LATENT_TEXT, MODEL_PARAMETER, NOT_CHANGED, RawRoute, feature
from app.pictures import Picture
from app.rack import Asked, Rack, whole_json, whole_of, whole_png
from app.registry import Decoding, Registry, ServedModel
from app.rendering import BATCH, ImageJson, JsonImage, described
from app.wire import Whole

MOST = 1024
SIZES = range(28, 1121)
DEFAULT_SIZE = 280
LONGEST_NUMBER = 22
"""Characters of most numbers, and of what parts them from the next."""


class _QuickToRead(Request):
    """A request whose JSON is read at three times the speed of the standard library."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return from_json(body)
        except ValueError:
            return json.loads(body)  # which takes more, and says better what it does not


class LargeDecode(APIRoute):
    """A route that refuses a long body before it reads it, while too much waits.

    A short request that is written at great length is taken for a long one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_if_there_is_room(request: Request) -> Response:
            served = request.app.state.registry.at_hand(request.path_params["model"])
            length = int(request.headers.get("content-length", 0))
            if served and length > CHUNK * (LONGEST_NUMBER * served.card.latent_dim + 2):
                served.batcher.require_room(2 * CHUNK)
            return await handle(_QuickToRead(request.scope, request.receive))

        return handle_if_there_is_room


router = feature("/models/{model}", "decode", LargeDecode)


class DecodeRequest(JsonBody):
    """Latents to decode."""

    latents: Annotated[
        list[Any],  # read_latents checks the rows, in a tenth of the time that pydantic takes
        Field(min_length=1, max_length=MOST),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST,
                "items": LATENT,
                "examples": [[[0.0, 0.0], [0.5, -1.2]]],
            }
        ),
    ]


class DecodeAnswer(BaseModel):
    """The images of the latents, in their order."""

    model: str
    images: list[ImageJson]


@router.post(
    "/decode",
    dependencies=[only_json],
    responses={200: {"model": DecodeAnswer, "content": described(BATCH)}, 409: {}},
    response_class=Response,
)
async def decode(request: Request, served: Decoding, body: DecodeRequest) -> Response:
    """Decode up to 1,024 latents; `Accept` picks JSON, a contact sheet, NumPy or bare bytes."""
    media_type = rendering.choose(request.headers.get("accept"), BATCH)
    latents = read_latents(body.latents, served.card)
    images = await decode_for(request, served, latents, media_type, patient=False)
    return await rendering.answer(media_type, BATCH, images, {"model": served.card.id})


async def decode_for(
    request: Request,
    served: ServedModel,
    latents: Latents,
    media_type: str,
    *,
    patient: bool = True,
) -> Images | list[JsonImage]:
    """Decode for as long as the client of `request` waits; few latents are not worth the watch.

    Many images that go into JSON are packed for it on the way. `patient` is as in
    `Batcher.decode`.
    """
    if len(latents) <= SMALL:
        return await served.batcher.decode(latents)
    if media_type != JSON:
        return await while_connected(request, served.batcher.decode(latents, patient=patient))
    packing = served.batcher.map(latents, rendering.packed, patient=patient)
    chunks = await while_connected(request, packing)
    return [image for chunk in chunks for image in chunk]


class DecodeOne:
    """The express lane of decode: one latent into JSON, when all is as it should be."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def shortcut(self, scope: Scope, asked: Asked) -> Plain | None:
        """Take such a request."""
        is_json = asked.get(b"content-type") == b"application/json"
        if not is_json or asked.get(b"accept", b"*/*") not in (b"*/*", b"application/json"):
            return None
        served = _served(self.registry, scope["path"], _AFTER) if is_short(asked) else None
        return None if served is None else Plain(PATH, partial(self._answer, served))

    async def _answer(self, served: ServedModel, body: bytes) -> Whole | None:
        match json.loads(body):
            case {"latents": [row], **others} if not others:
                refuse(row, served.card, "", "")
            case _:
                return None
        images = await served.batcher.decode(np.array([row], np.float32))
        return whole_json(rendering.json_of({"model": served.card.id}, rendering.packed(images)))


class _Asked(NamedTuple):
    latent: Latents
    size: int
    tag: str

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": self.tag, "Cache-Control": ASK_AGAIN}


class DecodePng:
    """GET decode.png as a raw ASGI route: pages show many of them, and a browser keeps each.

    The image is enlarged by repeating pixels, so that every grey is one the model gave.
    """

    def __init__(self, registry: Registry, rack: Rack) -> None:
        self.registry = registry
        self.rack, self.pictures = rack, rack.pictures

    def shortcut(self, scope: Scope, asked: Asked) -> Plain | None:
        """Take a request for a latent that was not asked for of late, of a model in memory."""
        served = _served(self.registry, scope["path"], _PNG_AFTER)
        return None if served is None else Plain(PNG_PATH, partial(self._fresh, served, scope))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.registry.lend(scope["path_params"]["model"]) as served:
            response = await self._answer(served, scope)
        await response(scope, receive, send)

    async def _fresh(self, served: ServedModel, scope: Scope, _: bytes) -> Whole:
        asked = self._read(served, scope)
        known = self._known(scope, asked)
        if known is not None:
            return whole_of(known)
        return whole_png((await self._draw(served, asked)).content, asked.tag)

    async def _answer(self, served: ServedModel, scope: Scope) -> Response:
        served.require_latents()
        asked = self._read(served, scope)
        known = self._known(scope, asked)
        if known is not None:
            return known
        picture = await self._draw(served, asked)
        return Response(picture.content, headers=asked.headers, media_type=PNG)

    def _known(self, scope: Scope, asked: _Asked) -> Response | None:
        """Answer if the client has the picture, or this server has."""
        return self.rack.known(scope, PNG_PATH, asked.tag, asked.headers)

    def _read(self, served: ServedModel, scope: Scope) -> _Asked:
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        latent = read_z(query.get("z", [None])[0], served.card)
        size = _read_size(query)
        return _Asked(latent, size, etag(served.engine.version, latent.tobytes(), size))

    async def _draw(self, served: ServedModel, asked: _Asked) -> Picture:
        self.pictures.misses += 1
        (image,) = await served.batcher.decode(asked.latent)
        picture = Picture(png.encode_enlarged(image, asked.size))
        self.pictures.keep(asked.tag, picture)
        return picture


def _served(registry: Registry, path: str, after: str) -> ServedModel | None:
    """Give the model of a path that ends so, if it is in memory and decodes vectors."""
    if not (path.startswith(_BEFORE) and path.endswith(after)):
        return None
    served = registry.at_hand(path[len(_BEFORE) : -len(after)])
    return served if served is not None and served.engine.decodes else None


def _read_size(query: Mapping[str, list[str]]) -> int:
    text = query.get("size", [str(DEFAULT_SIZE)])[0]
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and int(text) in SIZES):
        detail = (
            f"size is not a whole number from {SIZES.start} to {SIZES.stop - 1} (pixels a side)."
        )
        raise InvalidRequest.at("?size", detail)
    return int(text)


PNG_PATH = f"{API}/models/{{model}}/decode.png"
PATH = f"{API}/models/{{model}}/decode"
_BEFORE, _AFTER = PATH.split("{model}")
_PNG_AFTER = PNG_PATH.removeprefix(_BEFORE + "{model}")


def raw_route(pictures: DecodePng) -> RawRoute:
    """Make the route of decode.png."""
    return RawRoute(Route(PNG_PATH, pictures, methods=["GET"]), _OPERATION)


_OPERATION: dict[str, Any] = {
    "tags": ["decode"],
    "summary": "Decode one latent into a PNG",
    "description": "The image of a latent under a URL, enlarged by whole pixels.",
    "operationId": "decode_png",
    "parameters": [
        MODEL_PARAMETER,
        {
            "name": "z",
            "in": "query",
            "required": True,
            "schema": LATENT_TEXT,
            "description": "The latent, its numbers separated by commas",
            "example": "0.5,-1.2",
        },
        {
            "name": "size",
            "in": "query",
            "schema": {
                "type": "integer",
                "minimum": SIZES.start,
                "maximum": SIZES.stop - 1,
                "default": DEFAULT_SIZE,
            },
            "description": "Pixels a side; each pixel of the 28 x 28 is repeated, not blended",
        },
    ],
    "responses": {
        "200": {
            "description": "An 8-bit grey PNG, with an ETag",
            "content": {PNG: {"schema": {"type": "string", "format": "binary"}}},
        },
        "304": NOT_CHANGED,
        "409": {},
        "422": {},
    },
}
