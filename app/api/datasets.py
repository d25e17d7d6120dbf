"""The shipped test images themselves."""

import asyncio

from fastapi import APIRouter, Request, Response

from app import png
from app.caching import FOR_EVER, cached, etag
from app.errors import NotFound
from app.negotiation import PNG
from app.registry import Models
from model.engine import test_set

router = APIRouter(prefix="/datasets", tags=["datasets"])

_PNG = {"content": {PNG: {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/{dataset}/images/{index}.png", response_class=Response, responses={200: _PNG})
async def dataset_image(request: Request, models: Models, dataset: str, index: int) -> Response:
    """Give one test image, 28 x 28; `index` is its place in the data set's order."""
    known = sorted({card.dataset for card in models.cards})
    if dataset not in known:
        raise NotFound(f"There is no data set of this name here. There is {', '.join(known)}.")
    images = (await asyncio.to_thread(test_set, dataset)).images  # unpacked by the first who asks
    if not 0 <= index < len(images):
        raise NotFound(f"{dataset} has the test images 0 to {len(images) - 1}.")
    tag = etag(dataset, index)  # a published data set does not change
    return cached(request.headers, tag, FOR_EVER, lambda: png.encode(images[index]), PNG)
