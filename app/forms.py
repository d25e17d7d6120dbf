"""A form that holds one file and nothing else, as most uploads are, read at a glance.

Source: RFC 7578; RFC 2046, section 5.1.1.
"""

import re

_BOUNDARY = re.compile(rb'multipart/form-data; *boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?')
_FILE = re.compile(
    rb'--(?P<boundary>[^\r\n]+)\r\ncontent-disposition: form-data; name="file"; '
    rb'filename="[^"\\\r\n]+"\r\n(?:content-type: [^\r\n]+\r\n)?\r\n',
    re.IGNORECASE,
)


def only_file(content_type: bytes, body: bytes) -> bytes | None:
    """Give the content of the field `file`; None if there is anything else, or anything unusual."""
    kind, head = _BOUNDARY.fullmatch(content_type), _FILE.match(body)
    if kind is None or head is None or head["boundary"] != kind[1]:
        return None
    end = body.find(b"\r\n--" + kind[1], head.end() - 2)
    if end < head.end() or body[end + 4 + len(kind[1]) :] not in (b"--\r\n", b"--"):
        return None
    return body[head.end() : end]
