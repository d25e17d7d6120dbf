"""POST decode: images of latents."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field, WithJsonSchema

from app.formats import npy, rendering
from app.formats.latents import LATENT, MAX_LATENTS, read_latents, read_npy
from app.formats.rendering import BATCH, ImageJson, Render, described
from app.http.cancellation import while_connected
from app.http.json_body import JsonBody, media_type, most_bytes, read_json, unsupported
from app.http.negotiation import JSON, NPY, NPZ, PNG, RAW
from app.openapi import MODEL_PARAMETER, array, bytes_of, feature, reads, schema_of
from app.serving.batcher import CHUNK, SMALL, Latents
from app.serving.registry import Registry, ServedModel
from model.card import Card

NUMBER_CHARACTERS = 22
"""Of most numbers in JSON, with the separator."""

router = feature("/models/{model}", "decode")


class DecodeRequest(JsonBody):
    """Latents to decode."""

    latents: Annotated[
        list[Any],  # read_latents checks the rows, in a tenth of the time that pydantic takes
        Field(min_length=1, max_length=MAX_LATENTS),
        WithJsonSchema(array(LATENT, 1, MAX_LATENTS, examples=[[[0.0, 0.0], [0.5, -1.2]]])),
    ]


class DecodeResponse(BaseModel):
    """The images of the latents, in their order."""

    model: str
    images: list[ImageJson]


_CONTENT = {
    JSON: {"schema": schema_of(DecodeRequest)},
    NPY: bytes_of("A NumPy file: N x D numbers"),
}


@router.post(
    "/decode",
    openapi_extra={"parameters": [MODEL_PARAMETER], **reads(_CONTENT)},
    responses={200: {"model": DecodeResponse, "content": described(BATCH)}, 409: {}, 422: {}},
    response_class=Response,
)
async def decode(request: Request) -> Response:
    """Decode up to 1,024 latents, in JSON or a NumPy file.

    `Accept` picks JSON, a contact sheet, NumPy (one array, or all as NPZ) or bare bytes.
    """
    registry: Registry = request.app.state.registry
    async with registry.lend(request.path_params["model"]) as served:
        served.require_latents()
        card = served.engine.card
        _require_room(request, served, card)
        form = rendering.choose(request.headers.get("accept"), BATCH)
        latents = await _read_body(request, card)
        fields = {"model": card.id}
        return await respond(request, served, latents, form, BATCH, fields)


def _require_room(request: Request, served: ServedModel, card: Card) -> None:
    """Raise Overloaded for a long body before it is read, while too much waits."""
    length = int(request.headers.get("content-length", 0))
    if length > CHUNK * (NUMBER_CHARACTERS * card.latent_dim + 2):
        served.batcher.require_room(2)


async def _read_body(request: Request, card: Card) -> Latents:
    kind = media_type(request.headers.get("content-type"))
    if kind == JSON:
        max_bytes = most_bytes(card.latent_dim * MAX_LATENTS)
        body = await read_json(request, DecodeRequest, max_bytes=max_bytes)
        return read_latents(body.latents, card)
    if kind == NPY:
        return read_npy(await request.body(), MAX_LATENTS, card)
    raise unsupported(request, JSON, NPY)


async def respond(
    request: Request,
    served: ServedModel,
    latents: Latents,
    media_type: str,
    forms: Mapping[str, Render],
    fields: Mapping[str, Any],
) -> Response:
    """Return the images of latents as `media_type`; in JSON and NPZ after `fields`, as `images`.

    Many images that go into JSON are packed chunk by chunk, each after its forward pass. Other slow
    rendering is done in a thread.

    Raises:
        ClientDisconnect: The client went away before many were decoded.
        Overloaded: Too much is waiting.
    """
    is_small = len(latents) <= SMALL
    if media_type != JSON:
        work = served.decode(latents)
        images = await (work if is_small else while_connected(request, work))
        if media_type == NPZ:
            render = partial(npy.archive, **fields, images=images)
        else:
            render = partial(forms[media_type], images)
        is_quick = media_type in (NPY, RAW) or (media_type == PNG and len(images) <= CHUNK)
        content = render() if is_quick else await asyncio.to_thread(render)
        return Response(content, media_type=media_type, headers={"Vary": "Accept"})
    batcher = served.batcher
    if is_small:
        listed = rendering.packed(await batcher.run(latents))
    else:
        job = batcher.decode_job(latents, rendering.packed)
        listed = b",".join(await while_connected(request, batcher.run(job)))
    content = rendering.encode_json(fields)[:-1].encode() + b',"images":[' + listed + b"]}"
    return rendering.json_response(content, request.headers.get("accept-encoding"))
