"""POST encode: posteriors of images."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from app.errors import InvalidRequest, Problem
from app.formats.image_files import Prepared
from app.formats.rendering import ImageJson, encode_json, image_json, json_response, npy
from app.formats.uploads import MAX_IMAGES, read_images
from app.http.cancellation import while_connected
from app.http.json_body import JsonBody, media_type, read_json, unsupported
from app.http.negotiation import JSON, NPY, choose
from app.openapi import BINARY, MODEL_PARAMETER, array, feature, reads
from app.serving.encode_batcher import MAX_PER_PASS
from app.serving.registry import Registry
from model.engine import IMAGE_SIDE, Encoding

Result = TypeVar("Result")
router = feature("/models/{model}", "encode")

FORM = "multipart/form-data"


class EncodeBody(JsonBody):
    """Images to encode."""

    images: Annotated[list[Any], Field(min_length=1, max_length=MAX_IMAGES)]


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


class EncodeResponse(BaseModel):
    """The posteriors, in the order of the images."""

    model: str
    items: list[EncodedItem]


def _only(name: str, image: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with this one field, a list of images."""
    fields = {"required": [name], "properties": {name: array(image, 1, MAX_IMAGES)}}
    return {"type": "object", "additionalProperties": False, **fields}


_ROW = array({"type": "number", "minimum": 0, "maximum": 1}, IMAGE_SIDE, IMAGE_SIDE)
_ROWS = array(_ROW, IMAGE_SIDE, IMAGE_SIDE, description="28 rows of 28 numbers, 0 = background")
_BASE64 = {"type": "string", "format": "byte", "description": "An image file in base64"}
_IMAGE = {"anyOf": [_BASE64, _ROWS]}
_STROKE = (  # a PNG of 28 x 28
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAHklEQVR4AWNgGLLgPxDgdPyoJDBohlYg4IzLwSIBACOXP8"
    "FJuTsTAAAAAElFTkSuQmCC"
)
_CONTENT = {
    FORM: {"schema": _only("file", BINARY["schema"])},
    JSON: {"schema": _only("images", _IMAGE), "example": {"images": [_STROKE]}},
}


@router.post(
    "/encode",
    openapi_extra={"parameters": [MODEL_PARAMETER], **reads(_CONTENT)},
    responses={200: {"model": EncodeResponse, "content": {JSON: {}, NPY: BINARY}}, 422: {}},
    response_class=Response,
    response_model=None,
)
async def encode(request: Request) -> Response:
    """Encode 1 to 64 images: files in the form field `file`, or JSON.

    A file is brought to 28 x 28 the way the model's data set was made, and `steps` tells how; one
    that is 28 x 28 on a dark background is taken as it is. `Accept` picks JSON, or NumPy: the codes
    alone, for two fifths less work.
    """
    registry: Registry = request.app.state.registry
    async with registry.lend(request.path_params["model"]) as served:
        form = choose(request.headers.get("accept"), (JSON, NPY))
        entries = await _read(request)
        served.encoder.require_room(len(entries))
        prepared = await read_images(entries, served.card.dataset, with_steps=form == JSON)
        images = np.stack([one.image for one in prepared])
        if form == JSON:
            encodings = await _worked_out(request, served.encoder.encode(images), len(images))
            write = partial(_json, served.card.id, encodings, prepared)
            is_quick = len(images) <= MAX_PER_PASS
            content = write() if is_quick else await asyncio.to_thread(write)
            return json_response(content, request.headers.get("accept-encoding"))
        codes = await _worked_out(request, served.encoder.code(images), len(images))
        content = npy(np.concatenate([code.array for code in codes]))
        return Response(content, media_type=form, headers={"Vary": "Accept"})


async def _worked_out(request: Request, work: Coroutine[Any, Any, Result], count: int) -> Result:
    """Await work for as long as the client waits; few images are not worth the watch."""
    return await (work if count <= MAX_PER_PASS else while_connected(request, work))


async def _read(request: Request) -> Mapping[str, object]:
    """Return the images of a request by their JSON pointers, as `read_images` takes them."""
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith(FORM):
        return {f"#/file/{index}": file for index, file in enumerate(await _from_form(request))}
    if media_type(kind) == JSON:
        body = await read_json(request, EncodeBody)
        return {f"#/images/{index}": entry for index, entry in enumerate(body.images)}
    raise unsupported(request, FORM, JSON)


async def _from_form(request: Request) -> list[bytes]:
    try:
        async with request.form(max_files=MAX_IMAGES, max_fields=MAX_IMAGES) as form:
            return await _contents(form)
    except HTTPException as error:
        if isinstance(error, Problem):
            raise
        raise InvalidRequest.at("#", f"The form cannot be read: {error.detail}") from error


async def _contents(form: FormData) -> list[bytes]:
    files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
    if not files or len(files) != len(form.multi_items()):
        came = ", ".join(sorted(form)) or "nothing"
        detail = f"The form holds {came}; it must hold 1 to {MAX_IMAGES} image files named `file`."
        raise InvalidRequest.at("#/file", detail)
    return [await file.read() for file in files]


def _json(model: str, encodings: list[Encoding], prepared: Sequence[Prepared]) -> bytes:
    each = [(encoding, index) for encoding in encodings for index in range(len(encoding))]
    items = [_item(*found, one) for found, one in zip(each, prepared, strict=True)]
    return encode_json({"model": model, "items": items}).encode()


def _item(encoding: Encoding, index: int, ready: Prepared) -> dict[str, object]:
    def pick(name: str) -> Any:
        found = getattr(encoding, name)
        return None if found is None else found[index].tolist()

    return {
        **{name: pick(name) for name in ("mean", "covariance", "indices")},
        "elbo": {name: pick(name) for name in Elbo.model_fields},
        "input": image_json(np.floor(255 * ready.image + 0.5).astype(np.uint8)),
        "reconstruction": image_json(encoding.reconstruction_image[index]),
        "steps": [
            {"name": step.name, "detail": step.detail, "image": image_json(step.image)}
            for step in ready.steps
        ],
    }
