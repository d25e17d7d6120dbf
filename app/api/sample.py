"""Samples: new images, from latents drawn at random."""

import secrets
from functools import partial
from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.decode import decode_for
from app.formats import rendering
from app.formats.latents import MAX_LATENTS
from app.formats.rendering import BATCH, ImageJson, described
from app.http.json_body import OTHER_BYTES, WHOLE, JsonBody, json_body
from app.openapi import feature, json_request
from app.serving.batcher import CHUNK
from app.serving.registry import Decoding

router = feature("/models/{model}", "sample")

LARGEST_SEED = 2**53 - 1
"""The largest integer up to which JavaScript represents all exactly."""


class SampleRequest(JsonBody):
    """How many to draw, and how."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"count": 3, "seed": 7}]})
    count: Annotated[int, Field(ge=1, le=MAX_LATENTS), WHOLE] = 1
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED), WHOLE] | None = Field(
        default=None,
        description="The same seed draws the same latents; without one, another each time",
    )
    temperature: float = Field(
        default=1.0, ge=0, le=4, allow_inf_nan=False, description="Scale of the spread"
    )


class SampleResponse(BaseModel):
    """What was drawn, and how to draw it again."""

    model: str
    seed: int
    latents: list[list[float]]
    images: list[ImageJson]


@router.post(
    "/sample",
    openapi_extra={"requestBody": json_request(SampleRequest)},
    responses={200: {"model": SampleResponse, "content": described(BATCH)}, 409: {}},
    response_class=Response,
)
async def sample(
    request: Request,
    served: Decoding,
    body: Annotated[SampleRequest, json_body(SampleRequest, max_bytes=OTHER_BYTES)],
) -> Response:
    """Draw from the prior, or for an autoencoder from the Gaussian fitted to its codes."""
    media_type = rendering.choose(request.headers.get("accept"), BATCH)
    seed = secrets.randbelow(LARGEST_SEED) if body.seed is None else body.seed
    is_patient = body.count <= CHUNK  # as many as a page asks for
    if not is_patient:
        served.batcher.require_room(body.count)
    draw = partial(served.engine.sample, body.count, seed, body.temperature)
    (latents,) = await served.run([draw], weight=1)
    images = await decode_for(request, served, latents, media_type, patient=is_patient)
    fields = {"model": served.card.id, "seed": seed, "latents": latents.tolist()}
    return await rendering.respond(request, media_type, BATCH, images, fields)
