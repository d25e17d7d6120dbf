"""The OpenAPI document: FastAPI's, with the problem documents added."""

from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from app.errors import MEDIA_TYPE

API = "/api/v1"

_FIELD_ERROR = {
    "type": "object",
    "required": ["pointer", "detail"],
    "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
}
PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457)",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What came, what is allowed, and what to do"},
        "errors": {"type": "array", "items": _FIELD_ERROR},
    },
}

RETRY_AFTER: dict[str, Any] = {
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 1},
        "description": "Seconds until it is worth asking again; left out if nobody can say",
    }
}
"""The header of a refusal that is not for long."""

MODEL_HASH = "Explorer-Model-Hash"
"""The header that tells a client whether a model was retrained."""
_HASH = {
    MODEL_HASH: {
        "schema": {"type": "string"},
        "description": "The model's `sha256`: when it changes, the model was retrained",
    }
}

REFUSALS = {
    400: "What came is no HTTP, or its body is no JSON",
    403: "A page of another site opens a stream",
    404: "Nothing has that name; the detail names what there is",
    406: "Accept asks for none of the forms there are",
    408: "The request did not arrive in time",
    409: "The model has no latents that could be given as numbers",
    413: "The body is larger than this server takes",
    415: "The body is of a kind that this route does not read",
    421: "The Host header names a host that this server does not answer for",
    422: "A parameter, a field, a latent or an image cannot be used",
    426: "The stream is asked for without the upgrade to a WebSocket",
    431: "The head is larger than this server takes",
    503: "Too much is waiting, or the model cannot be loaded now",
}
"""Every status of a problem document that a route may answer, and what it says."""

ANYWHERE = {400, 408, 413, 421, 431, 503}
"""Those that come before any route is reached."""

TAGS = {
    "index": "Where everything is",
    "models": "What models there are, and what each says of itself",
    "measures": "What the numbers in a card mean",
    "datasets": "Test images and their labels",
    "encode": "From images to latents",
    "decode": "From latents to images",
    "interpolate": "Paths between latents",
    "sample": "Images drawn at random",
    "traverse": "One number of a latent at a time",
    "planes": "2-D slices of a latent space",
    "tiles": "The map of a plane",
    "fields": "Numbers for every place of a plane",
    "codes": "The latents of the test images",
    "neighbours": "The codes nearest to a latent",
    "distances": "How far every place of a plane is from a latent",
    "directions": "Which way an attribute of the images grows",
    "projections": "The codes of many dimensions in a picture of two",
    "history": "How a model was trained",
    "stream": "Decoding while a point is dragged",
    "inference": "The Open Inference Protocol (KServe V2)",
    "health": "Probes for operators",
}
"""The features, in the order in which to read of them."""

_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
LATENT_TEXT = {"type": "string", "pattern": f"^{_NUMBER}(,{_NUMBER})*$"}
"""The schema of the parameter `z`."""

NOT_CHANGED = {"description": "If-None-Match names the ETag: nothing has changed"}

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
"""The content of a body that is no text."""


def bytes_of(description: str) -> dict[str, Any]:
    """Return the same with a description."""
    return {"schema": {**BINARY["schema"], "description": description}}


def array(items: dict[str, Any], least: int, most: int, **more: Any) -> dict[str, Any]:
    """Return the schema of an array; `more` says more of it."""
    return {"type": "array", "minItems": least, "maxItems": most, "items": items, **more}


def binary(media_type: str, **more: Any) -> dict[str, Any]:
    """Return a response that is a file; `more` says more of it."""
    return {"content": {media_type: BINARY}, **more}


def parameter(
    name: str, place: str, schema: dict[str, Any], description: str, **more: Any
) -> dict[str, Any]:
    """Return a parameter of an operation; `place` is `path`, `query` or `header`."""
    required = {"required": True} if place == "path" else {}
    described = {"name": name, "in": place, "schema": schema, "description": description}
    return {**described, **required, **more}


MODEL_PARAMETER = parameter(
    "model", "path", {"type": "string", "examples": ["mnist-vae-2d"]}, "Id of a model"
)


def feature(path: str, tag: str) -> APIRouter:
    """Return a feature's router, whose routes stand in the app as they are.

    A router that FastAPI includes is searched three times for each request.
    """
    return APIRouter(
        prefix=API + path, tags=[tag], generate_unique_id_function=lambda route: route.name
    )


def schema_of(model: type[BaseModel]) -> Any:
    """Return the JSON schema of a model, with its parts in place of the references to them.

    It has no titles: by those makers of clients name their classes, and a part may stand twice.
    """
    schema = model.model_json_schema()
    return _expanded(schema, schema.get("$defs", {}))


def _expanded(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_expanded(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    part = parts[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    whole = {
        **part,
        **{key: value for key, value in schema.items() if key not in ("$ref", "$defs")},
    }
    return {
        key: _expanded(value, parts)
        for key, value in whole.items()
        if key != "title" or not isinstance(value, str)
    }


def reads(content: dict[str, Any]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that reads its body by itself, by media type."""
    return {"requestBody": {"required": True, "content": content}}


def reads_json(model: type[BaseModel]) -> dict[str, Any]:
    """Return the same for a route that reads a body of this schema."""
    return reads({"application/json": {"schema": schema_of(model)}})


def describe(app: FastAPI, root_path: str) -> None:
    """Let `app.openapi()` tell of every refusal too, and of the path under which a proxy serves."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        components = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" in components:
            return document
        components["Problem"] = PROBLEM
        document["servers"] = [{"url": root_path or "/", "description": "This server"}]
        document["security"] = []
        document["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        document["components"]["responses"] = {
            f"Problem{status}": _refusal(status, meaning) for status, meaning in REFUSALS.items()
        }
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _tell_refusals(path, operation)
                if "{model}" in path or "{name}" in path:
                    answer = operation["responses"].get("200", {})
                    answer["headers"] = {**answer.get("headers", {}), **_HASH}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _refusal(status: int, meaning: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    refusal = {"description": meaning, "content": {MEDIA_TYPE: {"schema": schema}}}
    return {**refusal, "headers": RETRY_AFTER} if status == 503 else refusal


def _tell_refusals(path: str, operation: dict[str, Any]) -> None:
    """Add the refusals that a route's form tells of to those it names; leave other protocols."""
    responses = operation["responses"]
    if "default" in responses:
        return
    named = {int(status) for status in responses} & set(REFUSALS)
    for status in (named - {422}) | ANYWHERE | _by_form(path, operation):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(responses.items()))


def _by_form(path: str, operation: dict[str, Any]) -> set[int]:
    found = {404} if "{" in path else set()
    has_body = "requestBody" in operation
    if has_body:
        found.add(415)
    operation["responses"].pop("422", None)  # FastAPI lets those with a parameter say so
    if path.startswith(API):
        found.add(422)  # a query may have a parameter that there is not
    if len(operation["responses"].get("200", {}).get("content", {})) > 1:
        found.add(406)
    return found
