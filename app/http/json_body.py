"""What the body of a request may be."""

import json
from email.message import Message
from typing import TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import from_json

from app.errors import InvalidRequest, NotJson, UnsupportedMedia
from app.http.negotiation import JSON


class JsonBody(BaseModel):
    """Base of the JSON bodies: a field of the wrong type or name is refused, not bent."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For a field of type int: takes 16.0 too, as JSON Schema's integer does."""

Body = TypeVar("Body", bound=JsonBody)


def count_values(content: bytes) -> int:
    """Bound the values in (a piece of) JSON without parsing it, which may take seconds.

    Each stands after a comma or a bracket; signs within texts are counted too.
    """
    return sum(map(content.count, (b",", b"[", b"{")))


def media_type(request: Request) -> str:
    """Give the body's media type in lower case, without its parameters; "" if it says none."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    return message.get_content_type() if message["content-type"] else ""


def unsupported(request: Request, *taken: str) -> UnsupportedMedia:
    """Make the refusal of a body that is of none of the types taken."""
    came = f"is {media_type(request)}" if media_type(request) else "is missing"
    return UnsupportedMedia(f"Content-Type {came}; this route reads {' and '.join(taken)}.")


async def _require_json(request: Request) -> None:
    if media_type(request) != JSON:
        raise unsupported(request, JSON)


only_json = Depends(_require_json)
"""A route's dependency: the body must say that it is JSON."""


async def read_json(request: Request, schema: type[Body]) -> Body:
    """Read a JSON body, in a route that FastAPI cannot read it for.

    Raises:
        NotJson: it cannot be parsed.
        InvalidRequest: it is no object.
        RequestValidationError: it does not have the fields of `schema`.
    """
    body = await request.body()
    try:
        content = from_json(body)  # in a third of the time
    except ValueError:
        try:
            content = json.loads(body)  # which takes more, and says better what it does not
        except (ValueError, RecursionError) as error:
            raise NotJson.because(error) from error
    if not isinstance(content, dict):
        raise InvalidRequest.at("#", "The body is JSON, but no object. Send one with named fields.")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        entries = [{**entry, "loc": ("body", *entry["loc"])} for entry in error.errors()]
        raise RequestValidationError(entries) from error
