"""A form that holds one file and nothing else, as most uploads are, read at a glance.

Source: RFC 7578; RFC 2046, section 5.1.1.
"""

import re

_BOUNDARY = re.compile(rb'multipart/form-data; *boundary=("?)([0-9A-Za-z\'()+_,./:=?-]{1,70})\1')
_FILE = re.compile(
    rb'--([^\r\n]{1,70})\r\n(?i:content-disposition): form-data; name="file"; '
    rb'filename="[^"\\\r\n]{1,1000}"\r\n(?:(?i:content-type): [^\r\n]{1,1000}\r\n)?\r\n'
)


def only_file(content_type: bytes, body: bytes) -> bytes | None:
    """Give the content of the field `file`; None if there is anything else, or anything unusual."""
    kind, head = _BOUNDARY.fullmatch(content_type), _FILE.match(body)
    if kind is None or head is None or head[1] != kind[2]:
        return None
    delimiter = b"\r\n--" + head[1]
    end = body.find(delimiter, head.end())
    if end < 0 or body[end + len(delimiter) :] not in (b"--\r\n", b"--"):
        return None
    return body[head.end() : end]
