"""From images to posteriors."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
from fastapi import Request
from jaxtyping import Float32
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.decode import served_at
from app.errors import InvalidRequest, Problem
from app.express import Soon
from app.formats.image_files import Prepared
from app.formats.image_limits import is_small
from app.formats.multipart import only_file
from app.formats.preprocessing import SIDE
from app.formats.rendering import ImageJson, encode_json, image_json, npy
from app.formats.uploads import prepared, read_base64, read_file, read_numbers
from app.http.cancellation import while_connected
from app.http.json_body import JsonBody, media_type, read_json, unsupported
from app.http.negotiation import JSON, NPY, by_header, choose
from app.openapi import API, feature
from app.server.http_protocol import Headers, Question, Whole
from app.serving.encode_batcher import Wanted
from app.serving.registry import Registry, Served
from app.serving.response_cache import whole_batch, whole_json
from model.engine import Code, Encoding

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
_CODES = {"schema": {"type": "string", "format": "binary"}}
_FORMS = by_header(JSON, NPY)
"""What is written by the express lane."""
_AFTER = "/encode"
_BODY = {"required": True, "content": {FORM: {"schema": _FILES}, JSON: _WRITTEN}}


@router.post(
    "/encode",
    openapi_extra={"requestBody": _BODY},
    responses={200: {"model": EncodeAnswer, "content": {JSON: {}, NPY: _CODES}}, 406: {}},
    response_class=Response,
    response_model=None,
)
async def encode(request: Request, served: Served) -> Response:
    """Encode 1 to 64 images: files in the form field `file`, or JSON.

    A file is brought to 28 x 28 the way the model's data set was made, and `steps` tells how; one
    that is 28 x 28 on a dark background is taken as it is. `Accept` picks JSON, or NumPy: the codes
    alone, for two fifths less work.
    """
    form = choose(request.headers.get("accept"), (JSON, NPY))
    tell = form == JSON
    kind = media_type(request)
    if kind == FORM:
        ready = await _from_form(request, served.card.dataset, tell)
    elif kind == JSON:
        ready = await _from_json(request, served.card.dataset, tell)
    else:
        raise unsupported(request, FORM, JSON)
    images = np.stack([one.image for one in ready])
    if tell:
        encodings = await while_connected(request, served.encode(images))
        content = _json(served.card.id, encodings, ready)
    else:
        codes = await while_connected(request, served.code(images))
        content = npy(np.concatenate([code.array for code in codes]))
    return Response(content, media_type=form, headers={"Vary": "Accept"})


class QuickEncode:
    """The express lane of encode: one small file alone in a form, prepared with its encoding."""

    route = f"{API}/models/{{model}}/encode"

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def reads(self, target: bytes, headers: Headers, length: int) -> bool:
        """Take a form."""
        return headers.get(b"content-type", b"").startswith(FORM.encode())

    def answer(self, question: Question, path: str, query: str) -> Soon | None:
        """Encode what is the usual upload."""
        served = served_at(self.registry, path, _AFTER)
        form = _FORMS.get(question.headers.get(b"accept", b"*/*"))
        content = only_file(question.headers[b"content-type"], question.body)
        if served is None or form is None or content is None or not is_small(content):
            return None
        upload = _Upload(content, served.card.dataset, tell=form == JSON)
        ask = partial(served.encodes.ask, Wanted(upload.image, whole=upload.tell))
        model = served.card.id
        if upload.tell:
            return Soon(ask, partial(_whole, model, upload, question.headers), model)
        return Soon(ask, _bare, model)


class _Upload:
    """A file, and what it is once it was prepared."""

    def __init__(self, content: bytes, dataset: str, *, tell: bool) -> None:
        self.content, self.dataset, self.tell = content, dataset, tell

    def image(self) -> Float32[np.ndarray, "1 28 28"] | InvalidRequest:
        """Prepare it, or say why that is not possible."""
        found = prepared(self.content, self.dataset, "#/file/0", tell=self.tell)
        if isinstance(found, InvalidRequest):
            return found
        self.ready = found
        return found.image[np.newaxis]


def _whole(model: str, upload: _Upload, headers: Headers, encoding: Encoding) -> Whole:
    return whole_json(_json(model, [encoding], [upload.ready]), headers)


def _bare(code: Code) -> Whole:
    return whole_batch(NPY, npy(code.array))


async def _from_form(request: Request, dataset: str, tell: bool) -> list[Prepared]:
    try:
        async with request.form(max_files=MOST, max_fields=MOST) as form:
            contents = await _contents(form)
    except HTTPException as error:
        if isinstance(error, Problem):
            raise
        raise InvalidRequest.at("#", f"The form cannot be read: {error.detail}") from error
    readings = [
        read_file(one, dataset, f"#/file/{index}", tell=tell) for index, one in enumerate(contents)
    ]
    return await asyncio.gather(*readings)


async def _from_json(request: Request, dataset: str, tell: bool) -> list[Prepared]:
    body = await read_json(request, EncodeRequest)
    ready = []
    for index, entry in enumerate(body.images):
        pointer = f"#/images/{index}"
        if isinstance(entry, str):
            ready.append(await read_base64(entry, dataset, pointer, tell=tell))
        elif isinstance(entry, list):
            ready.append(read_numbers(entry, pointer))
        else:
            detail = "The image is neither base64 text nor 28 lists of 28 numbers."
            raise InvalidRequest.at(pointer, detail)
    return ready


async def _contents(form: FormData) -> list[bytes]:
    files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
    if not files or len(files) != len(form.multi_items()):
        came = ", ".join(sorted(form)) or "nothing"
        detail = f"The form holds {came}; it must hold 1 to {MOST} image files named `file`."
        raise InvalidRequest.at("#/file", detail)
    return [await file.read() for file in files]


def _json(model: str, encodings: list[Encoding], ready: list[Prepared]) -> bytes:
    items = [
        _item(encoding, index, one)
        for (encoding, index), one in zip(_each(encodings), ready, strict=True)
    ]
    return encode_json({"model": model, "items": items}).encode()


def _each(encodings: list[Encoding]) -> Iterator[tuple[Encoding, int]]:
    for encoding in encodings:
        for index in range(len(encoding)):
            yield encoding, index


def _item(encoding: Encoding, index: int, ready: Prepared) -> dict[str, object]:
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
        "input": image_json(np.floor(255 * ready.image + 0.5).astype(np.uint8)),
        "reconstruction": image_json(encoding.reconstruction_image[index]),
        "steps": [
            {"name": step.name, "detail": step.detail, "image": image_json(step.image)}
            for step in ready.steps
        ],
    }
