"""POST decode: images of latents."""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field, WithJsonSchema

from app.formats import rendering
from app.formats.latents import LATENT, MAX_LATENTS, read_latents, read_npy
from app.formats.rendering import BATCH, ImageJson, JsonImages, described
from app.http.cancellation import while_connected
from app.http.json_body import JsonBody, media_type, most_bytes, read_json, unsupported
from app.http.negotiation import JSON, NPY
from app.openapi import MODEL_PARAMETER, array, bytes_of, feature, reads
from app.serving.batcher import CHUNK, SMALL, Images, Latents
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
    JSON: {"schema": DecodeRequest.model_json_schema()},
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

    `Accept` picks JSON, a contact sheet, NumPy or bare bytes.
    """
    registry: Registry = request.app.state.registry
    async with registry.lend(request.path_params["model"]) as served:
        served.require_latents()
        card = served.engine.card
        _require_room(request, served, card)
        form = rendering.choose(request.headers.get("accept"), BATCH)
        latents = await _read_body(request, card)
        images = await decode_for(request, served, latents, form, patient=False)
        return await rendering.respond(request, form, BATCH, images, {"model": card.id})


def _require_room(request: Request, served: ServedModel, card: Card) -> None:
    """Raise Overloaded for a long body before it is read, while too much waits."""
    length = int(request.headers.get("content-length", 0))
    if length > CHUNK * (NUMBER_CHARACTERS * card.latent_dim + 2):
        served.batcher.require_room(2 * CHUNK)


async def _read_body(request: Request, card: Card) -> Latents:
    kind = media_type(request.headers.get("content-type"))
    if kind == JSON:
        max_bytes = most_bytes(card.latent_dim * MAX_LATENTS)
        body = await read_json(request, DecodeRequest, max_bytes=max_bytes)
        return read_latents(body.latents, card)
    if kind == NPY:
        return read_npy(await request.body(), MAX_LATENTS, card)
    raise unsupported(request, JSON, NPY)


async def decode_for(
    request: Request,
    served: ServedModel,
    latents: Latents,
    media_type: str,
    *,
    patient: bool = True,
) -> Images | JsonImages:
    """Decode latents, and stop if the client of `request` goes away before many are decoded.

    Many images that go into JSON are returned as JSON, each chunk packed after its forward pass.
    `patient` is as in `Job`.

    Raises:
        ClientDisconnect: The client went away.
        Overloaded: Too much is waiting.
    """
    batcher = served.batcher
    if len(latents) <= SMALL:
        images: Images = await batcher.run(latents)
        return images
    if media_type != JSON:
        return await while_connected(request, served.decode(latents, patient=patient))
    packing = batcher.decode_job(latents, rendering.packed, patient=patient)
    return b",".join(await while_connected(request, batcher.run(packing)))
