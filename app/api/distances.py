"""Distances of the points of a map from a latent, in the metric of geodesics."""

import numpy as np
from fastapi import Request
from pydantic import BaseModel, Field

from app.api.interpolate import GEODESIC_WEIGHT
from app.errors import InvalidRequest
from app.formats.latents import LatentText, read_z
from app.http.cancellation import while_connected
from app.openapi import feature
from app.serving.registry import Decoding

router = feature("/models/{model}", "distances")


class DistancesResponse(BaseModel):
    """Distances at the cell centres of the extent of the model's plane."""

    model: str
    cells: int = Field(description="On a side")
    distances: list[list[float]] = Field(description="By rows, the top one first")


@router.get("/distances", responses={409: {}})
async def distances(request: Request, served: Decoding, z: LatentText) -> DistancesResponse:
    """Measure the way from a latent to every place of the plane of a model with two dimensions.

    The metric is that of the path `geodesic`: how much the image changes, and what it costs to
    leave the codes. The ways go from cell to cell of a grid and do not see what changes within
    one, so the numbers are good for a map of contours; for one distance, ask for the geodesic. A
    model's first answer takes a second or so.
    """
    (latent,) = read_z(z, served.card)
    pieces = served.engine.distances(latent)
    *_, found = await while_connected(
        request, served.run(pieces, weight=GEODESIC_WEIGHT, unit="map of distances to measure")
    )
    if found is None:
        raise InvalidRequest.at("?z", "z lies outside the extent of the plane. See GET planes")
    rows = np.round(found.astype(np.float64), 3).tolist()
    return DistancesResponse(model=served.card.id, cells=len(rows), distances=rows)
