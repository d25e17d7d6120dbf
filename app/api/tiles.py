"""The tiles of a plane's map: blocks of decoded images, each under a URL of its own."""

import io
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from fastapi import Request, Response
from PIL import Image

from app.api.planes import NAME
from app.errors import NotFound
from app.formats import png
from app.http.cancellation import while_connected
from app.http.conditional import control, etag, is_current
from app.http.negotiation import PNG
from app.openapi import MODEL_PARAMETER, NOT_CHANGED, binary, feature, parameter
from app.serving.image_cache import CachedImage, ImageCache, PngResponse
from app.serving.registry import Registry, ServedModel
from model.card import Card
from model.engine import DEEPEST_ZOOM, version_of

FIRST = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1))
"""Zoom, x and y of the tiles that a map shows first."""


class _Tile(NamedTuple):
    model: str
    plane: str
    place: tuple[int, int, int]
    version: str

    @property
    def name(self) -> str:
        return f"{self.version} {self.plane} {self.place}"


router = feature("/models/{model}", "tiles")


def _count(name: str, most: int, description: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0, "maximum": most}
    return parameter(name, "path", schema, description, example=1)


_VERSION = "The plane's `version`: with it the answer is immutable, else asked for again"


@router.get(
    "/planes/{plane}/tiles/{zoom}/{x}/{y}.png",
    summary="A tile of a plane's map",
    description=(
        "Decoded images, taken at the cell centres of this tile of the plane's extent, in which "
        "there are 2^zoom x 2^zoom tiles. The plane says how many `cells` a side has: 8 for images "
        "of up to 32 pixels a side, 4 up to 64, 2 up to 128. u grows to the right and v upwards, "
        "so tile (0, 0) is the corner of least u and greatest v. Every cell has the bytes of a "
        "decode at its centre."
    ),
    openapi_extra={
        "parameters": [
            MODEL_PARAMETER,
            parameter("plane", "path", {"type": "string", "examples": ["latent"]}, NAME),
            _count("zoom", DEEPEST_ZOOM, "How often the extent is halved"),
            _count("x", 2**DEEPEST_ZOOM - 1, "Counts to the right, less than 2^zoom"),
            _count("y", 2**DEEPEST_ZOOM - 1, "Counts down from the top, less than 2^zoom"),
            parameter("v", "query", {"type": "string"}, _VERSION),
        ]
    },
    responses={
        200: binary(PNG, description="An 8-bit PNG, grey or in colour, with an ETag"),
        304: NOT_CHANGED,
        409: {},
    },
    response_class=Response,
)
async def tile(request: Request) -> Response:
    """Return a tile; it is decoded unless it is in memory.

    Raises:
        NotFound: There is no such model.
        PlaneError: The model has no such plane, or the plane no such tile.
        Undecodable: The model has no plane at all.
        Overloaded: Too much is waiting.
    """
    images: ImageCache = request.app.state.images
    cached = images.not_modified_or_cached(request)
    if cached is not None:
        return cached
    registry: Registry = request.app.state.registry
    asked = _read(request, registry)
    tag = etag(asked.version, asked.plane, asked.place)
    cache_control = control(request.query_params.get("v"), asked.version)
    if is_current(request.headers, tag):
        return PngResponse(None, tag, cache_control)
    image = await while_connected(request, find_or_make(asked, registry, images))
    return images.response(request, asked.name, image, tag, cache_control)


def _read(request: Request, registry: Registry) -> _Tile:
    """Return what the path asks for; raises NotFound."""
    path = request.path_params
    zoom, x, y = (_whole(path[name], name) for name in ("zoom", "x", "y"))
    version = version_of(registry.card(path["model"]))
    return _Tile(path["model"], path["plane"], (zoom, x, y), version)


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise NotFound(
            f"The {name} of a tile is a whole number. There are tiles of the zooms 0 to "
            f"{DEEPEST_ZOOM}; x and y count from 0 to 2^zoom - 1."
        )
    return int(text)


async def find_or_make(asked: _Tile, registry: Registry, images: ImageCache) -> CachedImage:
    """Return a tile that is in memory, or decode it; raises what `tile` does."""

    async def make() -> CachedImage:
        async with registry.lend(asked.model) as served:
            served.require_latents()
            job = served.batcher.tile_job(partial(_draw, served, asked))
            image: CachedImage = await served.batcher.run(job)
            return image

    return await images.get(asked.name, make)


async def map_at(
    card: Card, plane: str, zoom: int, registry: Registry, images: ImageCache
) -> png.Pixels:
    """Return all tiles of a zoom as one image of square cells; raises what `tile` does."""
    across = range(2**zoom)
    rows = [[_Tile(card.id, plane, (zoom, x, y), version_of(card)) for x in across] for y in across]
    files = [[await find_or_make(tile, registry, images) for tile in row] for row in rows]
    whole = np.vstack([np.hstack([_levels(file) for file in row]) for row in files])
    return _squared(whole, card.image.tile_cells * 2**zoom)


def _squared(images: png.Pixels, cells: int) -> png.Pixels:
    """Lay each of cells x cells images in the middle of a square."""
    height, width = (side // cells for side in images.shape[:2])
    longest, rgb = max(height, width), images.shape[2:]
    if height == width:
        return images
    top, left = (longest - height) // 2, (longest - width) // 2
    sheet = np.zeros((cells, longest, cells, longest, *rgb), np.uint8)
    placed = sheet[:, top : top + height, :, left : left + width]
    placed[:] = images.reshape(cells, height, cells, width, *rgb)
    return sheet.reshape(cells * longest, cells * longest, *rgb)


def _levels(file: CachedImage) -> png.Pixels:
    with Image.open(io.BytesIO(file.content)) as image:
        return np.asarray(image)


def _draw(served: ServedModel, asked: _Tile) -> CachedImage:
    return CachedImage(png.encode(served.engine.tile(asked.plane, *asked.place)))


async def warm_up(registry: Registry, images: ImageCache) -> None:
    """Make the tiles that the page shows first: two levels of the default model's map."""
    card = registry.card(registry.default)
    for plane in card.planes[:1]:
        for place in FIRST:
            await find_or_make(_Tile(card.id, plane, place, version_of(card)), registry, images)
