"""The OpenAPI document: FastAPI's, with the raw routes and the problem documents added."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.routing import Route, WebSocketRoute

from app.errors import MEDIA_TYPE

API = "/api/v1"

PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457)",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {
            "type": "string",
            "description": "What came, what is allowed, and what to do",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

MODEL_PARAMETER = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "examples": ["mnist-vae-2d"]},
    "description": "Id of a model",
}


@dataclass(frozen=True)
class RawRoute:
    """A route that FastAPI does not see, and its OpenAPI operation."""

    route: Route | WebSocketRoute
    operation: dict[str, Any]


def describe(app: FastAPI, raw: list[RawRoute]) -> None:
    """Let `app.openapi()` tell of every route and of every refusal."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        components = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" in components:
            return document
        components["Problem"] = PROBLEM
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        for entry in raw:
            document["paths"].setdefault(entry.route.path_format, {})["get"] = entry.operation
        refusal = {
            "description": "Refused: a problem document says why",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = refusal
        return document

    app.openapi = openapi  # type: ignore[method-assign]
