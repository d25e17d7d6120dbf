"""The OpenAPI description of `infer`, whose bodies FastAPI does not read or write."""

from typing import Any

from pydantic import BaseModel, Field

from app.http.negotiation import JSON, RAW
from app.kserve.messages import LENGTH, InferenceRequest
from app.openapi import bytes_of, reads, schema_of


class TensorMetadata(BaseModel):
    """An input or an output."""

    name: str
    datatype: str = Field(examples=["FP32"])
    shape: list[int] = Field(description="In metadata -1 is the batch", examples=[[1, 2]])


class OutputJson(TensorMetadata):
    """An output tensor: in `data`, or as bytes after the JSON."""

    data: list[float] | None = Field(None, description="Flat, row by row")
    parameters: dict[str, int] | None = Field(None, examples=[{"binary_data_size": 8}])


class InferenceResponse(BaseModel):
    """What was inferred."""

    model_name: str
    model_version: str
    id: str | None = Field(None, description="The request's, if it had one")
    outputs: list[OutputJson]


def _without_bytes() -> Any:
    """Return the schema of a request that is JSON alone: its numbers are in `data`."""
    schema = schema_of(InferenceRequest)
    given = schema["properties"]["inputs"]["items"]
    given["required"].append("data")
    data, parameters = given["properties"]["data"], given["properties"]["parameters"]
    (numbers,) = (form for form in data.pop("anyOf") if form["type"] == "array")
    data.update(numbers)
    (fields,) = (form for form in parameters["anyOf"] if form["type"] == "object")
    size = fields["properties"]["binary_data_size"]
    size.update({"type": "null", "description": f"Only of {RAW}: the bytes of the tensor"})
    del size["anyOf"]
    return schema


_TENSOR = {"name": "latents", "datatype": "FP32", "shape": [1, 2], "data": [0.5, -1.2]}
_LENGTH: dict[str, Any] = {
    "schema": {"type": "integer", "minimum": 0},
    "description": "Bytes of the body that are JSON, if tensors follow",
}
_JSON_THEN_TENSOR = (
    "JSON whose input has `parameters.binary_data_size` instead of `data`, then the tensor, "
    "little-endian, row by row"
)
_CONTENT = {
    JSON: {"schema": _without_bytes(), "example": {"inputs": [_TENSOR]}},
    RAW: bytes_of(_JSON_THEN_TENSOR),
}

REQUEST = {"parameters": [{"name": LENGTH, "in": "header", **_LENGTH}], **reads(_CONTENT)}
RESPONSE: dict[str, Any] = {
    "model": InferenceResponse,
    "content": {JSON: {}, RAW: bytes_of("JSON, then tensors")},
    "headers": {LENGTH: _LENGTH},
}
