"""JSON bodies: their media type, their bounds, and how they are read."""

import json
import math
from email.message import Message
from functools import lru_cache
from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, from_json

from app.errors import BodyTooLarge, InvalidRequest, NotJson, UnsupportedMedia, unknown
from app.http.negotiation import JSON


class JsonBody(BaseModel):
    """Base of the JSON bodies: a field of the wrong type or name is refused, not converted."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For a field of type int: takes 16.0 too, as JSON Schema's integer does."""

Body = TypeVar("Body", bound=JsonBody)
MAX_FIELDS = 1000
"""Of one JSON body, those of nested objects among them; colons within texts are counted too."""
MAX_NAME = 64
"""Characters of an unknown name that are repeated to the client."""
NUMBER_BYTES = 64
"""That a number in JSON may take; most take 22. Parsing takes time in the square of the digits."""
OTHER_BYTES = 64 * 1024
"""That a JSON body may take besides its numbers."""


def most_bytes(numbers: int) -> int:
    """Return the bytes that a JSON body with so many numbers may take."""
    return OTHER_BYTES + NUMBER_BYTES * numbers


def count_values(content: bytes) -> int:
    """Return an upper bound on the values in (a piece of) JSON, by its commas and brackets."""
    return sum(map(content.count, (b",", b"[", b"{")))


@lru_cache(maxsize=256)
def media_type(header: str | None) -> str:
    """Return the media type of a Content-Type in lower case; "" if there is none."""
    message = Message()
    message["content-type"] = header or ""
    return message.get_content_type() if header else ""


def unsupported(request: Request, *taken: str) -> UnsupportedMedia:
    """Return the refusal of a body that is of none of the types taken."""
    kind = media_type(request.headers.get("content-type"))
    came = f"is {kind}" if kind else "is missing"
    *others, last = taken
    listed = f"{', '.join(others)} and {last}" if others else last
    return UnsupportedMedia(f"Content-Type {came}; this route reads {listed}.")


async def read_json(request: Request, schema: type[Body], *, max_bytes: float = math.inf) -> Body:
    """Read a JSON body of at most `max_bytes`, as `parse_json` does."""
    return parse_json(await request.body(), schema, max_bytes=max_bytes)


def parse_json(body: bytes, schema: type[Body], *, max_bytes: float = math.inf) -> Body:
    """Parse a JSON body of at most `max_bytes`.

    Raises:
        NotJson: It cannot be parsed.
        BodyTooLarge: It is longer, or names more fields than any body here has.
        InvalidRequest: It is no object.
        RequestValidationError: It does not have the fields of `schema`.
    """
    if body.count(b":") > MAX_FIELDS:
        raise BodyTooLarge(
            f"The JSON names more than {MAX_FIELDS} fields, more than any request here has. Send "
            "only those that /docs describes."
        )
    if len(body) > max_bytes:
        raise BodyTooLarge(
            f"The JSON is longer than {max_bytes} bytes, more than this request needs with every "
            "number written out. Send fewer digits."
        )
    try:
        content = from_json(body)  # takes a third of the time of json.loads
    except ValueError:
        try:
            content = json.loads(body)  # accepts more, and its errors say more
        except (ValueError, RecursionError) as error:
            raise NotJson.because(error) from error
    if not isinstance(content, dict):
        raise InvalidRequest.at("#", "The body is JSON, but no object. Send one with named fields.")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        entries = [
            {**entry, "loc": ("body", *entry["loc"]), "msg": _message(entry, schema)}
            for entry in error.errors()
        ]
        raise RequestValidationError(entries) from error


def _message(entry: ErrorDetails, schema: type[BaseModel]) -> str:
    """Return pydantic's message, or our own where that speaks of Python or says too little."""
    if entry["type"] == "model_type":
        return "Input should be an object"
    if entry["type"] != "extra_forbidden":
        return entry["msg"]
    *path, name = entry["loc"]
    for step in path:
        part = schema.model_fields[str(step)].annotation
        assert isinstance(part, type), "no body nests in another way"
        assert issubclass(part, BaseModel)
        schema = part
    return unknown("field", str(name)[:MAX_NAME], list(schema.model_fields))


async def read_only_json(
    request: Request, schema: type[Body], *, max_bytes: float = math.inf
) -> Body:
    """Read the body of a route that takes JSON alone, as `read_json` does; refuse other kinds."""
    if media_type(request.headers.get("content-type")) != JSON:
        raise unsupported(request, JSON)
    return await read_json(request, schema, max_bytes=max_bytes)
