"""Fields: what a map can be painted with, a number for every point of a plane."""

import asyncio
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Path, Query, Request, Response

from app.api.planes import NAME
from app.formats import png
from app.http.cancellation import while_connected
from app.http.conditional import answer_if_changed, control, etag, is_current
from app.http.negotiation import PNG
from app.openapi import NOT_CHANGED, binary, feature
from app.serving.batcher import CHUNK
from app.serving.image_cache import CachedImage, ImageCache
from app.serving.registry import KnownCard, Models
from model.engine import Field, version_of

router = feature("/models/{model}/planes/{plane}", "fields")

LEGEND = "Explorer-Field"

_LEGEND = (
    "How to read the levels, as `low=0.1; high=250; unit=per squared unit; scale=log`. With t the "
    "level's share of the greatest there can be (65,535), a value is low + (high - low) t if "
    "`scale` is `linear`, low (high / low)^t if it is `log`, and the level itself if it is `index`."
)
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: binary(
        PNG,
        description="A grey PNG, 128 x 128: of 16 bits, or for `label` of 8",
        headers={LEGEND: {"description": _LEGEND, "schema": {"type": "string"}}},
    ),
    304: NOT_CHANGED,
    409: {},
}


@router.get("/fields/{field}.png", response_class=Response, responses=_RESPONSES)
async def field(
    request: Request,
    models: Models,
    card: KnownCard,
    plane: Annotated[str, Path(description=NAME, examples=["latent"])],
    field: Literal["density", "magnification", "entropy", "label"],
    v: Annotated[str | None, Query(description="The plane's `version`: then immutable")] = None,
) -> Response:
    """Paint a plane, on the extent of its tiles, the top row first.

    - `density`: the posteriors of all test images together, projected onto the plane
    - `magnification`: how much an area of the plane is stretched into images, sqrt det J'J
    - `entropy`: how blurred the image is, in nats per pixel, as if each were ink or paper
    - `label`: the label of most of the 15 nearest codes, as the level itself
    """
    version = version_of(card)
    tag = etag(version, plane, field)
    kept = {"ETag": tag, "Cache-Control": control(v, version)}
    if is_current(request.headers, tag):
        return Response(status_code=304, headers=kept)

    async def make() -> CachedImage:
        async with models.lend(card.id) as served:
            served.require_latents()
            (work,) = await served.run([lambda: served.engine.field(plane, field)], weight=1)
            done: Field | None = None
            while done is None:
                (done,) = await served.run([work.advance], weight=CHUNK // 2, unit="field to paint")
        return await asyncio.to_thread(_painted, done)

    name = f"{version} {plane} {field}"
    images: ImageCache = request.app.state.images
    image = await while_connected(request, images.get(name, make))
    headers = {**kept, LEGEND: image.legend}
    response = Response(image.content, headers=headers, media_type=PNG)
    return answer_if_changed(request.headers, response)


def _painted(field: Field) -> CachedImage:
    pack = png.encode if field.levels.dtype == np.uint8 else png.encode_deep
    legend = f"low={field.low:.6g}; high={field.high:.6g}; unit={field.unit}; scale={field.scale}"
    return CachedImage(pack(field.levels), legend)
