"""The data sets of the models: what their labels mean, and their test images."""

import asyncio
import logging
from functools import partial
from typing import Annotated, Any

import numpy as np
from fastapi import Path, Request, Response
from pydantic import BaseModel, Field

from app.api.models import ImageShape
from app.errors import NotFound
from app.formats import npy, png
from app.formats.rendering import contact_sheet, encode_json
from app.http.conditional import ASK_AGAIN, FOR_EVER, cached, etag
from app.http.negotiation import JSON, NPY, PNG, choose
from app.openapi import BINARY, NOT_CHANGED, binary, feature
from app.serving.batcher import Images
from app.serving.registry import Models, Registry
from model.engine import LabelledImages, test_set
from model.errors import DataError

log = logging.getLogger("explorer")
router = feature("/datasets", "datasets")

SHEET = 32
"""Images on a side of a sheet."""

Name = Annotated[str, Path(description="Id of a data set", examples=["mnist"])]
Number = Annotated[int, Path(json_schema_extra={"minimum": 0})]
_RESPONSES: dict[int | str, dict[str, Any]] = {200: binary(PNG), 304: NOT_CHANGED}


class DatasetJson(BaseModel):
    """The images that models here were trained and are tested on."""

    id: str
    title: str
    licence: str = Field(description="Of the images; empty if nobody said")
    labels: list[str] = Field(description="What the labels 0, 1, 2 and so on are called")
    images: int = Field(description="Test images that this server has")
    image: ImageShape = Field(description="The shape of each")
    preprocessing: str = Field(
        description="How an upload becomes like them: `digit`, `thing` or `photo`"
    )


class Labels(BaseModel):
    """The label of each test image."""

    dataset: str
    labels: list[int]


class DatasetList(BaseModel):
    """All data sets of the models here, by their ids."""

    datasets: list[DatasetJson]


@router.get("")
async def list_datasets(models: Models) -> DatasetList:
    """All data sets that a model here was trained on, and what their labels mean."""
    found = []
    for name in _names(models):
        try:
            found.append(_json(await asyncio.to_thread(test_set, name)))
        except DataError as error:  # the others are answered for all the same
            log.error("Data set %s is left out: %s", name, error)
    return DatasetList(datasets=found)


@router.get("/{dataset}")
async def show_dataset(models: Models, dataset: Name) -> DatasetJson:
    """One data set, and what its labels mean."""
    return _json(await _tests(models, dataset))


@router.get(
    "/{dataset}/labels",
    response_class=Response,
    responses={200: {"model": Labels, "content": {JSON: {}, NPY: BINARY}}, 304: NOT_CHANGED},
)
async def dataset_labels(request: Request, models: Models, dataset: Name) -> Response:
    """Give the labels of the test images, in the data set's order; `Accept` picks JSON or NumPy."""
    form = choose(request.headers.get("accept"), (JSON, NPY))
    tests = await _tests(models, dataset)

    async def packed() -> bytes:
        if form == NPY:
            return npy.write(tests.labels)
        return encode_json({"dataset": dataset, "labels": tests.labels.tolist()}).encode()

    tag, control = _kept(tests, "labels", form)
    return await cached(request.headers, tag, control, packed, form, Vary="Accept")


@router.get("/{dataset}/images/{index}.png", response_class=Response, responses=_RESPONSES)
async def dataset_image(
    request: Request, models: Models, dataset: Name, index: Annotated[Number, Path(examples=[7])]
) -> Response:
    """Give one test image; `index` is its place in the data set's order."""
    tests = await _tests(models, dataset)
    if not 0 <= index < len(tests.images):
        raise NotFound(f"{dataset} has the test images 0 to {len(tests.images) - 1}.")

    async def packed() -> bytes:
        return png.encode(tests.images[index])

    tag, control = _kept(tests, index)
    return await cached(request.headers, tag, control, packed, PNG)


@router.get("/{dataset}/sprites/{n}.png", response_class=Response, responses=_RESPONSES)
async def dataset_sprites(
    request: Request, models: Models, dataset: Name, n: Annotated[Number, Path(examples=[0])]
) -> Response:
    """Give a sheet of 32 x 32 test images without gaps, row by row in the data set's order.

    Sheet n starts with image 1,024 n; in the last one the places that are left over are 0.
    """
    tests = await _tests(models, dataset)
    last = (len(tests.images) - 1) // SHEET**2
    if not 0 <= n <= last:
        raise NotFound(f"{dataset} has the sheets 0 to {last} of its test images.")
    packed = partial(asyncio.to_thread, _sheet, tests.images[SHEET**2 * n : SHEET**2 * (n + 1)])
    tag, control = _kept(tests, "sprites", n)
    return await cached(request.headers, tag, control, packed, PNG)


def _kept(tests: LabelledImages, *parts: object) -> tuple[str, str]:
    """Return the ETag of a part of a data set, and how long a client may keep it.

    A published data set never changes. One of the operator's own may be imported again.
    """
    source = tests.source
    assert source, "it was read from files"
    tag = etag(source.id, *source.sha256.values(), *parts)
    return tag, FOR_EVER if source.mirrors else ASK_AGAIN


def _json(tests: LabelledImages) -> DatasetJson:
    source = tests.source
    assert source, "it was read from files"
    return DatasetJson(
        id=source.id,
        title=source.title,
        licence=source.licence,
        labels=[*source.label_names],
        images=len(tests.images),
        image=ImageShape(**vars(source.image)),
        preprocessing=source.form.preprocessing,
    )


async def _tests(models: Registry, dataset: str) -> LabelledImages:
    """Return the test images of a data set; raises NotFound. The first call unpacks them."""
    names = _names(models)
    if dataset not in names:
        raise NotFound(f"There is no data set of this name here. There is {', '.join(names)}.")
    return await asyncio.to_thread(test_set, dataset)


def _names(models: Registry) -> list[str]:
    return sorted({card.dataset for card in models.cards})


def _sheet(images: Images) -> bytes:
    full = np.zeros((SHEET**2, *images.shape[1:]), np.uint8)
    full[: len(images)] = images
    return png.encode(contact_sheet(full))
