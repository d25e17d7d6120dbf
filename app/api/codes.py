"""The codes of the shipped test images: the scatter on the map."""

import struct
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from app.caching import ASK_AGAIN, cached, etag
from app.errors import NotFound
from app.negotiation import RAW
from app.registry import Decoding, ServedModel
from model.engine import Plane

router = APIRouter(prefix="/models/{model}", tags=["codes"])

_BYTES = {"content": {RAW: {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/codes", response_class=Response, responses={200: _BYTES})
async def codes(
    request: Request,
    served: Decoding,
    plane: Annotated[str | None, Query(description="Project onto this plane: D is 2")] = None,
) -> Response:
    """Give the posterior means and the labels of the test images, in the data set's order.

    Little-endian: `uint32` N, `uint32` D, N x D `float32` means, N x `uint8` labels.
    """
    chosen = None if plane is None else _find(served, plane)
    tag = etag(served.engine.version, "codes", plane)
    return cached(request.headers, tag, ASK_AGAIN, lambda: _pack(served, chosen), RAW)


def _find(served: ServedModel, name: str) -> Plane:
    for plane in served.engine.planes:
        if plane.id == name:
            return plane
    there = ", ".join(plane.id for plane in served.engine.planes)
    raise NotFound(f"{served.card.id} has no plane of this name. It has {there}.")


def _pack(served: ServedModel, plane: Plane | None) -> bytes:
    engine = served.engine
    points = engine.codes if plane is None else plane.project(engine.codes)
    head = struct.pack("<II", *points.shape)
    return head + points.astype(np.dtype("<f4")).tobytes() + engine.labels.tobytes()
