"""The training history of a model: its losses, and its map at moments of its training."""

import asyncio
import base64
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from app.formats.rendering import ImageJson, contact_sheet, image_json
from app.http.conditional import cached, control, etag
from app.http.negotiation import JSON
from app.openapi import NOT_CHANGED, feature
from app.serving.registry import Models, Served
from model.card import Card
from model.engine import Engine, Moment

router = feature("/models/{model}", "history")


class EpochJson(BaseModel):
    """One epoch of training, in nats per image; null is what its stage does not measure."""

    epoch: int = Field(description="Through all stages, a teacher's epochs before them")
    stage: str
    train_loss: float | None = Field(description="What the stage makes small")
    reconstruction: float | None
    kl: float | None
    elbo: float | None = Field(description="reconstruction - kl, on images not trained on")
    more: dict[str, float] = Field(description="What only this stage measures")


class MomentJson(BaseModel):
    """The map after an epoch; epoch 0 is before the first step."""

    epoch: int
    origin: list[float]
    axes: list[list[float]]
    extent: list[list[float]] = Field(description="[[u0, v0], [u1, v1]]")
    count: int = Field(description="N: codes are of the first N test images, in their order")
    codes: str = Field(
        description="N x D float32, little-endian, in base64", json_schema_extra={"format": "byte"}
    )
    cells: int = Field(description="Images on a side of the grid")
    grid: ImageJson = Field(description="Decodes at the cell centres of the extent, top row first")


class HistoryResponse(BaseModel):
    """Losses by epoch, and moments; either may be empty."""

    model: str
    dataset: str
    epochs: list[EpochJson]
    moments: list[MomentJson]


@router.get("/history", response_model=HistoryResponse, responses={304: NOT_CHANGED})
async def history(
    request: Request,
    served: Served,
    models: Models,
    projected: Annotated[
        bool, Query(description="Give the codes as (u, v) on each moment's own plane: D is 2")
    ] = False,
    v: Annotated[str | None, Query(description="A plane's `version`: then immutable")] = None,
) -> Response:
    """Tell how training went. A moment shows the model's main plane as it then was.

    A model that was taught by another starts with its teacher's moments, and with its epochs if
    that model is offered too. The labels of the codes are those of the data set: `codes` has them.
    """
    engine = served.engine
    teacher = next((card for card in models.cards if card.id == engine.teacher), None)
    packed = partial(asyncio.to_thread, _pack, engine, teacher, projected)
    tag = etag(engine.version, "history", projected, teacher and teacher.sha256)
    return await cached(request.headers, tag, control(v, engine.version), packed, JSON)


def _pack(engine: Engine, teacher: Card | None, projected: bool) -> bytes:
    response = HistoryResponse(
        model=engine.card.id,
        dataset=engine.card.dataset,
        epochs=[EpochJson(**vars(epoch)) for epoch in engine.history(teacher)],
        moments=[_json(moment, projected) for moment in engine.moments],
    )
    return response.model_dump_json().encode()


def _json(moment: Moment, projected: bool) -> MomentJson:
    codes = moment.projected if projected else moment.codes
    cells = len(moment.grid)
    sheet = contact_sheet(moment.grid.reshape(-1, *moment.grid.shape[2:]))
    return MomentJson(
        epoch=moment.epoch,
        origin=moment.origin.tolist(),
        axes=moment.axes.tolist(),
        extent=moment.extent.tolist(),
        count=len(codes),
        codes=base64.b64encode(codes.astype(np.dtype("<f4")).tobytes()).decode("ascii"),
        cells=cells,
        grid=ImageJson.model_validate(image_json(sheet)),
    )
