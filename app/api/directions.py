"""Directions: which way through the latent space an attribute of the images grows."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.errors import InvalidRequest, unknown
from app.http.cancellation import while_connected
from app.http.json_body import OTHER_BYTES, WHOLE, JsonBody, read_only_json
from app.openapi import feature, reads_json
from app.serving.registry import Decoding, ServedModel
from model.engine import Direction

router = feature("/models/{model}", "directions")

WEIGHT = 32
"""What a piece, a pass over the codes or over 250 images, costs in images decoded."""


EXAMPLES: Any = [{"label": 4}, {"factor": "slant"}]


class FactorJson(BaseModel):
    """A number that is measured on each test image."""

    id: str
    title: str
    unit: str
    about: str = Field(description="How it is measured")


class AttributeList(BaseModel):
    """The attributes that have a direction; of either there may be none."""

    model: str
    labels: list[int] = Field(description="That some test images have and others have not")
    factors: list[FactorJson]


class DirectionRequest(JsonBody):
    """The attribute whose direction is wanted: a label, or the id of a factor."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "maxProperties": 1, "examples": EXAMPLES}
    )

    label: Annotated[
        Annotated[int, WHOLE] | None, WithJsonSchema({"type": "integer", "minimum": 0})
    ] = None
    factor: Annotated[str | None, WithJsonSchema({"type": "string"})] = None


class DirectionResponse(BaseModel):
    """The direction, from what it was computed, and how well it tells the attribute."""

    model: str
    label: int | None
    factor: str | None
    method: Literal["difference-of-means", "least-squares"]
    direction: list[float] = Field(
        description="Latent units per unit of the factor; of a label, from the others to it"
    )
    scale: float = Field(description="The length of the direction")
    deviation: float | None = Field(
        description="Standard deviation of the factor among images of one label, in its unit"
    )
    images: int = Field(description="Codes from which it was computed")
    labelled: int | None = Field(description="Those of them that have the label")
    auc: float | None = Field(
        description="Of a label: the area under the ROC curve of the codes along the direction"
    )
    r_squared: float | None = Field(
        description="Of a factor: the part of its variance, among images of one label, that the "
        "place along the direction explains"
    )


@router.get("/attributes", responses={409: {}})
async def attributes(served: Decoding) -> AttributeList:
    """List the attributes that have a direction: labels, and factors measured on the images."""
    known = served.engine.attributes
    factors = [
        FactorJson(id=one.id, title=one.title, unit=one.unit, about=one.about)
        for one in known.factors
    ]
    return AttributeList(model=served.card.id, labels=list(known.labels), factors=factors)


@router.post("/directions", openapi_extra=reads_json(DirectionRequest), responses={409: {}})
async def directions(request: Request, served: Decoding) -> DirectionResponse:
    """Find the direction of a label or a factor; add it to a latent, and its image has more of it.

    Of a label it is the difference of the mean code of its images and that of all others; of a
    factor, the regression of the codes on it with the labels held fixed. The first answer on a
    factor takes a second, because the images are measured for it.
    """
    body = await read_only_json(request, DirectionRequest, max_bytes=OTHER_BYTES)
    pieces = _pieces(served, body)
    *_, found = await while_connected(
        request, served.run(pieces, weight=WEIGHT, unit="direction to find")
    )
    assert isinstance(found, Direction), "the last piece returns it"
    is_label = body.label is not None
    return DirectionResponse(
        model=served.card.id,
        label=body.label,
        factor=body.factor,
        method="difference-of-means" if is_label else "least-squares",
        direction=found.vector.tolist(),
        scale=found.scale,
        deviation=found.deviation,
        images=found.images,
        labelled=found.labelled,
        auc=found.separation if is_label else None,
        r_squared=None if is_label else found.separation,
    )


def _pieces(served: ServedModel, body: DirectionRequest) -> list[Any]:
    """Return how to find a direction; raises InvalidRequest for an attribute that has none."""
    known = served.engine.attributes
    if (body.label is None) == (body.factor is None):
        came = "neither a label nor a factor" if body.label is None else "a label and a factor"
        raise InvalidRequest.at("#", f"The body has {came}; give one of the two.")
    if body.label is not None:
        if body.label not in known.labels:
            there = ", ".join(map(str, known.labels)) or "none, for all images have one label"
            detail = f"label {body.label} has no direction here; these have one: {there}."
            raise InvalidRequest.at("#/label", detail)
        return [partial(known.of_label, body.label)]
    assert body.factor is not None
    factors = [factor.id for factor in known.factors]
    if body.factor not in factors:
        raise InvalidRequest.at("#/factor", unknown("factor", body.factor, factors))
    return known.of_factor(body.factor)
