"""The planes of a model: the 2-D slices of its latent space that a map can show."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.registry import Decoding

router = APIRouter(prefix="/models/{model}", tags=["planes"])


class PlaneJson(BaseModel):
    """latent = origin + u axes[0] + v axes[1]; v grows upwards on a map."""

    id: str
    title: str
    origin: list[float]
    axes: list[list[float]] = Field(description="Two, orthonormal")
    extent: list[list[float]] = Field(description="[[u0, v0], [u1, v1]], a square")


@router.get("/planes")
async def planes(served: Decoding) -> list[PlaneJson]:
    """All planes of the model, the one to open first."""
    return [
        PlaneJson(
            id=plane.id,
            title=plane.title,
            origin=plane.origin.tolist(),
            axes=plane.axes.tolist(),
            extent=[list(corner) for corner in plane.extent],
        )
        for plane in served.engine.planes
    ]
