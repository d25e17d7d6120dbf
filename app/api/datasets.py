"""The shipped test images themselves, one by one and as sheets."""

import asyncio

import numpy as np
from fastapi import APIRouter, Request, Response

from app import png
from app.batching import Images
from app.caching import FOR_EVER, cached, etag
from app.errors import NotFound
from app.negotiation import PNG
from app.registry import Models, Registry
from app.rendering import contact_sheet
from model.engine import test_set

router = APIRouter(prefix="/datasets", tags=["datasets"])

_PNG = {"content": {PNG: {"schema": {"type": "string", "format": "binary"}}}}


SHEET = 32
"""Images on a side of a sheet."""


@router.get("/{dataset}/images/{index}.png", response_class=Response, responses={200: _PNG})
async def dataset_image(request: Request, models: Models, dataset: str, index: int) -> Response:
    """Give one test image, 28 x 28; `index` is its place in the data set's order."""
    images = await _images(models, dataset)
    if not 0 <= index < len(images):
        raise NotFound(f"{dataset} has the test images 0 to {len(images) - 1}.")

    async def packed() -> bytes:
        return png.encode(images[index])

    tag = etag(dataset, index)  # a published data set does not change
    return await cached(request.headers, tag, FOR_EVER, packed, PNG)


@router.get("/{dataset}/sprites/{n}.png", response_class=Response, responses={200: _PNG})
async def dataset_sprites(request: Request, models: Models, dataset: str, n: int) -> Response:
    """Give a sheet of 32 x 32 test images, 896 x 896 pixels, row by row in the data set's order.

    Sheet n starts with image 1,024 n; in the last one the places that are left over are 0.
    """
    images = await _images(models, dataset)
    last = (len(images) - 1) // SHEET**2
    if not 0 <= n <= last:
        raise NotFound(f"{dataset} has the sheets 0 to {last} of its test images.")

    async def packed() -> bytes:
        return await asyncio.to_thread(_sheet, images[SHEET**2 * n : SHEET**2 * (n + 1)])

    return await cached(request.headers, etag(dataset, "sprites", n), FOR_EVER, packed, PNG)


async def _images(models: Registry, dataset: str) -> Images:
    """Take the test images of a data set; whoever asks first has them unpacked."""
    known = sorted({card.dataset for card in models.cards})
    if dataset not in known:
        raise NotFound(f"There is no data set of this name here. There is {', '.join(known)}.")
    return (await asyncio.to_thread(test_set, dataset)).images


def _sheet(images: Images) -> bytes:
    full = np.zeros((SHEET**2, *images.shape[1:]), np.uint8)
    full[: len(images)] = images
    return png.encode(contact_sheet(full))
