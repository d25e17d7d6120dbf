"""GET /: the page, and the static files it names."""

import hashlib
import os
import posixpath
import re

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, request_response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Scope

from app.caching import ASK_AGAIN, FOR_EVER
from app.settings import ROOT

STATIC = ROOT / "static"
COMPRESSION = 6
"""Of zlib: a tenth larger than the best, in a third of the time."""

templates = Jinja2Templates(ROOT / "templates")
_VERSION = re.compile("[0-9a-f]{8}")
_IMPORT = re.compile(r"^(?:import|}).*? from '([^']+)';", re.MULTILINE)


class VersionedFiles(StaticFiles):
    """Static files, each also below the version of them all: `static/<version>/js/main.js`.

    What a browser has from there it keeps for ever. A module imports others by relative addresses,
    so those are of the same version, and after an edit all have new addresses. Below no version, or
    one that is past, the file as it is now is answered, to be asked about each time.
    """

    def __init__(self) -> None:
        super().__init__(directory=STATIC)
        self._changed: list[tuple[str, int]] = []
        self.refresh()

    def refresh(self) -> None:
        """Look whether a file was edited."""
        paths = [path for path in sorted(STATIC.rglob("*")) if path.is_file()]
        changed = [(str(path), path.stat().st_mtime_ns) for path in paths]
        if changed == self._changed:
            return
        digest = hashlib.sha256()
        for path in paths:
            digest.update(str(path.relative_to(STATIC)).encode() + b"\0" + path.read_bytes())
        self._changed, self.version = changed, digest.hexdigest()[:8]
        self.modules = _imported("js/main.js")

    async def get_response(self, path: str, scope: Scope) -> Response:
        first, _, rest = path.partition(os.sep)
        is_versioned = bool(rest and _VERSION.fullmatch(first))
        response = await super().get_response(rest if is_versioned else path, scope)
        response.headers["Cache-Control"] = FOR_EVER if first == self.version else ASK_AGAIN
        return response


def _imported(start: str) -> list[str]:
    """A module and all that it imports before it runs, by their paths below `static`."""
    found: dict[str, None] = {}
    waiting = [start] if (STATIC / start).exists() else []
    while waiting:
        path = waiting.pop()
        found[path] = None
        names = _IMPORT.findall((STATIC / path).read_text(encoding="utf-8"))
        targets = [posixpath.normpath(f"{posixpath.dirname(path)}/{name}") for name in names]
        waiting.extend(target for target in targets if target not in found)
    return sorted(found)


FILES = VersionedFiles()


def static(path: object) -> str:
    """Give the URL of a static file, relative to the page."""
    return f"static/{FILES.version}/{path}"


async def page(request: Request) -> Response:
    """Answer the page, which names every module that it starts with: none waits for another."""
    FILES.refresh()
    context = {"static": static, "modules": FILES.modules}
    headers = {"Cache-Control": ASK_AGAIN}
    return templates.TemplateResponse(request, "index.html", context, headers=headers)


def routes() -> list[Route | Mount]:
    """Make the routes of the page and of its files, which are compressed on their way."""
    return [
        Route("/", GZipMiddleware(request_response(page), compresslevel=COMPRESSION)),
        Mount("/static", GZipMiddleware(FILES, compresslevel=COMPRESSION)),
    ]
