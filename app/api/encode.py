"""POST encode: posteriors of images."""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.formparsers import MultiPartException

from app.errors import InvalidRequest, unknown
from app.formats import npy, readings
from app.formats.rendering import ImageJson, encode_json, image_json, json_response
from app.formats.uploads import MAX_IMAGES, in_thread, read_images
from app.http.cancellation import while_connected
from app.http.form_body import parse_form
from app.http.json_body import MAX_NAME, JsonBody, media_type, parse_json, unsupported
from app.http.negotiation import JSON, NPY, choose
from app.http.turns import Turns
from app.openapi import BINARY, MODEL_PARAMETER, array, bytes_of, feature, parameter, reads
from app.serving.encode_batcher import MAX_PER_PASS
from app.serving.registry import Registry
from model.engine import AS_SEEN, Code, Prepared, Reading

Result = TypeVar("Result")
router = feature("/models/{model}", "encode")

FORM = "multipart/form-data"
SMALL_BODY = 8 * 1024
"""Bytes that are parsed in the event loop, one body in a turn: in a thread, fifty forms of four
images are parsed in one go, and a drag beside them waits twice as long."""


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
    """What a model makes of one image; what it has no notion of is null.

    With `include` the fields that it does not name are left out.
    """

    model_config = ConfigDict(json_schema_extra={"required": []})
    mean: list[float] | None = Field(description="The code; null for `vqvae`")
    covariance: list[list[float]] | None = Field(description="Of the posterior; null but for `vae`")
    indices: list[list[int]] | None = Field(
        description="Codebook entries, row by row from the top; null but for `vqvae`"
    )
    elbo: Elbo
    input: ImageJson = Field(description="What was encoded: the upload at the size of the images")
    reconstruction: ImageJson = Field(description="The decode of the mean or the indices")
    steps: list[StepJson]


FIELDS = frozenset(EncodedItem.model_fields)
OF_DECODER = {"elbo", "reconstruction"}
"""The fields that need a decode; for the others the code is enough."""


class EncodeResponse(BaseModel):
    """The posteriors, in the order of the images."""

    model: str
    items: list[EncodedItem]


def _object(name: str, image: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with a list of images, and what is said of a single one."""
    properties = {name: array(image, 1, MAX_IMAGES), **more}
    fields = {"required": [name], "properties": properties}
    return {"type": "object", "additionalProperties": False, **fields}


_NUMBER = {"type": "number", "minimum": 0, "maximum": 1}
_GREY, _COLOUR = array(_NUMBER, 8, 128), array(array(_NUMBER, 3, 3), 8, 128)
_ROWS = [
    array(_GREY, 8, 128, description="Of a grey model: its rows of numbers, 0 = background"),
    array(_COLOUR, 8, 128, description="Of one in colour: its rows of red, green and blue"),
]
_BASE64 = {"type": "string", "format": "byte", "description": "An image file in base64"}
_IMAGE = {"anyOf": [_BASE64, *_ROWS]}
_STROKE = (  # a PNG of MNIST's size
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAHklEQVR4AWNgGLLgPxDgdPyoJDBohlYg4IzLwSIBACOXP8"
    "FJuTsTAAAAAElFTkSuQmCC"
)
_OF_FILES = _object("file", BINARY["schema"], readings.FORM_SCHEMAS)
_OF_IMAGES = _object("images", _IMAGE, readings.JSON_SCHEMAS)
_CONTENT = {
    FORM: {"schema": _OF_FILES},
    JSON: {"schema": _OF_IMAGES, "example": {"images": [_STROKE]}},
    NPY: bytes_of(
        "A NumPy file: N x H x W, or N x H x W x 3 in colour; whole numbers from 0 to 255 or "
        "floats from 0 to 1"
    ),
    "image/*": bytes_of("An image file"),
}
_ANY = f"({'|'.join(EncodedItem.model_fields)})"
_INCLUDE = {"type": "string", "pattern": f"^{_ANY}(,{_ANY})*$"}
_INCLUDE_MEANING = "The fields of the items that are wanted, with commas between; all if left out"


@router.post(
    "/encode",
    openapi_extra={
        "parameters": [
            MODEL_PARAMETER,
            parameter("include", "query", _INCLUDE, _INCLUDE_MEANING, example="mean,elbo"),
        ],
        **reads(_CONTENT),
    },
    responses={200: {"model": EncodeResponse, "content": {JSON: {}, NPY: BINARY}}, 422: {}},
    response_class=Response,
    response_model=None,
)
async def encode(request: Request) -> Response:
    """Encode 1 to 64 images: files in the form field `file`, JSON, a NumPy file, or an image file.

    A file is brought to the shape of the model's images the way its data set was made, and `steps`
    tells how; one that has this form already is taken as it is. A blank file is refused, for there
    is nothing to find in it. Numbers of that shape are taken as they are, blank ones too.

    `Accept` picks JSON, or NumPy: the codes alone, for two fifths less work, as is JSON that
    includes nothing decoded.

    Where the preparation of a single file would guess wrong, `box`, `at`, `polarity` and
    `brightness` say what is meant.
    """
    registry: Registry = request.app.state.registry
    async with registry.lend(request.path_params["model"]) as served:
        media = choose(request.headers.get("accept"), (JSON, NPY))
        include = _read_include(request) if media == JSON else frozenset({"mean"})
        entries, said = await _read(request)
        with served.encoder.kept(len(entries)) as place:
            with_steps = "steps" in include
            form = served.engine.form
            prepared = await read_images(entries, form, reading=said, with_steps=with_steps)
            images = np.stack([one.image for one in prepared])
            work: Coroutine[Any, Any, Sequence[Code]]
            if include.isdisjoint(OF_DECODER):
                work = served.encoder.code(images, place)
            else:
                work = served.encoder.encode(images, place)
            found: Sequence[Code] = await _worked_out(request, work, len(images))
        if media == JSON:
            coding = request.headers.get("accept-encoding")
            answer = partial(_json, served.card.id, found, prepared, include, coding)
            return answer() if len(images) <= MAX_PER_PASS else await in_thread(answer)
        content = npy.write(np.concatenate([code.array for code in found]))
        return Response(content, media_type=media, headers={"Vary": "Accept"})


def _read_include(request: Request) -> frozenset[str]:
    text = request.query_params.get("include")
    include = FIELDS if text is None else frozenset(text.split(","))
    if others := sorted(include - FIELDS):
        name = others[0][:MAX_NAME] or "An empty name"
        detail = unknown("field of an item", name, [*EncodedItem.model_fields])
        raise InvalidRequest.at("?include", detail)
    return include


async def _worked_out(request: Request, work: Coroutine[Any, Any, Result], count: int) -> Result:
    """Await work for as long as the client waits; few images are not worth the watch."""
    return await (work if count <= MAX_PER_PASS else while_connected(request, work))


async def _read(request: Request) -> tuple[Mapping[str, object], Reading]:
    """Return the images of a request by their JSON pointers, and what it says of them."""
    kind = request.headers.get("content-type", "")
    body = b"".join([piece async for piece in request.stream()])
    turns: Turns = request.app.state.turns
    await turns.next()
    work = partial(_entries, request, kind, body)
    entries, said = work() if len(body) <= SMALL_BODY else await in_thread(work)
    if len(entries) > 1 and said != AS_SEEN:
        names = ", ".join(f"`{name}`" for name in readings.NAMES)
        detail = f"{len(entries)} images came; {names} are said of one alone. Send one at a time."
        raise InvalidRequest.at("#", detail)
    return entries, said


def _entries(request: Request, kind: str, body: bytes) -> tuple[Mapping[str, object], Reading]:
    if kind.lower().startswith(FORM):
        return _from_form(kind, body)
    if media_type(kind) == JSON:
        content = parse_json(body, EncodeBody)
        said = readings.from_json(content.model_dump(include=set(readings.NAMES)))
        return {f"#/images/{index}": entry for index, entry in enumerate(content.images)}, said
    if media_type(kind) == NPY:
        images = npy.read(body, 3, 4)
        if not 0 < len(images) <= MAX_IMAGES:
            detail = f"The array has {len(images)} images; 1 to {MAX_IMAGES} are encoded at once."
            raise InvalidRequest.at("#", detail)
        return {f"#/{index}": image for index, image in enumerate(images)}, AS_SEEN
    if media_type(kind).startswith("image/"):
        return {"#": body}, AS_SEEN
    raise unsupported(request, FORM, JSON, NPY, "image files")


def _from_form(kind: str, body: bytes) -> tuple[Mapping[str, object], Reading]:
    try:
        form = parse_form(kind, body, MAX_IMAGES)
    except MultiPartException as error:
        raise InvalidRequest.at("#", f"The form cannot be read: {error.message}") from error
    files = [content for name, content in form if name == "file" and isinstance(content, bytes)]
    texts = {name: text for name, text in form if name in readings.NAMES and isinstance(text, str)}
    if not files or len(files) + len(texts) != len(form):
        came = ", ".join(sorted({name for name, _ in form})) or "nothing"
        names = ", ".join(f"`{name}`" for name in readings.NAMES)
        detail = (
            f"The form holds {came}; it must hold 1 to {MAX_IMAGES} image files named `file`, and "
            f"besides one may hold {names}, each once."
        )
        raise InvalidRequest.at("#/file", detail)
    said = readings.from_form(texts)
    return {f"#/file/{index}": content for index, content in enumerate(files)}, said


def _json(
    model: str,
    found: Sequence[Code],
    prepared: Sequence[Prepared],
    include: Collection[str],
    accept_encoding: str | None,
) -> Response:
    each = [(encoding, index) for encoding in found for index in range(len(encoding))]
    items = [_item(*one, ready, include) for one, ready in zip(each, prepared, strict=True)]
    content = encode_json({"model": model, "items": items}).encode()
    return json_response(content, accept_encoding)


def _item(
    encoding: Code, index: int, ready: Prepared, include: Collection[str]
) -> dict[str, object]:
    def pick(name: str) -> Any:
        found = getattr(encoding, name)
        return None if found is None else found[index]

    def plain(name: str) -> Any:
        found = pick(name)
        return None if found is None else found.tolist()

    make: dict[str, Callable[[], object]] = {
        **{name: partial(plain, name) for name in ("mean", "covariance", "indices")},
        "elbo": lambda: {name: plain(name) for name in Elbo.model_fields},
        "input": lambda: image_json(np.floor(255 * ready.image + 0.5).astype(np.uint8)),
        "reconstruction": lambda: image_json(pick("reconstruction_image")),
        "steps": lambda: [
            {"name": step.name, "detail": step.detail, "image": image_json(step.image)}
            for step in ready.steps
        ],
    }
    return {name: one() for name, one in make.items() if name in include}
