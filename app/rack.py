"""Whole answers: how they are written, and those that are at hand."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from app.caching import ASK_AGAIN, is_among, is_current
from app.ledger import ID_HEADER
from app.negotiation import PNG
from app.pictures import Pictures
from app.security import security_headers
from app.wire import Whole

MOST = 20_000
"""Answers remembered; each takes about a kilobyte besides its picture."""

Header = tuple[bytes, bytes]
Asked = dict[bytes, bytes]
"""The headers of a request."""
Found = tuple[str, Whole]
"""A route's template, and an answer."""


class _Answer(NamedTuple):
    picture: str
    tag: str
    route: str
    whole: bytes
    unchanged: bytes


class Rack:
    """The answers that are at hand.

    Args:
        pictures: Where their contents are, as long as there is room.
    """

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.answers: OrderedDict[bytes, _Answer] = OrderedDict()

    def known(
        self, scope: Scope, route: str, picture: str, headers: dict[str, str]
    ) -> Response | None:
        """Answer a GET of a PNG file if its client has it, or this server, and then remember that.

        Args:
            scope: Of the request.
            route: Its path, with names in place of what varies.
            picture: The name under which `pictures` has the content.
            headers: Of the answer, `ETag` among them.
        """
        if is_current(Headers(scope=scope), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        found = self.pictures.find(picture)
        if found is None:
            return None
        response = Response(found.content, headers=headers, media_type=PNG)
        self._keep(scope, route, picture, response)  # asked for twice: it may come thrice
        return response

    def _keep(self, scope: Scope, route: str, picture: str, response: Response) -> None:
        target = scope.get(_TARGET)
        if target is None:  # no GET that could come this way again
            return
        if len(self.answers) >= MOST:
            self.answers.popitem(last=False)
        whole = response.raw_headers
        unchanged = [pair for pair in whole if pair[0] not in _OF_CONTENT]
        tag = response.headers["etag"]
        self.answers[target] = _Answer(picture, tag, route, _head(whole), _head(unchanged))

    def target_of(self, scope: Scope) -> bytes:
        """Give the target of a GET as it came, and let `known` know it."""
        query: bytes = scope["query_string"]
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        target: bytes = b"%b?%b" % (path, query) if query else path
        scope[_TARGET] = target
        return target

    def find(self, target: bytes, asked: Asked) -> Found | None:
        """Give what is at hand, if its content still is, and its route."""
        answer = self.answers.get(target)
        if answer is None:
            return None
        known = asked.get(b"if-none-match")
        if known is not None and is_among(known.decode("latin-1"), answer.tag):
            return answer.route, Whole(304, answer.unchanged, b"")
        picture = self.pictures.find(answer.picture)
        if picture is None:
            return None
        return answer.route, Whole(200, answer.whole, picture.content)


def whole_of(response: Response) -> Whole:
    """Make of a response what a shortcut gives."""
    return Whole(response.status_code, _head(response.raw_headers), bytes(response.body))


def whole_json(content: bytes) -> Whole:
    """The same of JSON that varies by Accept, at a tenth of the price."""
    return Whole(200, _HEAD_OF_JSON % len(content), content)


def whole_png(content: bytes, tag: str, control: str = ASK_AGAIN) -> Whole:
    """The same of a PNG with its ETag, and of how long it may be kept."""
    return Whole(200, _HEAD_OF_PNG % (tag.encode(), control.encode(), len(content)), content)


def with_id(whole: Whole, known: str) -> Whole:
    """Tell the request's id as well."""
    head = b"%b%b: %b\r\n" % (whole.head, ID_HEADER, known.encode())
    return Whole(whole.status, head, whole.body)


def _head(headers: Sequence[Header]) -> bytes:
    """Write headers as they are sent, with those that every answer has."""
    return b"".join(b"%b: %b\r\n" % pair for pair in (*headers, *security_headers))


_TARGET = "explorer.target"
_OF_CONTENT = {b"content-length", b"content-type"}
_HEAD_OF_JSON = b"content-length: %d\r\ncontent-type: application/json\r\nvary: Accept\r\n" + _head(
    ()
)
_HEAD_OF_PNG = (
    b"etag: %b\r\ncache-control: %b\r\ncontent-length: %d\r\ncontent-type: image/png\r\n"
    + _head(())
)
