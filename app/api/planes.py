"""The planes of a model: the 2-D slices of its latent space that a map can show."""

from functools import partial
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from app.openapi import feature
from app.serving.registry import Decoding, ServedModel
from model.engine import Plane

router = feature("/models/{model}", "planes")

NAME = "Name of a plane: one of GET planes, or any that its description tells of"


class PlaneJson(BaseModel):
    """latent = origin + u axes[0] + v axes[1]; v grows upwards on a map."""

    id: str
    title: str
    origin: list[float]
    axes: list[list[float]] = Field(description="Two, orthonormal")
    extent: list[list[float]] = Field(description="[[u0, v0], [u1, v1]], a square")
    cells: int = Field(description="Images on a side of each of its tiles")
    version: str = Field(description="For ?v= in the URLs of its tiles and fields")


@router.get("/planes", responses={409: {}})
async def planes(served: Decoding) -> list[PlaneJson]:
    """Planes of the model that are worth a menu, the one to open first.

    A model of two latents has `latent`. One of more has its principal axes and, for each two
    labels, the plane through both their mean codes. Besides these there is a plane for every
    name of these forms:

    - `pca-i-j`: along two principal axes of the codes; `dims-i-j`: along two numbers of the latent
    - `digits-a-b`: from the mean code of one label to that of another, and along what varies most
      across that line
    - `at-` and the base64url of origin and axes, 3 x D little-endian `float32`: any plane of any
      model; the axes orthonormal to within 0.001
    """
    return [_json(plane, served) for plane in served.engine.planes]


@router.get("/planes/{plane}", responses={409: {}})
async def plane(
    served: Decoding,
    plane: Annotated[str, Path(description=NAME, examples=["latent"])],
) -> PlaneJson:
    """One plane, by any of the names that `planes` tells of."""
    (found,) = await served.run([partial(served.engine.plane, plane)], weight=1)
    return _json(found, served)


def _json(plane: Plane, served: ServedModel) -> PlaneJson:
    return PlaneJson(
        id=plane.id,
        title=plane.title,
        origin=plane.origin.tolist(),
        axes=plane.axes.tolist(),
        extent=[list(corner) for corner in plane.extent],
        cells=served.engine.image.tile_cells,
        version=served.engine.version,
    )
