"""Traversals: a sheet of images in rows, in each of which one number of a latent moves."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.api.decode import respond
from app.errors import InvalidRequest
from app.formats import png, rendering
from app.formats.latents import LATENT, MAX_LATENTS, refuse
from app.formats.rendering import BATCH, ImageJson, Render, described, film_strip
from app.http.json_body import WHOLE, JsonBody, read_only_json
from app.http.negotiation import PNG
from app.openapi import array, feature, reads_json
from app.serving.batcher import Images
from app.serving.registry import Decoding, ServedModel
from model.errors import LatentError

router = feature("/models/{model}", "traverse")

MAX_STEPS = 64
MAX_REACH = 10


class TraverseRequest(JsonBody):
    """Where from, and how far each number moves."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"latent": [0.5, -1.2]}, {"latent": [0, 0], "steps": 5}]}
    )
    latent: Annotated[list[Any], WithJsonSchema(LATENT)]
    dimensions: Annotated[
        list[Annotated[int, Field(ge=0), WHOLE]] | None,
        WithJsonSchema(array({"type": "integer", "minimum": 0}, 1, MAX_LATENTS)),
    ] = Field(
        default=None,
        description="The numbers to move, counted from 0; without them, those in use, the most "
        "active first, as many as there is room for",
    )
    steps: Annotated[int, Field(ge=2, le=MAX_STEPS), WHOLE] = Field(
        default=7, description="Images of each row; the latent's own is in the middle of an odd row"
    )
    reach: float = Field(
        default=3.0,
        gt=0,
        le=MAX_REACH,
        allow_inf_nan=False,
        description="Each number moves by so many standard deviations both ways",
    )


class TraverseResponse(BaseModel):
    """The rows, and their images one after the other."""

    model: str
    dimensions: list[int] = Field(description="The number that moves in each row")
    offsets: list[list[float]] = Field(
        description="What each step of each row adds to that number, in latent units"
    )
    measure: Literal["kl", "variance"] = Field(
        description="What the activity is: the mean KL in nats, or the variance of the codes"
    )
    activity: list[float] = Field(description="Of the number that moves in each row")
    inactive: list[int] = Field(
        description="Numbers of the latent that the decoder ignores, or nearly so"
    )
    images: list[ImageJson]


@router.post(
    "/traverse",
    openapi_extra=reads_json(TraverseRequest),
    responses={200: {"model": TraverseResponse, "content": described(BATCH)}, 409: {}},
    response_class=Response,
)
async def traverse(request: Request, served: Decoding) -> Response:
    """Move the numbers of a latent one at a time, each in a row of images.

    `Accept` picks JSON, a sheet with one row a number, NumPy or bare bytes, in which the images
    follow each other row by row. A standard deviation is 1, of a VAE's prior, or that of an
    autoencoder's codes.
    """
    body = await read_only_json(request, TraverseRequest)
    forms = _forms(body.steps)
    media_type = rendering.choose(request.headers.get("accept"), forms)
    refuse(body.latent, served.card, "latent", "#/latent")
    latent = np.array(body.latent, np.float32)
    (activity,) = await served.run([lambda: served.engine.activity], weight=1)
    moved = _dimensions(served, body, activity.active or activity.inactive)
    walk = partial(served.engine.traverse, latent, moved, body.steps, body.reach)
    try:
        (found,) = await served.run([walk], weight=1)
    except LatentError as error:
        raise InvalidRequest.at("#/reach", f"A step leads too far: {error}.") from error
    fields = {
        "model": served.card.id,
        "dimensions": list(found.dimensions),
        "offsets": found.offsets.tolist(),
        "measure": activity.measure,
        "activity": activity.values[moved].tolist(),
        "inactive": list(activity.inactive),
    }
    return await respond(request, served, found.latents, media_type, forms, fields)


def _dimensions(served: ServedModel, body: TraverseRequest, in_use: tuple[int, ...]) -> list[int]:
    """Return the numbers to move; raises InvalidRequest for those that there are not."""
    most = MAX_LATENTS // body.steps
    if body.dimensions is None:
        return list(in_use[:most])
    count, card = len(body.dimensions), served.card
    if not 0 < count <= most:
        detail = f"{count} rows of {body.steps} steps are asked for; there may be 1 to {most}."
        raise InvalidRequest.at("#/dimensions", detail)
    for index, dimension in enumerate(body.dimensions):
        if dimension >= card.latent_dim:
            detail = (
                f"dimensions[{index}] is {dimension}; the {card.latent_dim} numbers of "
                f"{card.id} are counted from 0."
            )
            raise InvalidRequest.at(f"#/dimensions/{index}", detail)
    return body.dimensions


def _forms(steps: int) -> Mapping[str, Render]:
    """Return the forms of a batch, with a sheet of as many columns as there are steps."""

    def sheet(images: Images) -> bytes:
        rows = [film_strip(images[start : start + steps]) for start in range(0, len(images), steps)]
        return png.encode(np.vstack(rows))

    return {**BATCH, PNG: sheet}
