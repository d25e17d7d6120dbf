"""GET preview.png: the picture of a link to a point, for networks and chats."""

import asyncio
from typing import Annotated, Any

import numpy as np
from fastapi import Query, Request, Response

from app.api.planes import NAME
from app.api.tiles import map_at
from app.formats import preview
from app.formats.latents import read_z
from app.http.cancellation import while_connected
from app.http.conditional import ASK_AGAIN, etag, is_current
from app.http.negotiation import PNG
from app.openapi import NOT_CHANGED, binary, feature
from app.serving.image_cache import CachedImage, ImageCache, PngResponse
from app.serving.registry import KnownCard, Models
from model.engine import Engine, version_of

router = feature("/models/{model}", "decode")

ZOOM = 1
"""Of the tiles that make up the map: 16 x 16 images."""

_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: binary(PNG, description="A PNG in colour, 1200 x 630, with an ETag"),
    304: NOT_CHANGED,
    409: {},
    422: {},
}


@router.get("/preview.png", response_class=Response, responses=_RESPONSES)
async def preview_png(
    request: Request,
    models: Models,
    card: KnownCard,
    z: Annotated[
        str | None,
        Query(description="The latent; by default the plane's origin", examples=["0.5,-1.2"]),
    ] = None,
    plane: Annotated[str | None, Query(description=f"{NAME}; by default the first")] = None,
) -> Response:
    """Draw a link's picture: the map with its codes, the point, its image, and the model's title.

    The page names it as `og:image` of every link to a point.
    """
    images: ImageCache = request.app.state.images
    version = version_of(card)
    tag = etag(version, "preview", z, plane)
    if is_current(request.headers, tag):
        return PngResponse(None, tag, ASK_AGAIN)

    asked = None if z is None else read_z(z, card)

    async def make() -> CachedImage:
        async with models.lend(card.id) as served:
            served.require_latents()
            name = plane or card.planes[0]
            origin = served.engine.plane(name).origin.astype(np.float32)
            latents = origin[None] if asked is None else asked
            (grey,) = await served.batcher.run(latents)
            mosaic = await map_at(card, name, ZOOM, models, images)
            return await asyncio.to_thread(_drawn, served.engine, name, latents, grey, mosaic)

    name = f"{version} preview {z} {plane}"
    image = await while_connected(request, images.get(name, make))
    return images.response(request, name, image, tag, ASK_AGAIN)


def _drawn(
    engine: Engine, name: str, latents: np.ndarray, grey: np.ndarray, mosaic: np.ndarray
) -> CachedImage:
    plane = engine.plane(name)
    (u0, v0), (u1, v1) = plane.extent

    def shares(latents: np.ndarray) -> np.ndarray:
        u, v = plane.project(latents).T
        return np.stack([(u - u0) / (u1 - u0), (v1 - v) / (v1 - v0)], 1)

    ((x, y),) = shares(latents)
    numbers = ", ".join(f"{number:.2f}" for number in latents[0][:2])
    more = f" and {latents.shape[1] - 2} more" if latents.shape[1] > 2 else ""
    shown = preview.Preview(
        title=engine.card.title,
        caption=f"z = {numbers}{more}",
        map=mosaic,
        codes=shares(engine.codes),
        labels=engine.labels[: len(engine.codes)],
        point=(float(x), float(y)),
        image=grey,
    )
    return CachedImage(preview.draw(shown))
