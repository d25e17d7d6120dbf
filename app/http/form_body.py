"""Bodies of the type multipart/form-data: how they are read."""

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartParser

MultiPartParser.spool_max_size = 2**40
"""Files stay in memory, within the bound on bodies, and are never written to a disk."""


def parse_form(content_type: str, body: bytes, most: int) -> list[tuple[str, str | bytes]]:
    """Return the fields of a form by name: texts, and the contents of files.

    At most so many fields and as many files are taken. A form of 64 small files takes 5 ms.

    Raises:
        MultiPartException: It cannot be parsed, or has more.
    """
    headers = Headers({"content-type": content_type})
    parsing = MultiPartParser(headers, _only(body), max_files=most, max_fields=most).parse()
    # Starlette's parser waits for nothing but its stream, so that it ends in one step.
    try:
        parsing.send(None)
    except StopIteration as ended:
        form: FormData = ended.value
        return [(name, _content(field)) for name, field in form.multi_items()]
    raise AssertionError("the parser of forms waited for something")


def _content(field: str | UploadFile) -> str | bytes:
    if isinstance(field, str):
        return field
    with field.file:
        return field.file.read()


async def _only(piece: bytes) -> AsyncGenerator[bytes, None]:
    yield piece
