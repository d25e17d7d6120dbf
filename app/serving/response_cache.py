"""Whole answers: how they are written, and those that are at hand."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response

from app.gate.limits import security_headers
from app.http.compression import SMALLEST, compressed, takes_gzip
from app.http.conditional import ASK_AGAIN, is_known
from app.http.negotiation import PNG
from app.server.http_protocol import Header, Headers, Whole
from app.serving.image_cache import Picture, Pictures
from app.telemetry.access_log import ID_HEADER

MOST = 20_000
"""Answers remembered; each takes about a kilobyte besides its picture."""
LONGEST_TARGET = 512
"""Bytes of a target under which an answer is remembered."""


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
        self, target: bytes, headers: Headers, route: str, picture: str, tag: str, control: str
    ) -> Whole | None:
        """Answer a GET of a PNG file if its client has it, or this server, and then remember that.

        Args:
            target: Of the request, as it came.
            headers: Of the request.
            route: Its path, with names in place of what varies.
            picture: The name under which `pictures` has the content.
            tag: Its ETag.
            control: How long it may be kept.
        """
        if is_known(headers, tag):
            return whole_of(png_response(None, tag, control))
        found = self.pictures.find(picture)
        if found is None:
            return None
        response = png_response(found, tag, control)
        if len(target) <= LONGEST_TARGET:  # asked for twice: it may come thrice
            self._keep(target, route, picture, tag, response)
        return whole_of(response)

    def _keep(self, target: bytes, route: str, picture: str, tag: str, response: Response) -> None:
        if len(self.answers) >= MOST:
            self.answers.popitem(last=False)
        whole = response.raw_headers
        unchanged = [pair for pair in whole if pair[0] not in _OF_CONTENT]
        self.answers[target] = _Answer(picture, tag, route, _head(whole), _head(unchanged))

    def find(self, target: bytes, headers: Headers) -> tuple[str, Whole] | None:
        """Give what is at hand, if its content still is, and its route before it."""
        answer = self.answers.get(target)
        if answer is None:
            return None
        if is_known(headers, answer.tag):
            return answer.route, Whole(304, answer.unchanged, b"")
        picture = self.pictures.find(answer.picture)
        if picture is None:
            return None
        return answer.route, Whole(200, answer.whole, picture.content)


def png_response(picture: Picture | None, tag: str, control: str) -> Response:
    """Give a PNG file; with none, say that the client has it."""
    headers = {"ETag": tag, "Cache-Control": control}
    if picture is None:
        return Response(status_code=304, headers=headers)
    return Response(picture.content, headers=headers, media_type=PNG)


def whole_of(response: Response) -> Whole:
    """Make of a response what is sent in one piece."""
    return Whole(response.status_code, _head(response.raw_headers), bytes(response.body))


def whole_batch(media_type: str, content: bytes, *rest: memoryview) -> Whole:
    """The same of bare numbers, which vary by Accept, at a tenth of the price."""
    length = len(content)
    for part in rest:
        length += part.nbytes
    return Whole(200, _HEAD_OF_BATCH % (length, media_type.encode()), content, rest)


def whole_json(content: bytes, headers: Headers) -> Whole:
    """The same of JSON, compressed if it is long and takes that whoever sent these headers."""
    accepted = headers.get(b"accept-encoding", b"").decode("latin-1")
    if len(content) >= SMALLEST and takes_gzip(accepted):
        content = compressed(content)
        return Whole(200, _HEAD_OF_GZIP % len(content), content)
    return Whole(200, _HEAD_OF_JSON % len(content), content)


def whole_png(content: bytes, tag: str, control: str = ASK_AGAIN) -> Whole:
    """The same of a PNG with its ETag, and of how long it may be kept."""
    return Whole(200, _HEAD_OF_PNG % (tag.encode(), control.encode(), len(content)), content)


def with_id(whole: Whole, known: str) -> Whole:
    """Tell the request's id as well."""
    status, head, body, rest = whole
    return Whole(status, head + _ID + known.encode() + b"\r\n", body, rest)


def _head(headers: Sequence[Header]) -> bytes:
    """Write headers as they are sent, with those that every answer has."""
    return b"".join(b"%b: %b\r\n" % pair for pair in (*headers, *security_headers))


_ID = ID_HEADER + b": "
_OF_CONTENT = {b"content-length", b"content-type"}
_JSON = b"content-length: %d\r\ncontent-type: application/json\r\n"
_HEAD_OF_JSON = _JSON + b"vary: Accept\r\n" + _head(())
_HEAD_OF_GZIP = _JSON + b"content-encoding: gzip\r\nvary: Accept, Accept-Encoding\r\n" + _head(())
_HEAD_OF_BATCH = b"content-length: %d\r\ncontent-type: %b\r\nvary: Accept\r\n" + _head(())
_HEAD_OF_PNG = (
    b"etag: %b\r\ncache-control: %b\r\ncontent-length: %d\r\ncontent-type: image/png\r\n"
    + _head(())
)
