"""POST encode: posteriors of images."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from app.errors import InvalidRequest, Problem
from app.formats import readings
from app.formats.rendering import ImageJson, encode_json, image_json, json_response, npy
from app.formats.uploads import MAX_IMAGES, read_images
from app.http.cancellation import while_connected
from app.http.json_body import JsonBody, media_type, read_json, unsupported
from app.http.negotiation import JSON, NPY, choose
from app.openapi import BINARY, MODEL_PARAMETER, array, feature, reads
from app.serving.encode_batcher import MAX_PER_PASS
from app.serving.registry import Registry
from model.engine import AS_SEEN, IMAGE_SIDE, Encoding, Prepared, Reading

Result = TypeVar("Result")
router = feature("/models/{model}", "encode")

FORM = "multipart/form-data"


class EncodeBody(JsonBody):
    """Images to encode; of a single one, what `readings` reads."""

    images: Annotated[list[Any], Field(min_length=1, max_length=MAX_IMAGES)]
    box: Any = None
    at: Any = None
    polarity: Any = None
    brightness: Any = None


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


def _object(name: str, image: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with a list of images, and what is said of a single one."""
    properties = {name: array(image, 1, MAX_IMAGES), **more}
    fields = {"required": [name], "properties": properties}
    return {"type": "object", "additionalProperties": False, **fields}


_ROW = array({"type": "number", "minimum": 0, "maximum": 1}, IMAGE_SIDE, IMAGE_SIDE)
_ROWS = array(_ROW, IMAGE_SIDE, IMAGE_SIDE, description="28 rows of 28 numbers, 0 = background")
_BASE64 = {"type": "string", "format": "byte", "description": "An image file in base64"}
_IMAGE = {"anyOf": [_BASE64, _ROWS]}
_STROKE = (  # a PNG of 28 x 28
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAHklEQVR4AWNgGLLgPxDgdPyoJDBohlYg4IzLwSIBACOXP8"
    "FJuTsTAAAAAElFTkSuQmCC"
)
_OF_FILES = _object("file", BINARY["schema"], readings.FORM_SCHEMAS)
_OF_IMAGES = _object("images", _IMAGE, readings.JSON_SCHEMAS)
_CONTENT = {
    FORM: {"schema": _OF_FILES},
    JSON: {"schema": _OF_IMAGES, "example": {"images": [_STROKE]}},
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

    Where the preparation of a single file would guess wrong, `box`, `at`, `polarity` and
    `brightness` say what is meant.
    """
    registry: Registry = request.app.state.registry
    async with registry.lend(request.path_params["model"]) as served:
        form = choose(request.headers.get("accept"), (JSON, NPY))
        prepared = await _read(request, served.engine.card.dataset, form == JSON)
        images = np.stack([one.image for one in prepared])
        if form == JSON:
            encodings = await _worked_out(request, served.encoder.encode(images), len(images))
            content = _json(served.engine.card.id, encodings, prepared)
            return json_response(content, request.headers.get("accept-encoding"))
        codes = await _worked_out(request, served.encoder.code(images), len(images))
        content = npy(np.concatenate([code.array for code in codes]))
        return Response(content, media_type=form, headers={"Vary": "Accept"})


async def _worked_out(request: Request, work: Coroutine[Any, Any, Result], count: int) -> Result:
    """Await work for as long as the client waits; few images are not worth the watch."""
    return await (work if count <= MAX_PER_PASS else while_connected(request, work))


async def _read(request: Request, dataset: str, tell: bool) -> list[Prepared]:
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith(FORM):
        return await _from_form(request, dataset, tell)
    if media_type(kind) == JSON:
        return await _from_json(request, dataset, tell)
    raise unsupported(request, FORM, JSON)


async def _from_form(request: Request, dataset: str, with_steps: bool) -> list[Prepared]:
    try:
        async with request.form(max_files=MAX_IMAGES, max_fields=MAX_IMAGES) as form:
            contents = await _contents(form)
            said = readings.from_form(_texts(form))
    except HTTPException as error:
        if isinstance(error, Problem):
            raise
        raise InvalidRequest.at("#", f"The form cannot be read: {error.detail}") from error
    files = {f"#/file/{index}": content for index, content in enumerate(contents)}
    return await _prepared(files, dataset, said, with_steps)


async def _from_json(request: Request, dataset: str, with_steps: bool) -> list[Prepared]:
    body = await read_json(request, EncodeBody)
    images = {f"#/images/{index}": entry for index, entry in enumerate(body.images)}
    said = readings.from_json(body.model_dump(include=set(readings.NAMES)))
    return await _prepared(images, dataset, said, with_steps)


async def _prepared(
    images: Mapping[str, object], dataset: str, said: Reading, with_steps: bool
) -> list[Prepared]:
    if len(images) > 1 and said != AS_SEEN:
        names = ", ".join(f"`{name}`" for name in readings.NAMES)
        detail = f"{len(images)} images came; {names} are said of one alone. Send one at a time."
        raise InvalidRequest.at("#", detail)
    return await read_images(images, dataset, reading=said, with_steps=with_steps)


async def _contents(form: FormData) -> list[bytes]:
    files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
    if not files or len(files) + len(_texts(form)) != len(form.multi_items()):
        came = ", ".join(sorted(form)) or "nothing"
        names = ", ".join(f"`{name}`" for name in readings.NAMES)
        detail = (
            f"The form holds {came}; it must hold 1 to {MAX_IMAGES} image files named `file`, and "
            f"besides one may hold {names}, each once."
        )
        raise InvalidRequest.at("#/file", detail)
    return [await file.read() for file in files]


def _texts(form: FormData) -> dict[str, str]:
    """Return the fields of a form that say how its image is to be read."""
    fields = {name: form.get(name) for name in readings.NAMES}
    return {name: text for name, text in fields.items() if isinstance(text, str)}


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
