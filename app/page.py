"""GET /: the page, and the static files it names."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Scope

from app.caching import ASK_AGAIN, FOR_EVER
from app.registry import Models
from app.settings import ROOT

STATIC = ROOT / "static"

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(ROOT / "templates")


@router.get("/")
async def page(request: Request, models: Models) -> Response:
    context = {"static": static, "default_model": models.default}
    headers = {"Cache-Control": ASK_AGAIN}
    return templates.TemplateResponse(request, "index.html", context, headers=headers)


def static(path: str) -> str:
    """Give the URL of a static file, relative to the page and naming its content's version."""
    return f"static/{path}?v={version(STATIC / path)}"


def version(file: Path) -> str:
    """Hash a file's content; an edit to the file shows at once."""
    return _hash(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _hash(file: Path, _changed: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]


class VersionedFiles(StaticFiles):
    """Static files that a browser keeps for ever under the right `?v=`, and asks about without."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        asked: dict[bytes, list[Any]] = parse_qs(scope["query_string"])
        right = asked.get(b"v") == [version(Path(full_path)).encode()]
        response.headers["Cache-Control"] = FOR_EVER if right else ASK_AGAIN
        return response
