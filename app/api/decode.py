"""From latents to images: POST decode, and GET decode.png for one that a URL can name."""

from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache, partial
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qs

import numpy as np
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.errors import InvalidRequest
from app.express import Soon
from app.formats import png, rendering
from app.formats.latents import LATENT, read_latents, read_npy, read_z
from app.formats.rendering import BATCH, SIDE, ImageJson, JsonImages, described
from app.http.cancellation import while_connected
from app.http.conditional import ASK_AGAIN, etag, is_current
from app.http.json_body import JsonBody, media_type, read_json, unsupported
from app.http.negotiation import JSON, NPY, PNG, RAW, by_header
from app.openapi import API, LATENT_TEXT, MODEL_PARAMETER, NOT_CHANGED, RawRoute, feature
from app.server.http_protocol import Headers as Asking
from app.server.http_protocol import Question, Whole
from app.serving.batcher import CHUNK, SMALL, Images, Latents
from app.serving.image_cache import Picture
from app.serving.registry import Decoding, Registry, ServedModel
from app.serving.response_cache import Rack, png_response, whole_batch, whole_json, whole_png
from model.card import Card

MOST = 1024
SIZES = range(28, 1121)
DEFAULT_SIZE = 280
SHORT_BODY = 1000
"""Bytes that are never too many to read."""
LONGEST_NUMBER = 22
"""Characters of most numbers, and of what parts them from the next."""


class LargeDecode(APIRoute):
    """A route that refuses a long body before it reads it, while too much waits.

    A short request that is written at great length is taken for a long one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_if_there_is_room(request: Request) -> Response:
            served = request.app.state.registry.at_hand(request.path_params["model"])
            length = int(request.headers.get("content-length", 0))
            if served and is_long(length, served):
                served.batcher.require_room(2 * CHUNK)
            return await handle(request)

        return handle_if_there_is_room


def is_long(length: int, served: ServedModel) -> bool:
    """Tell of a body of so many bytes whether it may well hold more than a chunk of latents."""
    return length > CHUNK * (LONGEST_NUMBER * served.card.latent_dim + 2)


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


_FILE = {"type": "string", "format": "binary", "description": "A NumPy file: N x D numbers"}
_BODY = {
    "required": True,
    "content": {JSON: {"schema": DecodeRequest.model_json_schema()}, NPY: {"schema": _FILE}},
}


@router.post(
    "/decode",
    openapi_extra={"requestBody": _BODY},
    responses={200: {"model": DecodeAnswer, "content": described(BATCH)}, 409: {}},
    response_class=Response,
)
async def decode(request: Request, served: Decoding) -> Response:
    """Decode up to 1,024 latents, in JSON or a NumPy file.

    `Accept` picks JSON, a contact sheet, NumPy or bare bytes.
    """
    form = rendering.choose(request.headers.get("accept"), BATCH)
    latents = await _read_body(request, served.card)
    images = await decode_for(request, served, latents, form, patient=False)
    return await rendering.answer(form, BATCH, images, {"model": served.card.id})


async def _read_body(request: Request, card: Card) -> Latents:
    kind = media_type(request)
    if kind == NPY:
        return read_npy(await request.body(), MOST, card)
    if kind != JSON:
        raise unsupported(request, JSON, NPY)
    return read_latents((await read_json(request, DecodeRequest)).latents, card)


async def decode_for(
    request: Request,
    served: ServedModel,
    latents: Latents,
    media_type: str,
    *,
    patient: bool = True,
) -> Images | JsonImages:
    """Decode for as long as the client of `request` waits; few latents are not worth the watch.

    Many images that go into JSON are packed for it on the way. `patient` is as in
    `Batcher.decode`.
    """
    if len(latents) <= SMALL:
        return await served.batcher.decode(latents)
    if media_type != JSON:
        return await while_connected(request, served.batcher.decode(latents, patient=patient))
    packing = served.batcher.map(latents, rendering.packed, patient=patient)
    return b",".join(await while_connected(request, packing))


class QuickDecode:
    """The express lane of decode: a few latents, or many into bare numbers."""

    route = f"{API}/models/{{model}}/decode"

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def reads(self, target: bytes, headers: Asking, length: int) -> bool:
        """Take JSON or NumPy, but nothing long while too much waits."""
        if headers.get(b"content-type") not in _READ:
            return False
        if length <= SHORT_BODY:
            return True
        path = target.decode("latin-1")
        served = served_at(self.registry, path[path.find(_BEFORE) :], _AFTER)
        if served is None:
            return False
        return not is_long(length, served) or served.batcher.has_room(2 * CHUNK)

    def answer(self, question: Question, path: str, query: str) -> Soon | None:
        """Decode what comes in one pass, or into NumPy or bytes by several."""
        served = _decoding_at(self.registry, path, _AFTER)
        media_type = _FORMS.get(question.headers.get(b"accept", b"*/*"))
        if served is None or media_type is None:
            return None
        model, batcher = served.card.id, served.batcher
        if _READ[question.headers[b"content-type"]] == NPY:
            latents = read_npy(question.body, MOST, served.card)
        else:
            rows = _rows(from_json(question.body))
            if rows is None:
                return None
            latents = read_latents(rows, served.card)
        if len(latents) <= SMALL:
            write = partial(_write, model, media_type, question.headers)
            return Soon(partial(batcher.ask, latents), write, model)
        if media_type == JSON:
            return None
        return Soon(partial(batcher.ask_many, latents), partial(_bare, media_type), model)


def _rows(body: object) -> list[object] | None:
    """The latents of a body that holds nothing else, if they are not too many."""
    if not isinstance(body, dict) or len(body) != 1:
        return None
    rows = body.get("latents")
    return rows if isinstance(rows, list) and 0 < len(rows) <= MOST else None


def _write(model: str, media_type: str, headers: Asking, images: Images) -> Whole:
    if media_type != JSON:
        return _bare(media_type, [images])
    content = rendering.json_of(_head_of(model), rendering.packed(images))
    return whole_json(content, headers)


@lru_cache(maxsize=64)
def _head_of(model: str) -> bytes:
    return rendering.json_head({"model": model})


def _bare(media_type: str, chunks: list[Images]) -> Whole:
    count = sum(map(len, chunks))
    head = rendering.npy_head((count, SIDE, SIDE)) if media_type == NPY else b""
    bare = (np.ascontiguousarray(images).reshape(-1).data for images in chunks)
    return whole_batch(media_type, head, *bare)


class _Latent(NamedTuple):
    latents: Latents
    size: int
    tag: str


class DecodePng:
    """GET decode.png as a raw ASGI route: pages show many of them, and a browser keeps each.

    The image is enlarged by repeating pixels, so that every grey is one the model gave.
    """

    route = f"{API}/models/{{model}}/decode.png"

    def __init__(self, registry: Registry, rack: Rack) -> None:
        self.registry = registry
        self.rack, self.pictures = rack, rack.pictures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.registry.lend(scope["path_params"]["model"]) as served:
            response = await self._answer(served, scope)
        await response(scope, receive, send)

    def answer(self, question: Question, path: str, query: str) -> Whole | Soon | None:
        """The express lane: a picture of a latent, if its model is in memory."""
        served = _decoding_at(self.registry, path, _PNG_AFTER)
        if served is None:
            return None
        latent = _read(served, query)
        tag = latent.tag
        target, headers = question.target, question.headers
        known = self.rack.known(target, headers, self.route, tag, tag, ASK_AGAIN)
        if known is not None:
            return known
        self.pictures.misses += 1

        def write(images: Images) -> Whole:
            return whole_png(self._keep(latent, images).content, tag)

        return Soon(partial(served.batcher.ask, latent.latents), write, served.card.id)

    async def _answer(self, served: ServedModel, scope: Scope) -> Response:
        served.require_latents()
        latent = _read(served, scope["query_string"].decode("latin-1"))
        if is_current(Headers(scope=scope), latent.tag):
            return png_response(None, latent.tag, ASK_AGAIN)
        picture = self.pictures.find(latent.tag)
        if picture is None:
            self.pictures.misses += 1
            picture = self._keep(latent, await served.batcher.decode(latent.latents))
        return png_response(picture, latent.tag, ASK_AGAIN)

    def _keep(self, latent: _Latent, images: Images) -> Picture:
        picture = Picture(png.encode_enlarged(images[0], latent.size))
        self.pictures.keep(latent.tag, picture)
        return picture


def _read(served: ServedModel, query: str) -> _Latent:
    """Take what a query asks for; raises InvalidRequest."""
    found = parse_qs(query, keep_blank_values=True)
    latents = read_z(found.get("z", [None])[0], served.card)
    size = _read_size(found)
    return _Latent(latents, size, etag(served.engine.version, latents.tobytes(), size))


def served_at(registry: Registry, path: str, ending: str) -> ServedModel | None:
    """Give the model of a path with this ending, if it is in memory."""
    if not (path.startswith(_BEFORE) and path.endswith(ending)):
        return None
    return registry.at_hand(path[len(_BEFORE) : -len(ending)])


def _decoding_at(registry: Registry, path: str, ending: str) -> ServedModel | None:
    served = served_at(registry, path, ending)
    return served if served is not None and served.engine.decodes else None


def _read_size(query: Mapping[str, list[str]]) -> int:
    text = query.get("size", [str(DEFAULT_SIZE)])[0]
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and int(text) in SIZES):
        detail = (
            f"size is not a whole number from {SIZES.start} to {SIZES.stop - 1} (pixels a side)."
        )
        raise InvalidRequest.at("?size", detail)
    return int(text)


_BEFORE, _AFTER = QuickDecode.route.split("{model}")
_PNG_AFTER = DecodePng.route.removeprefix(_BEFORE + "{model}")
_READ = {name.encode(): name for name in (JSON, NPY)}
"""What is read by the express lane, by the header Content-Type."""
_FORMS = by_header(JSON, NPY, RAW)
"""What is written by the express lane."""


def raw_route(pictures: DecodePng) -> RawRoute:
    """Make the route of decode.png."""
    return RawRoute(Route(DecodePng.route, pictures, methods=["GET"]), _OPERATION)


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
