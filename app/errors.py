"""Every refusal, as one problem document (RFC 9457).

    Problem
      + NotHttp             400  what came is no HTTP
      + NotJson             400  the body cannot be parsed
      + ForeignOrigin       403  a page of another site opens a stream
      + NotFound            404  no model, plane, tile, data set or image of that name
      + NotAcceptable       406  the Accept header asks for a form we do not have
      + TooSlow             408  the head or the body did not arrive in time
      + Undecodable         409  the model has no latents that could be given as numbers
      + BodyTooLarge        413  the body is larger than the server takes
      + UnsupportedMedia    415  the body is of a kind the route does not read
      + WrongHost           421  the Host header names a host we do not answer for
      + InvalidRequest      422  a field, a latent or an image that cannot be used
      + HeadTooLarge        431  the request's head is larger than the server takes
      + Overloaded          503  too much is waiting already, or the models in use fill the memory
      + Unavailable         503  a model cannot be loaded, or its test images not be read
      + NotReady            503  the default model cannot decode now, or the server is stopping

`LatentError` and `ImageError` of the model become `InvalidRequest`, `PlaneError` becomes
`NotFound`, `UndecodableError` `Undecodable`, `DataError` `Unavailable`; what Starlette and FastAPI
raise keeps its status. A problem never echoes its input: NaN could not be written as JSON.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import ClassVar

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.errors import DataError, ImageError, LatentError, PlaneError, UndecodableError

log = logging.getLogger("explorer")

MEDIA_TYPE = "application/problem+json"

FieldError = dict[str, str]
"""`pointer` (a JSON pointer such as `#/latents/3`, or `?size` for a query) and `detail`."""


class Problem(HTTPException):
    """A refusal; `detail` says what came, what is allowed, and the way out."""

    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(self.status, detail, headers)
        self.errors = list(errors)

    def response(self) -> Response:
        kind = "urn:latent-explorer:" + self.title.lower().replace(" ", "-")
        return _document(self.status, kind, self.title, self.detail, self.errors, self.headers)


class NotHttp(Problem):
    status, title = 400, "Not HTTP"


class NotJson(Problem):
    status, title = 400, "Not JSON"

    @classmethod
    def because(cls, error: Exception) -> "NotJson":
        """Say where the parser stopped, or that it met nesting without end."""
        reason = (
            f"{error.msg} at character {error.pos}"
            if isinstance(error, json.JSONDecodeError)
            else "it cannot be read"
        )
        return cls(f"The body is not JSON: {reason}. Send one JSON object.")


class ForeignOrigin(Problem):
    status, title = 403, "Foreign origin"


class NotFound(Problem):
    status, title = 404, "Not found"


class NotAcceptable(Problem):
    status, title = 406, "Not acceptable"


class TooSlow(Problem):
    status, title = 408, "Too slow"


class Undecodable(Problem):
    status, title = 409, "Undecodable"


class BodyTooLarge(Problem):
    status, title = 413, "Body too large"


class UnsupportedMedia(Problem):
    status, title = 415, "Unsupported media type"


class WrongHost(Problem):
    status, title = 421, "Wrong host"


class InvalidRequest(Problem):
    status, title = 422, "Invalid request"

    @classmethod
    def at(cls, pointer: str, detail: str) -> "InvalidRequest":
        """Refuse one field."""
        return cls(detail, errors=[{"pointer": pointer, "detail": detail}])


class HeadTooLarge(Problem):
    status, title = 431, "Head too large"


class Overloaded(Problem):
    status, title = 503, "Overloaded"

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


class Unavailable(Problem):
    status, title = 503, "Unavailable"


class NotReady(Problem):
    status, title = 503, "Not ready"


def install(app: FastAPI) -> None:
    """Let `app` answer every exception with a problem document."""
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    for kind in (LatentError, ImageError, PlaneError, DataError, UndecodableError):
        app.add_exception_handler(kind, _model_problem)
    app.add_exception_handler(ClientDisconnect, _client_gone)


async def _http_problem(_: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return error.response()
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and isinstance(error.__cause__, ValueError | RecursionError):
        return NotJson.because(error.__cause__).response()
    detail = error.detail
    if error.status_code == 404:
        detail = "Nothing is served under this path. All routes are described at /docs."
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"This path does not take that method; it takes {allowed}. See /docs."
    title = HTTPStatus(error.status_code).phrase
    return _document(error.status_code, "about:blank", title, detail, [], error.headers)


async def _validation_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.__cause__, json.JSONDecodeError):
        return NotJson.because(error.__cause__).response()
    errors = [_field_error(entry) for entry in error.errors()]
    listed = "; ".join(f"{entry['pointer']}: {entry['detail']}" for entry in errors[:3])
    return InvalidRequest(f"{listed}. See /docs.", errors=errors).response()


async def _model_problem(_: Request, error: Exception) -> Response:
    problem = _refusal(error)
    assert problem is not None
    return problem.response()


def _refusal(error: Exception) -> Problem | None:
    """Give what a domain error is to a client."""
    match error:
        case Problem():
            return error
        case LatentError() | ImageError():
            return InvalidRequest(str(error))
        case PlaneError():
            return NotFound(str(error))
        case UndecodableError():
            return Undecodable(str(error))
        case DataError():
            log.error("A data set cannot be read: %s", error)  # it names a file
            return Unavailable(
                "The test images that this needs cannot be read now; the server's log says why."
            )
    return None


def answer_to(error: Exception, method: str) -> Response:
    """Answer a request in which this went wrong, for who is not called by FastAPI."""
    problem = _refusal(error)
    if problem is not None:
        return problem.response()
    log.error("A defect; the server answers 500 to a %s", method, exc_info=error)
    detail = "The server failed; its log says where. The same request may work again later."
    return _document(500, "about:blank", HTTPStatus(500).phrase, detail, [])


async def _client_gone(_: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nginx's number for it: nobody reads this but the log


class Defects:
    """ASGI middleware: what nobody foresaw is logged, and answered without its innards."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await answer_to(error, scope["method"])(scope, receive, send)


def _document(
    status: int,
    kind: str,
    title: str,
    detail: str,
    errors: list[FieldError],
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, object] = {"type": kind, "title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    content = json.dumps(body, ensure_ascii=False).encode()
    return Response(content, status, dict(headers or {}), MEDIA_TYPE)


def _field_error(entry: Mapping[str, object]) -> FieldError:
    """One of pydantic's errors, without its input but for a plain number."""
    location = entry["loc"]
    assert isinstance(location, tuple)
    place, *path = location
    if place == "body":
        pointer = "#" + "".join(f"/{step}" for step in path)
    else:
        pointer = ("?" if place == "query" else "") + "/".join(str(step) for step in path)
    detail = str(entry["msg"])
    value = entry.get("input")
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        detail += f", not {value:.12g}"
    return {"pointer": pointer, "detail": detail}
