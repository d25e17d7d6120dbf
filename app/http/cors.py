"""Cross-origin requests: which pages of other origins may call the API, and what they may read."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.errors import ForeignOrigin, response_to

METHODS = ("GET", "HEAD", "OPTIONS", "POST")
"""All that any path takes."""


class Cors(CORSMiddleware):
    """Starlette's, whose refusal of a preflight is a problem document.

    Args:
        app: What is behind it.
        origins: Whose pages may call the API; `*` is all.
        exposed: Headers of answers that they may read besides those that any page may.
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str], exposed: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=exposed,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight, or refuse it."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        refusal = response_to(
            ForeignOrigin(
                "A page of this origin may not make this request here. The operator of this server "
                "lists the origins that may call it in EXPLORER_CORS_ORIGINS; the methods are "
                f"{', '.join(METHODS)}."
            )
        )
        refusal.headers["Vary"] = answer.headers["Vary"]
        return refusal
