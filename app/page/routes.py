"""GET /: the page, and the static files that it names."""

import gzip
import hashlib
import re
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette.types import Receive, Scope, Send

from app.errors import NotFound
from app.http.compression import choose_coding
from app.http.conditional import ASK_AGAIN, answer_if_changed, control, etag, is_current
from app.page.bundle import join
from app.serving.registry import Registry
from app.settings import ROOT
from model.card import Card

STATIC = ROOT / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
SCRIPT, SHEET = "js/main.js", "page.css"
SHEETS = (
    *("theme", "base", "layout", "map", "layers", "codebook", "models"),
    *("panels", "draw", "path", "vary", "training", "measures", "learn", "compare", "present"),
    "print",
)
"""The sheets of `static/css` in the order in which they are joined: a later one wins."""
PANELS = ("point", "draw", "path", "vary", "training", "measures", "learn")
FIRST_CODES = 1500
"""How many codes the page asks for first; `load-model.js` has the same number."""
COMPRESSION = 6
"""Of zlib; the result is a tenth larger than that of the highest level, in a third of the time."""

templates = Jinja2Templates(ROOT / "templates")
_VERSION = re.compile("[0-9a-f]{8}")


class _File(NamedTuple):
    packed: bytes
    media_type: str
    etag: str


class VersionedFiles:
    """The files of the page, in memory, each under a URL such as `static/<version>/page.css`.

    The version is a hash of all of them: a browser keeps a file for ever, and after an edit all
    files have new URLs. A URL without a version, or with an old one, is answered with the current
    file, which the browser revalidates before each use.
    """

    def __init__(self) -> None:
        self._changed: list[tuple[str, int]] = []
        self.refresh()

    def refresh(self) -> None:
        """Read the files again if one was edited."""
        paths = [path for path in sorted(STATIC.rglob("*")) if path.suffix in TYPES]
        changed = [(str(path), path.stat().st_mtime_ns) for path in paths]
        if changed == self._changed:
            return
        texts = {path.relative_to(STATIC).as_posix(): path.read_text("utf-8") for path in paths}
        scripts = join({name: text for name, text in texts.items() if name.endswith(".js")}, SCRIPT)
        images = {name: text for name, text in texts.items() if name.endswith(".svg")}
        sheet = "\n".join(texts[f"css/{name}.css"] for name in SHEETS)
        served = {**scripts, **images, SHEET: sheet}
        self._files = {name: _packed(name, text) for name, text in served.items()}
        every = repr([(name, file.etag) for name, file in self._files.items()])
        self._changed = changed
        self.version = hashlib.sha256(every.encode()).hexdigest()[:8]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path_params"]["path"]
        first, _, rest = path.partition("/")
        file = self._files.get(rest if rest and _VERSION.fullmatch(first) else path)
        if file is None:
            raise NotFound("There is no such file.")
        asked = Headers(scope=scope)
        headers = {
            "ETag": f"W/{file.etag}",
            "Cache-Control": control(first, self.version),
            "Vary": "Accept-Encoding",
        }
        if is_current(asked, file.etag):
            response = Response(status_code=304, headers=headers)
        elif choose_coding(asked.get("accept-encoding")):
            headers["Content-Encoding"] = "gzip"
            response = Response(file.packed, headers=headers, media_type=file.media_type)
        else:
            content = gzip.decompress(file.packed)  # few clients ask for it
            response = Response(content, headers=headers, media_type=file.media_type)
        await answer_if_changed(asked, response)(scope, receive, send)


def _packed(name: str, text: str) -> _File:
    content = text.encode()
    packed = gzip.compress(content, COMPRESSION, mtime=0)
    return _File(packed, TYPES[PurePosixPath(name).suffix], etag(content))


FILES = VersionedFiles()


def static(path: object) -> str:
    """Return the URL of a static file, relative to the page."""
    return f"static/{FILES.version}/{path}"


async def page(request: Request) -> Response:
    """Return the page, which names the data that it will ask for first."""
    FILES.refresh()
    context = {
        "static": static,
        "data": _first_data(request),
        "preview": _preview(request),
        "panels": PANELS,
        "panel": _open_panel(request),
    }
    headers = {"Cache-Control": ASK_AGAIN}
    return templates.TemplateResponse(request, "index.html", context, headers=headers)


def _card(request: Request) -> Card:
    """Return the card of the model that a link names, or else of the default one."""
    registry: Registry = request.app.state.registry
    cards = {card.id: card for card in registry.cards}
    return cards.get(request.query_params.get("model", ""), cards[registry.default])


def _open_panel(request: Request) -> str:
    """Return the panel that a link opens, so that the page has its text before its script."""
    panel = request.query_params.get("panel", "")
    return panel if panel in PANELS else PANELS[0]


def _first_data(request: Request) -> list[str]:
    """Return the URLs that the page asks for first: they are fetched while its modules load."""
    card = _card(request)
    places = (
        [f"models/{card.id}/planes", f"models/{card.id}/codes?count={FIRST_CODES}"]
        if card.planes
        else []
    )
    return [f"api/v1/{path}" for path in ("models", *places)]


def _preview(request: Request) -> str:
    """Return the absolute URL of the picture of this link; empty for a model without a map."""
    query = request.query_params
    card = _card(request)
    if not card.planes:
        return ""
    about = {name: query[name] for name in ("z", "plane") if query.get(name)}
    path = f"api/v1/models/{card.id}/preview.png"
    host = request.app.gate.origins.host(request.scope, dict(request.scope["headers"]))
    home = request.base_url.replace(netloc=host)
    return f"{home}{path}{'?' if about else ''}{urlencode(about, safe=',')}"


ROUTES = (Route("/", page), Route("/static/{path:path}", FILES, methods=["GET"]))
