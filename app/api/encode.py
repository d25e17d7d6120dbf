"""From images to posteriors."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from fastapi import Request
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.body import JsonBody, media_type, read_json, unsupported
from app.changes import SIDE
from app.disconnect import while_connected
from app.errors import InvalidRequest, Problem
from app.images import Prepared
from app.negotiation import JSON, choose
from app.openapi import feature
from app.registry import Served
from app.rendering import ImageJson, image_json
from app.uploads import read_base64, read_file, read_numbers
from model.engine import Encoding

router = feature("/models/{model}", "encode")

MOST = 64
FORM = "multipart/form-data"


class EncodeRequest(JsonBody):
    """Images to encode."""

    images: Annotated[list[Any], Field(min_length=1, max_length=MOST)]


class Elbo(BaseModel):
    """The evidence lower bound of an image, in nats; `total` is `reconstruction - kl`.

    A model without a posterior has the reconstruction alone.
    """

    reconstruction: float
    kl: float | None
    kl_per_dimension: list[float] | None
    total: float | None


class StepJson(BaseModel):
    """What was done to an upload, and how it looked then."""

    name: str
    detail: str
    image: ImageJson


class EncodedItem(BaseModel):
    """What a model makes of one image; what it has no notion of is null."""

    mean: list[float] | None = Field(description="The code; null for `vqvae`")
    covariance: list[list[float]] | None = Field(description="Of the posterior; null but for `vae`")
    indices: list[list[int]] | None = Field(
        description="Codebook entries, row by row from the top; null but for `vqvae`"
    )
    elbo: Elbo
    input: ImageJson = Field(description="What was encoded: the upload at 28 x 28")
    reconstruction: ImageJson = Field(description="The decode of the mean or the indices")
    steps: list[StepJson]


class EncodeAnswer(BaseModel):
    """The posteriors, in the order of the images."""

    model: str
    items: list[EncodedItem]


_FILES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["file"],
    "properties": {
        "file": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST,
            "items": {"type": "string", "format": "binary"},
        }
    },
}
_ROW = {
    "type": "array",
    "minItems": SIDE,
    "maxItems": SIDE,
    "items": {"type": "number", "minimum": 0, "maximum": 1},
}
_ROWS = {
    "type": "array",
    "description": "28 rows of 28 numbers, 0 = background",
    "minItems": SIDE,
    "maxItems": SIDE,
    "items": _ROW,
}
_BASE64 = {"type": "string", "format": "byte", "description": "An image file in base64"}
_IMAGES = {"type": "array", "minItems": 1, "maxItems": MOST, "items": {"anyOf": [_BASE64, _ROWS]}}
_JSON = {
    "type": "object",
    "additionalProperties": False,
    "required": ["images"],
    "properties": {"images": _IMAGES},
}
_STROKE = (  # a PNG of 28 x 28
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAHklEQVR4AWNgGLLgPxDgdPyoJDBohlYg4IzLwSIBACOXP8"
    "FJuTsTAAAAAElFTkSuQmCC"
)
_WRITTEN = {"schema": _JSON, "example": {"images": [_STROKE]}}
_BODY = {"required": True, "content": {FORM: {"schema": _FILES}, JSON: _WRITTEN}}


@router.post(
    "/encode",
    openapi_extra={"requestBody": _BODY},
    responses={200: {"model": EncodeAnswer}, 406: {}},
    response_class=JSONResponse,
    response_model=None,
)
async def encode(request: Request, served: Served) -> JSONResponse:
    """Encode 1 to 64 images: files in the form field `file`, or JSON.

    A file is brought to 28 x 28 the way the model's data set was made, and `steps` tells how; one
    that is 28 x 28 on a dark background is taken as it is.
    """
    choose(request.headers.get("accept"), [JSON])
    kind = media_type(request)
    if kind == FORM:
        prepared = await _from_form(request, served.card.dataset)
    elif kind == JSON:
        prepared = await _from_json(request, served.card.dataset)
    else:
        raise unsupported(request, FORM, JSON)
    images = np.stack([one.image for one in prepared])
    encodings = await while_connected(request, served.encode(images))
    items = [
        _item(encoding, index, one)
        for (encoding, index), one in zip(_each(encodings), prepared, strict=True)
    ]
    return JSONResponse({"model": served.card.id, "items": items})


async def _from_form(request: Request, dataset: str) -> list[Prepared]:
    try:
        async with request.form(max_files=MOST, max_fields=MOST) as form:
            contents = await _contents(form)
    except HTTPException as error:
        if isinstance(error, Problem):
            raise
        raise InvalidRequest.at("#", f"The form cannot be read: {error.detail}") from error
    readings = [read_file(one, dataset, f"#/file/{index}") for index, one in enumerate(contents)]
    return await asyncio.gather(*readings)


async def _from_json(request: Request, dataset: str) -> list[Prepared]:
    body = await read_json(request, EncodeRequest)
    prepared = []
    for index, entry in enumerate(body.images):
        pointer = f"#/images/{index}"
        if isinstance(entry, str):
            prepared.append(await read_base64(entry, dataset, pointer))
        elif isinstance(entry, list):
            prepared.append(read_numbers(entry, pointer))
        else:
            detail = "The image is neither base64 text nor 28 lists of 28 numbers."
            raise InvalidRequest.at(pointer, detail)
    return prepared


async def _contents(form: FormData) -> list[bytes]:
    files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
    if not files or len(files) != len(form.multi_items()):
        came = ", ".join(sorted(form)) or "nothing"
        detail = f"The form holds {came}; it must hold 1 to {MOST} image files named `file`."
        raise InvalidRequest.at("#/file", detail)
    return [await file.read() for file in files]


def _each(encodings: list[Encoding]) -> Iterator[tuple[Encoding, int]]:
    for encoding in encodings:
        for index in range(len(encoding.reconstruction)):
            yield encoding, index


def _item(encoding: Encoding, index: int, prepared: Prepared) -> dict[str, object]:
    def pick(array: np.ndarray | None) -> Any:
        return None if array is None else array[index].tolist()

    return {
        "mean": pick(encoding.mean),
        "covariance": pick(encoding.covariance),
        "indices": pick(encoding.indices),
        "elbo": {
            "reconstruction": pick(encoding.reconstruction),
            "kl": pick(encoding.kl),
            "kl_per_dimension": pick(encoding.kl_per_dimension),
            "total": pick(encoding.total),
        },
        "input": image_json(np.floor(255 * prepared.image + 0.5).astype(np.uint8)),
        "reconstruction": image_json(encoding.reconstruction_image[index]),
        "steps": [
            {"name": step.name, "detail": step.detail, "image": image_json(step.image)}
            for step in prepared.steps
        ],
    }
