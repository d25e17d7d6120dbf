"""The codes of the shipped test images: the scatter on the map."""

import asyncio
import struct
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from app.formats import npy
from app.formats.rendering import encode_json
from app.http.conditional import ASK_AGAIN, cached, etag
from app.http.negotiation import JSON, NPY, RAW, choose
from app.openapi import BINARY, NOT_CHANGED, feature
from app.serving.registry import Decoding
from model.engine import Engine

router = feature("/models/{model}", "codes")

Points = tuple[np.ndarray, np.ndarray]
"""Codes, or their places on a plane, and labels."""


class CodesResponse(BaseModel):
    """Codes of test images, from the `start`-th on, in the data set's order."""

    model: str
    start: int
    total: int = Field(description="Codes that there are")
    codes: list[list[float]]
    labels: list[int]


@router.get(
    "/codes",
    response_class=Response,
    responses={
        200: {"model": CodesResponse, "content": {RAW: BINARY, JSON: {}, NPY: BINARY}},
        304: NOT_CHANGED,
        409: {},
    },
)
async def codes(
    request: Request,
    served: Decoding,
    plane: Annotated[str | None, Query(description="Project onto this plane: D is 2")] = None,
    start: Annotated[int, Query(ge=0, description="Place of the first")] = 0,
    count: Annotated[int | None, Query(ge=1, description="How many at most; all others")] = None,
) -> Response:
    """Give the posterior means and the labels of the test images, in the data set's order.

    `Accept` picks the form. Bare bytes are little-endian: `uint32` N, `uint32` D, N x D `float32`
    means, N x `uint8` labels. JSON names them, and NumPy holds the means alone.
    """
    engine = served.engine
    form = choose(request.headers.get("accept"), (RAW, JSON, NPY))
    tag = etag(engine.version, "codes", plane, start, count, form)

    async def packed() -> bytes:
        stop = None if count is None else start + count
        (points,) = await served.run([partial(_take, engine, plane, slice(start, stop))], weight=1)
        if form == RAW:
            return _pack(*points)
        if form == NPY:
            return npy.write(points[0])
        fields = {"model": served.card.id, "start": start, "total": len(engine.labels)}
        return await asyncio.to_thread(_json, fields, *points)

    return await cached(request.headers, tag, ASK_AGAIN, packed, form, Vary="Accept")


def _take(engine: Engine, plane: str | None, part: slice) -> Points:
    codes, labels = engine.codes[part], engine.labels[part]
    points = codes if plane is None else engine.plane(plane).project(codes)
    return points.astype(np.dtype("<f4")), labels


def _pack(points: np.ndarray, labels: np.ndarray) -> bytes:
    return struct.pack("<II", *points.shape) + points.tobytes() + labels.tobytes()


def _json(fields: dict[str, object], points: np.ndarray, labels: np.ndarray) -> bytes:
    return encode_json({**fields, "codes": points.tolist(), "labels": labels.tolist()}).encode()
