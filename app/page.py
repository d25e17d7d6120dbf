"""GET /: the page, and the static files it names."""

import gzip
import hashlib
import posixpath
import re
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from starlette.templating import Jinja2Templates
from starlette.types import Receive, Scope, Send

from app.caching import ASK_AGAIN, FOR_EVER, etag, is_current
from app.errors import NotFound
from app.registry import Registry
from app.settings import ROOT

STATIC = ROOT / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
COMPRESSION = 6
"""Of zlib: a tenth larger than the best, in a third of the time."""

templates = Jinja2Templates(ROOT / "templates")
_VERSION = re.compile("[0-9a-f]{8}")
_IMPORT = re.compile(r"^(?:import|}).*? from '([^']+)';", re.MULTILINE)


class _File(NamedTuple):
    content: bytes
    packed: bytes
    media_type: str
    etag: str


class VersionedFiles:
    """Static files, in memory; each also below the version of all: `static/<version>/js/main.js`.

    What a browser has from there it keeps for ever. A module imports others by relative addresses,
    so those are of the same version, and after an edit all have new addresses. Below no version, or
    one that is past, the file as it is now is answered, to be asked about each time.

    A page asks for some eighty at once, so they are read and compressed beforehand: to answer with
    one takes a third of the time of opening it.
    """

    def __init__(self) -> None:
        self._changed: list[tuple[str, int]] = []
        self.refresh()

    def refresh(self) -> None:
        """Read the files, if one was edited."""
        paths = [path for path in sorted(STATIC.rglob("*")) if path.suffix in TYPES]
        changed = [(str(path), path.stat().st_mtime_ns) for path in paths]
        if changed == self._changed:
            return
        self._files = {path.relative_to(STATIC).as_posix(): _read(path) for path in paths}
        every = repr([(name, file.etag) for name, file in self._files.items()])
        self._changed = changed
        self.version = hashlib.sha256(every.encode()).hexdigest()[:8]
        self.modules = _imported("js/main.js")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path_params"]["path"]
        first, _, rest = path.partition("/")
        file = self._files.get(rest if rest and _VERSION.fullmatch(first) else path)
        if file is None:
            raise NotFound("There is no such file.")
        asked = Headers(scope=scope)
        control = FOR_EVER if first == self.version else ASK_AGAIN
        headers = {"ETag": f"W/{file.etag}", "Cache-Control": control, "Vary": "Accept-Encoding"}
        if is_current(asked, file.etag):
            response = Response(status_code=304, headers=headers)
        elif "gzip" in asked.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            response = Response(file.packed, headers=headers, media_type=file.media_type)
        else:
            response = Response(file.content, headers=headers, media_type=file.media_type)
        await response(scope, receive, send)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    packed = gzip.compress(content, COMPRESSION, mtime=0)
    return _File(content, packed, TYPES[path.suffix], etag(content))


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
    context = {"static": static, "modules": FILES.modules, "data": _first_data(request)}
    headers = {"Cache-Control": ASK_AGAIN}
    return templates.TemplateResponse(request, "index.html", context, headers=headers)


def _first_data(request: Request) -> list[str]:
    """What the page will ask for first, so that it comes while the modules do."""
    registry = request.app.state.registry
    assert isinstance(registry, Registry)
    cards = {card.id: card for card in registry.cards}
    card = cards.get(request.query_params.get("model", ""), cards[registry.default])
    places = [f"models/{card.id}/planes", f"models/{card.id}/codes"] if card.planes else []
    return [f"api/v1/{path}" for path in ("models", *places)]


def routes() -> list[Route]:
    """Make the routes of the page and of its files."""
    return [
        Route("/", GZipMiddleware(request_response(page), compresslevel=COMPRESSION)),
        Route("/static/{path:path}", FILES),
    ]
