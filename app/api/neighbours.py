"""The test images whose codes lie nearest to a latent."""

from functools import partial
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from app.formats.latents import LatentText, read_z
from app.openapi import feature
from app.serving.registry import Decoding

router = feature("/models/{model}", "neighbours")

MAX_NEIGHBOURS = 200
WEIGHT = 32
"""What a search, a pass over 10,000 codes, costs in images decoded."""


class Neighbour(BaseModel):
    """One code near the latent."""

    index: int = Field(description="Of its image in the data set")
    label: int
    distance: float = Field(description="Euclidean, in latent units")


class NeighboursResponse(BaseModel):
    """The nearest codes, nearest first."""

    model: str
    neighbours: list[Neighbour]


@router.get("/neighbours", responses={409: {}})
async def neighbours(
    served: Decoding,
    z: LatentText,
    k: Annotated[int, Query(ge=1, le=MAX_NEIGHBOURS, description="How many")] = 40,
) -> NeighboursResponse:
    """Find the codes nearest to a latent, in all dimensions of the latent space."""
    (latent,) = read_z(z, served.card)
    search = partial(served.engine.neighbours, latent, k)
    (found,) = await served.run([search], weight=WEIGHT, unit="point to find neighbours of")
    columns = (found.indices.tolist(), found.labels.tolist(), found.distances.tolist())
    near = [
        Neighbour(index=index, label=label, distance=distance)
        for index, label, distance in zip(*columns, strict=True)
    ]
    return NeighboursResponse(model=served.card.id, neighbours=near)
