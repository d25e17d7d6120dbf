"""The codes of the shipped test images: the scatter on the map."""

import struct
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import Query, Request, Response

from app.http.conditional import ASK_AGAIN, cached, etag
from app.http.negotiation import RAW
from app.openapi import NOT_CHANGED, binary, feature
from app.serving.registry import Decoding
from model.engine import Engine

router = feature("/models/{model}", "codes")


@router.get(
    "/codes",
    response_class=Response,
    responses={200: binary(RAW), 304: NOT_CHANGED, 409: {}},
)
async def codes(
    request: Request,
    served: Decoding,
    plane: Annotated[str | None, Query(description="Project onto this plane: D is 2")] = None,
) -> Response:
    """Give the posterior means and the labels of the test images, in the data set's order.

    Little-endian: `uint32` N, `uint32` D, N x D `float32` means, N x `uint8` labels.
    """
    tag = etag(served.engine.version, "codes", plane)

    async def packed() -> bytes:
        pack = partial(_pack, served.engine, plane)
        (content,) = await served.run([pack], weight=1)
        return content

    return await cached(request.headers, tag, ASK_AGAIN, packed, RAW)


def _pack(engine: Engine, name: str | None) -> bytes:
    points = engine.codes if name is None else engine.plane(name).project(engine.codes)
    head = struct.pack("<II", *points.shape)
    return head + points.astype(np.dtype("<f4")).tobytes() + engine.labels.tobytes()
