"""Samples: new images, from latents drawn at random."""

import secrets
from functools import partial
from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.decode import respond
from app.formats import rendering
from app.formats.latents import MAX_LATENTS
from app.formats.rendering import BATCH, ImageJson, described
from app.http.json_body import OTHER_BYTES, WHOLE, JsonBody, read_only_json
from app.openapi import feature, reads_json
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
    openapi_extra=reads_json(SampleRequest),
    responses={200: {"model": SampleResponse, "content": described(BATCH)}, 409: {}},
    response_class=Response,
)
async def sample(request: Request, served: Decoding) -> Response:
    """Draw from the prior, or for an autoencoder from the Gaussian fitted to its codes."""
    body = await read_only_json(request, SampleRequest, max_bytes=OTHER_BYTES)
    media_type = rendering.choose(request.headers.get("accept"), BATCH)
    seed = secrets.randbelow(LARGEST_SEED) if body.seed is None else body.seed
    draw = partial(served.engine.sample, body.count, seed, body.temperature)
    (latents,) = await served.run([draw], weight=1)
    fields = {"model": served.card.id, "seed": seed, "latents": latents.tolist()}
    return await respond(request, served, latents, media_type, BATCH, fields)
