"""Messages: requests are read and responses written as JSON, then the bytes of binary tensors.

Sources: Open Inference Protocol, REST; Triton's binary tensor data extension.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from app.errors import BodyTooLarge, InvalidRequest, NotJson
from app.formats.latents import MAX_LATENTS
from app.http.json_body import MAX_NAME, WHOLE, count_values, most_bytes
from app.kserve.endpoints import DATATYPES, Array, Endpoint
from app.openapi import array

LENGTH = "Inference-Header-Content-Length"
"""The header that says how many bytes of a body are JSON, if tensors follow."""
VERSION = "1"
"""Every model has one version; a model that changes gets another name."""
OTHER_VALUES = 1000
"""Values in the JSON besides those of the tensor: names, shapes, parameters."""

_SIZE = {"type": "integer", "minimum": 1, "maximum": MAX_LATENTS}
_SHAPE = array(_SIZE, 2, 3, examples=[[1, 2]])
_NESTED = {"anyOf": [{"type": "number"}, {"type": "array", "items": {}}]}
_DATA = {"type": "array", "minItems": 1, "items": _NESTED}
"""Schemas that hold for every endpoint, for the OpenAPI document; each checks its own input."""


class _Read(BaseModel):
    """Base of what is read: strict about types; fields that only other servers know are ignored.

    Null says what leaving a field out does.
    """

    model_config = ConfigDict(strict=True)


_Refused = Annotated[Any, WithJsonSchema({"type": "null"})]
"""For fields of other servers that are refused here with the reason."""
_Whole = Annotated[int, WHOLE]


class InputParameters(_Read):
    """How an input comes."""

    binary_data_size: (
        Annotated[_Whole, WithJsonSchema({"type": "integer", "minimum": 4})] | None
    ) = Field(None, description="Its bytes after the JSON")
    shared_memory_region: _Refused = Field(None, description="Refused: there is none")


class RequestInput(_Read):
    """An input tensor: in `data`, or as bytes after the JSON, little-endian, row by row."""

    name: str = Field(examples=["latents"])
    shape: Annotated[list[_Whole], Field(max_length=8), WithJsonSchema(_SHAPE)]
    datatype: Annotated[str, WithJsonSchema({"type": "string", "enum": ["FP32"]})]
    parameters: InputParameters | None = None
    data: Annotated[list[Any], WithJsonSchema(_DATA)] | None = Field(
        None, description="Numbers, flat or nested as `shape` says", examples=[[0.5, -1.2]]
    )


class OutputParameters(_Read):
    """How an output shall come."""

    binary_data: bool | None = Field(None, description="As bytes after the JSON")
    classification: _Refused = Field(None, description="Refused: nothing is classified here")
    shared_memory_region: _Refused = Field(None, description="Refused: there is none")


class RequestOutput(_Read):
    """An output that is wanted."""

    name: str = Field(examples=["images"])
    parameters: OutputParameters | None = None


class RequestParameters(_Read):
    """What holds for the whole request; `priority`, `timeout` and the like are not looked at."""

    binary_data_output: bool | None = Field(
        None, description="All outputs as bytes, but for those that say otherwise"
    )


class InferenceRequest(_Read):
    """What to infer."""

    id: str | None = Field(None, description="Comes back in the answer", max_length=1000)
    parameters: RequestParameters | None = None
    inputs: list[RequestInput] = Field(
        description="Exactly one", json_schema_extra={"minItems": 1, "maxItems": 1}
    )
    outputs: list[RequestOutput] | None = Field(None, description="Those wanted; none is all")


@dataclass(frozen=True)
class ParsedRequest:
    """A request that was read and checked."""

    id: str | None
    tensor: Array
    """The input, of the endpoint's input shape, float32."""
    wanted: Mapping[str, bool]
    """The outputs in their order, and whether each is sent as bytes."""


def read(body: bytes, length: str | None, endpoint: Endpoint) -> ParsedRequest:
    """Read and check the body of a request; `length` is its header `LENGTH`.

    Raises:
        BodyTooLarge: The JSON holds many more values than the endpoint takes.
        NotJson: The JSON cannot be parsed.
        InvalidRequest: The endpoint does not take a field or the tensor.
    """
    size = len(body) if length is None else _header_size(length, len(body))
    _check_size(body[:size], endpoint)
    asked = _parsed(body[:size])
    tensor = _tensor(asked.inputs, body[size:], endpoint)
    parameters = asked.parameters or RequestParameters()
    as_bytes = bool(parameters.binary_data_output)
    wanted = _wanted(asked.outputs or [], as_bytes, endpoint)
    return ParsedRequest(asked.id, endpoint.checked(tensor), wanted)


def write(request: ParsedRequest, endpoint: Endpoint, outputs: Mapping[str, Array]) -> list[bytes]:
    """Return the parts of a response: the JSON, then the bytes of each binary output in order."""
    parts, tensors = [], []
    datatypes = {tensor.name: tensor.datatype for tensor in endpoint.outputs}
    for name, as_bytes in request.wanted.items():
        datatype = datatypes[name]
        array = np.ascontiguousarray(outputs[name], DATATYPES[datatype])
        tensor = {"name": name, "datatype": datatype, "shape": array.shape}
        if as_bytes:
            parts.append(array.tobytes())
            tensors.append(_json({**tensor, "parameters": {"binary_data_size": array.nbytes}}))
        else:
            tensors.append(_with(_json(tensor), "data", map(_numbers, array)))
    response = {"model_name": endpoint.name, "model_version": VERSION}
    if request.id is not None:
        response["id"] = request.id
    return [_with(_json(response), "outputs", tensors).encode(), *parts]


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _with(written: str, key: str, entries: Iterable[str]) -> str:
    """Return a JSON object with a list added, whose entries are JSON already."""
    return f'{written[:-1]},"{key}":[{",".join(entries)}]}}'


def _numbers(row: Array) -> str:
    return _json(row.ravel().tolist())[1:-1]


def _header_size(text: str, most: int) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 12 and int(text) <= most:
        return int(text)
    raise InvalidRequest(
        f"{LENGTH} is not a whole number of bytes up to {most}, the body's own length. It counts "
        "the JSON before the tensors; leave it out if there are none."
    )


def _check_size(content: bytes, endpoint: Endpoint) -> None:
    """Refuse JSON of too many values or bytes before it is parsed, which would take seconds."""
    max_values = 2 * endpoint.max_rows * math.prod(endpoint.input.shape[1:]) + OTHER_VALUES
    max_bytes = most_bytes(max_values)
    rows = f"{endpoint.max_rows} rows of {endpoint.input.name}"
    way_out = "Send fewer at once, or as bytes after the JSON."
    if count_values(content) > max_values:
        raise BodyTooLarge(
            f"The JSON holds more than {max_values} values; {rows} are fewer. {way_out}"
        )
    if len(content) > max_bytes:
        raise BodyTooLarge(
            f"The JSON has {len(content)} bytes; {rows} need no more than {max_bytes}. {way_out}"
        )


def _parsed(content: bytes) -> InferenceRequest:
    try:
        return InferenceRequest.model_validate(json.loads(content))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "#" + "".join(f"/{step}" for step in fault["loc"])
        raise InvalidRequest.at(pointer, f"{pointer}: {fault['msg']}. See /docs.") from error
    except (ValueError, RecursionError) as error:
        raise NotJson.because(error) from error


def _tensor(inputs: Sequence[RequestInput], content: bytes, endpoint: Endpoint) -> Array:
    """Return the input of the endpoint: float32 from bytes, float64 from JSON."""
    takes = endpoint.input
    if [one.name for one in inputs] != [takes.name]:
        came = ", ".join(ascii(one.name)[1:-1][:MAX_NAME] for one in inputs[:3]) or "none"
        detail = f"inputs must hold one tensor, {takes.name}; {len(inputs)} came: {came}."
        raise InvalidRequest.at("#/inputs", f"{detail} See GET /v2/models/{endpoint.name}")
    (given,) = inputs
    if fault := _fault(given, content, endpoint):
        place, detail = fault
        raise InvalidRequest.at(f"#/inputs/0{place}", detail)
    if given.data is None:
        return np.frombuffer(content, DATATYPES[takes.datatype]).reshape(given.shape)
    return _from_json(given.data, given.shape, takes.name)


def _fault(given: RequestInput, content: bytes, endpoint: Endpoint) -> tuple[str, str] | None:
    """Return where an input is wrong and why; the numbers of its `data` are not looked at."""
    parameters = given.parameters or InputParameters()
    takes, shape, size = endpoint.input, given.shape, parameters.binary_data_size
    _, *rest = takes.shape
    if parameters.shared_memory_region is not None:
        return "/parameters", "This server shares no memory. Send the tensor in the body."
    if given.datatype != takes.datatype:
        return "/datatype", f"{takes.name} must be of the datatype {takes.datatype}. Convert it."
    if shape[1:] != rest or not shape or not 1 <= shape[0] <= endpoint.max_rows:
        return "/shape", (
            f"{takes.name} of {endpoint.name} must have the shape [N, {', '.join(map(str, rest))}]"
            f", N from 1 to {endpoint.max_rows}; shape says otherwise."
        )
    if size is not None:
        needed = math.prod(shape) * DATATYPES[takes.datatype].itemsize
        if given.data is not None:
            return "/data", f"{takes.name} has both data and binary_data_size. Send one of them."
        if not size == needed == len(content):
            return "/parameters/binary_data_size", (
                f"{takes.name} takes {needed} bytes by its shape, and {len(content)} follow the "
                f"JSON; binary_data_size must say so too, and {LENGTH} where the JSON ends."
            )
    elif content:
        return "", f"{len(content)} bytes follow the JSON, and no input has a binary_data_size."
    elif not given.data:
        return "/data", (
            f"{takes.name} has no data: neither numbers, nor binary_data_size and bytes."
        )
    return None


def _from_json(data: list[Any], shape: list[int], name: str) -> Array:
    detail = f"The data of {name} does not fit its shape, flat or nested."
    numbers: list[Any] = [data]
    for size in shape if isinstance(data[0], list) else [math.prod(shape)]:
        if any(type(part) is not list or len(part) != size for part in numbers):
            raise InvalidRequest.at("#/inputs/0/data", detail)
        numbers = list(chain.from_iterable(numbers))
    try:
        if set(map(type, numbers)) <= {int, float}:
            return np.array(numbers, np.float64).reshape(shape)
    except OverflowError:  # a whole number too large for a float
        pass
    raise InvalidRequest.at("#/inputs/0/data", f"The data of {name} holds what is no number.")


def _wanted(
    outputs: Sequence[RequestOutput], as_bytes: bool, endpoint: Endpoint
) -> dict[str, bool]:
    names = [tensor.name for tensor in endpoint.outputs]
    if len({one.name for one in outputs} & set(names)) != len(outputs):
        detail = f"outputs must name each of {', '.join(names)} at most once, and nothing else."
        raise InvalidRequest.at("#/outputs", detail)
    wanted = {}
    for index, one in enumerate(outputs):
        asks = one.parameters or OutputParameters()
        if asks.classification is not None or asks.shared_memory_region is not None:
            detail = "Outputs come as they are, in the answer: no classes, no shared memory."
            raise InvalidRequest.at(f"#/outputs/{index}/parameters", detail)
        wanted[one.name] = as_bytes if asks.binary_data is None else asks.binary_data
    return wanted or dict.fromkeys(names, as_bytes)
