"""Projections: the codes of many dimensions in a picture of two."""

from functools import partial
from typing import Annotated

import numpy as np
from fastapi import Path, Request, Response
from pydantic import BaseModel, Field

from app.errors import NotFound, unknown
from app.formats import npy
from app.formats.rendering import encode_json
from app.http.conditional import ASK_AGAIN, cached, etag
from app.http.negotiation import JSON, NPY, RAW, choose
from app.openapi import BINARY, NOT_CHANGED, feature
from app.serving.registry import Decoding, ServedModel

router = feature("/models/{model}/projections", "projections")


class ProjectionJson(BaseModel):
    """A projection, without its places."""

    id: str
    title: str
    about: str = Field(description="What its distances mean")


class ProjectionList(BaseModel):
    """The projections that a model has; one of two dimensions has none."""

    model: str
    projections: list[ProjectionJson]


class ProjectionResponse(BaseModel):
    """The place of each test image's code, in the data set's order."""

    model: str
    projection: str
    places: list[list[float]]


@router.get("", responses={409: {}})
async def projections(served: Decoding) -> ProjectionList:
    """List the projections that were computed of a model's codes."""
    listed = [ProjectionJson(**vars(one)) for one in served.engine.projections]
    return ProjectionList(model=served.card.id, projections=listed)


@router.get(
    "/{projection}",
    response_class=Response,
    responses={
        200: {"model": ProjectionResponse, "content": {JSON: {}, NPY: BINARY, RAW: BINARY}},
        304: NOT_CHANGED,
        409: {},
    },
)
async def projection(
    request: Request,
    served: Decoding,
    projection: Annotated[str, Path(description="Id of a projection", examples=["tsne"])],
) -> Response:
    """Give the place of each test image's code in a projection, in the data set's order.

    `Accept` picks JSON, a NumPy file of N x 2 float32, or the same bytes bare, little-endian. A
    place between codes is no latent: only what lies near it in latent space says what is there.
    """
    engine = served.engine
    known = [one.id for one in engine.projections]
    if projection not in known:
        raise NotFound(unknown("projection", projection, known))
    form = choose(request.headers.get("accept"), (JSON, NPY, RAW))
    tag = etag(engine.version, "projection", projection, form)

    async def packed() -> bytes:
        (content,) = await served.run([partial(_pack, served, projection, form)], weight=1)
        return content

    return await cached(request.headers, tag, ASK_AGAIN, packed, form, Vary="Accept")


def _pack(served: ServedModel, projection: str, form: str) -> bytes:
    places = served.engine.atlas.projections[projection].astype(np.dtype("<f4"))
    if form == NPY:
        return npy.write(places)
    if form == RAW:
        return places.tobytes()
    fields = {"model": served.card.id, "projection": projection, "places": places.tolist()}
    return encode_json(fields).encode()
