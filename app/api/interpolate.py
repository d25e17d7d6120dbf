"""Interpolation: from one latent to another, step by step."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Request, Response
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.api.decode import respond
from app.errors import InvalidRequest
from app.formats import rendering
from app.formats.latents import LATENT, refuse
from app.formats.rendering import FILM, ImageJson, described
from app.formats.uploads import read_images
from app.http.cancellation import while_connected
from app.http.json_body import WHOLE, JsonBody, read_only_json
from app.openapi import feature, reads_json
from app.serving.batcher import CHUNK
from app.serving.registry import Decoding, ServedModel

router = feature("/models/{model}", "interpolate")

GEODESIC_WEIGHT = 2
"""What a piece of a geodesic costs in images decoded; there are up to some five hundred of them."""

EXAMPLE: Any = {"start": {"latent": [-1.5, 1.0]}, "end": {"latent": [1.0, -2.0]}, "steps": 8}


class End(JsonBody):
    """An end of the path: a latent, or an image file in base64 whose code is taken."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    latent: Annotated[
        list[Any] | None,
        WithJsonSchema({**LATENT, "examples": [[-1.0, 0.5]]}),
    ] = None
    image: Annotated[str | None, WithJsonSchema({"type": "string", "format": "byte"})] = None


class InterpolateRequest(JsonBody):
    """Two ends, and how to go from one to the other."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    start: End
    end: End
    steps: Annotated[int, Field(ge=2, le=256), WHOLE] = Field(
        default=16, description="Images, both ends among them"
    )
    path: Literal["linear", "spherical", "geodesic"] = Field(
        default="linear",
        description="geodesic: shortest by how much the image changes and what lies off the codes",
    )
    density: bool = Field(
        default=True, description="Of a geodesic: whether leaving the codes costs anything"
    )


class InterpolateResponse(BaseModel):
    """The path: what it passes, how it looks, how long its steps are."""

    model: str
    path: str
    metric: str = Field(description="What the step lengths are measured in")
    latents: list[list[float]]
    step_lengths: list[float]
    straight_length: float | None = Field(
        description="Of a geodesic: the length of the straight path in the same metric"
    )
    seen_lengths: list[float] = Field(
        description="How much the image changes in each step: the Fisher-Rao distance"
    )
    images: list[ImageJson]


@router.post(
    "/interpolate",
    openapi_extra=reads_json(InterpolateRequest),
    responses={200: {"model": InterpolateResponse, "content": described(FILM)}, 409: {}},
    response_class=Response,
)
async def interpolate(request: Request, served: Decoding) -> Response:
    """Walk between two ends; `Accept` picks JSON, a film strip, an animation or NumPy.

    The steps of a path are equal in its own metric; a geodesic's, in that of how much the image
    changes (Fisher-Rao) plus what it costs to leave the codes. A model's first geodesic takes a
    second or so.
    """
    body = await read_only_json(request, InterpolateRequest)
    media_type = rendering.choose(request.headers.get("accept"), FILM)
    start = await _latent(request, served, body.start, "start")
    end = await _latent(request, served, body.end, "end")
    weight = GEODESIC_WEIGHT if body.path == "geodesic" else 1
    pieces = served.engine.walk(start, end, body.steps, body.path, density=body.density)
    *_, path = await while_connected(
        request, served.run(pieces, weight=weight, unit="path to find")
    )
    assert path is not None, "the last piece returns the path"
    lengths = served.engine.seen_length_pieces(path.latents)
    *_, seen_lengths = await served.run(lengths, weight=CHUNK)
    assert seen_lengths is not None, "the last piece returns the lengths"
    fields = {
        "model": served.card.id,
        "path": body.path,
        "metric": path.metric,
        "latents": path.latents.tolist(),
        "step_lengths": path.step_lengths.tolist(),
        "straight_length": path.straight_length,
        "seen_lengths": seen_lengths.tolist(),
    }
    return await respond(request, served, path.latents, media_type, FILM, fields)


async def _latent(
    request: Request, served: ServedModel, end: End, name: str
) -> Float[np.ndarray, " latent"]:
    if (end.latent is None) == (end.image is None):
        came = "neither a latent nor an image" if end.latent is None else "a latent and an image"
        raise InvalidRequest.at(f"#/{name}", f"{name} has {came}; give one of the two.")
    if end.image is not None:
        entry = {f"#/{name}/image": end.image}
        (prepared,) = await read_images(entry, served.engine.form, with_steps=False)
        (code,) = await while_connected(request, served.encoder.code(prepared.image[None]))
        assert code.mean is not None, "a model that decodes latents encodes into them"
        latent: Float[np.ndarray, " latent"] = code.mean[0]
        return latent
    refuse(end.latent, served.card, f"{name}.latent", f"#/{name}/latent")
    return np.array(end.latent, np.float32)
