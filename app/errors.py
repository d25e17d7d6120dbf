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
      + UpgradeRequired     426  a stream is asked for without the upgrade to a WebSocket
      + HeadTooLarge        431  the request's head is larger than the server takes
      + Overloaded          503  too much is waiting already, or the models in use fill the memory
      + Unavailable         503  a model cannot be loaded, or its test images not be read
      + NotReady            503  the default model cannot decode now, or the server is stopping

Errors of the model become one of them (`_problem`); what Starlette and FastAPI raise keeps its
status. A problem never echoes its input: NaN could not be written as JSON.
"""

import difflib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from model.errors import DataError, ImageError, LatentError, PlaneError, UndecodableError

log = logging.getLogger("explorer")

MEDIA_TYPE = "application/problem+json"
INFERENCE_PREFIX = "/v2"
"""Below it refusals have the form of the Open Inference Protocol."""
MAX_ERRORS = 10
"""Invalid fields told of in one refusal."""
CLIENT_GONE = 499
"""nginx's status of a request whose client went before its answer; only the log shows it."""

FieldError = dict[str, str]
"""`pointer` (a JSON pointer such as `#/latents/3`, or `?size` for a query) and `detail`."""


class StartError(Exception):
    """The server cannot start; the message is a sentence for the operator."""


class Problem(HTTPException):
    """A refusal; `detail` says what came, what is allowed, and the way out."""

    status: ClassVar[int]
    title: str
    kind: ClassVar[str]
    """The URI that names this kind of problem."""

    def __init_subclass__(cls, *, status: int = 500, title: str = "") -> None:
        cls.status, cls.title = status, title
        name = title.lower().replace(" ", "-")
        cls.kind = f"urn:latent-explorer:{name}" if title else "about:blank"

    def __init__(
        self,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(self.status, detail, headers)
        self.errors = list(errors)


class NotHttp(Problem, status=400, title="Not HTTP"): ...


class NotJson(Problem, status=400, title="Not JSON"):
    @classmethod
    def because(cls, error: Exception) -> "NotJson":
        """Say where the parser stopped, or that it met nesting without end."""
        reason = "it cannot be read"
        if isinstance(error, json.JSONDecodeError):
            reason = f"{error.msg} at character {error.pos}"
        return cls(f"The body is not JSON: {reason}. Send one JSON object.")


class ForeignOrigin(Problem, status=403, title="Foreign origin"): ...


class NotFound(Problem, status=404, title="Not found"): ...


class NotAcceptable(Problem, status=406, title="Not acceptable"): ...


class TooSlow(Problem, status=408, title="Too slow"): ...


class Undecodable(Problem, status=409, title="Undecodable"): ...


class BodyTooLarge(Problem, status=413, title="Body too large"): ...


class UnsupportedMedia(Problem, status=415, title="Unsupported media type"): ...


class WrongHost(Problem, status=421, title="Wrong host"): ...


class InvalidRequest(Problem, status=422, title="Invalid request"):
    @classmethod
    def at(cls, pointer: str, detail: str) -> "InvalidRequest":
        """Refuse one field."""
        return cls(detail, errors=[{"pointer": pointer, "detail": detail}])


class UpgradeRequired(Problem, status=426, title="Upgrade required"):
    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Connection": "Upgrade", "Upgrade": "websocket"})


class HeadTooLarge(Problem, status=431, title="Head too large"): ...


class Overloaded(Problem, status=503, title="Overloaded"):
    def __init__(
        self, detail: str, *, retry_after_seconds: int = 1, headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds), **headers})


class Unavailable(Problem, status=503, title="Unavailable"): ...


class NotReady(Problem, status=503, title="Not ready"): ...


class StatusProblem(Problem):
    """A refusal that its status alone describes: Starlette's, FastAPI's, or a defect of ours."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        HTTPException.__init__(self, status, detail, headers)
        self.title, self.errors = HTTPStatus(status).phrase, []


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """Return what to say of a name that a client gave and that means nothing here."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    there = f"There is {', '.join(known)}." if known else "There is none."
    return f"{ascii(name)[1:-1]} is no {kind} here{hint} {there}"


def install(app: FastAPI) -> None:
    """Let `app` answer every exception with a problem document."""
    of_model = (LatentError, ImageError, PlaneError, DataError, UndecodableError)
    for kind in (HTTPException, RequestValidationError, *of_model, Exception):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(ClientDisconnect, _client_gone)


async def _answer(request: Request, error: Exception) -> Response:
    return response_to(error, request.scope)


async def _client_gone(_: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)


def response_to(error: Exception, scope: Scope | None = None) -> Response:
    """Return the answer to a request in which `error` was raised, in the form its path asks for.

    An exception that nobody foresaw is logged and becomes a 500 that says nothing of its innards.
    """
    asks = scope is not None and scope.get("method") == "OPTIONS"
    if asks and isinstance(error, HTTPException) and error.status_code == 405:
        return Response(status_code=204, headers={"Allow": _allowed(error)})
    problem = _problem(error)
    if problem is None:
        method = "request" if scope is None else scope.get("method", "WebSocket")
        log.error("A defect; the server answers 500 to a %s", method, exc_info=error)
        problem = StatusProblem(
            500, "The server failed; its log says where. The same request may work again later."
        )
    status, headers = problem.status_code, dict(problem.headers or {})
    if scope is not None and _is_inference(scope):
        content = json.dumps({"error": problem.detail})
        return Response(content, status, headers, "application/json")
    document: dict[str, object] = {
        "type": problem.kind,
        "title": problem.title,
        "status": status,
        "detail": problem.detail,
    }
    if problem.errors:
        document["errors"] = problem.errors[:MAX_ERRORS]
    content = json.dumps(document, ensure_ascii=False)
    return Response(content, status, headers, MEDIA_TYPE)


def _is_inference(scope: Scope) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return f"{path}/".startswith(f"{INFERENCE_PREFIX}/")


def _problem(error: Exception) -> Problem | None:
    """Return what an exception is to a client; None if nobody foresaw it."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return _from_framework(error)
        case RequestValidationError():
            return _from_validation(error)
        case LatentError() | ImageError():
            return InvalidRequest(str(error))
        case PlaneError():
            return NotFound(str(error))
        case UndecodableError():
            return Undecodable(str(error))
        case DataError():
            log.error("A data set cannot be read: %s", error)  # the message names a file
            return Unavailable(
                "The test images that this needs cannot be read now; the server's log says why."
            )
        case MemoryError():
            log.error("The server is out of memory", exc_info=error)
            return Overloaded(
                "The server has no memory left for this request. Ask for less at once, or try "
                "again later.",
                retry_after_seconds=5,
            )
    return None


def _from_framework(error: HTTPException) -> Problem:
    detail = error.detail
    if error.status_code == 404:
        detail = "Nothing is served under this path. All routes are described at /docs."
    elif error.status_code == 405:
        allowed = _allowed(error)
        detail = f"This path does not take that method; it takes {allowed}. See /docs."
        return StatusProblem(405, detail, {"Allow": allowed})
    return StatusProblem(error.status_code, detail, error.headers)


def _allowed(error: HTTPException) -> str:
    """Return the methods of a path: those of its route, and those that every path takes."""
    methods = set((error.headers or {}).get("Allow", "").replace(" ", "").split(",")) | {"OPTIONS"}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _from_validation(error: RequestValidationError) -> Problem:
    entries = error.errors()[:MAX_ERRORS]
    errors = [_field_error(entry) for entry in entries]
    listed = "; ".join(f"{entry['pointer']}: {entry['detail'].rstrip('.')}" for entry in errors[:3])
    if any(entry["loc"][0] == "path" for entry in entries):
        return NotFound(f"Nothing is served under this path. {listed}. See /docs.")
    return InvalidRequest(f"{listed}. See /docs.", errors=errors)


def _field_error(entry: Mapping[str, object]) -> FieldError:
    """Return one of pydantic's errors, without its input but for a plain number that is wrong."""
    location = entry["loc"]
    assert isinstance(location, tuple)
    place, *path = location
    if place == "body":
        pointer = "#" + "".join(f"/{step}" for step in path)
    else:
        pointer = ("?" if place == "query" else "") + "/".join(str(step) for step in path)
    detail = str(entry["msg"])
    if entry["type"] == "extra_forbidden":  # the name is wrong, whatever the value
        return {"pointer": pointer, "detail": detail}
    value = entry.get("input")
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        detail += f", not {value:.12g}"
    return {"pointer": pointer, "detail": detail}
