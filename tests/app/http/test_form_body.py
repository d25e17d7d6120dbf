from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.formparsers import MultiPartException

from app.http.form_body import parse_form

FILES = [b"", b"\r\n--", bytes(range(256)) * 300]


def form(files: list[bytes], texts: dict[str, str]) -> tuple[str, bytes]:
    """Return a form as httpx writes it: its type and its body."""
    named = [("file", (f"{index}.bin", content)) for index, content in enumerate(files)]
    request = httpx.Request("POST", "http://server", files=named, data=texts)
    return request.headers["content-type"], request.read()


def test_files_and_texts_come_back_as_they_were_sent_in_any_thread() -> None:
    kind, body = form(FILES, {"box": "0,0,1,1", "über": "ß"})
    expected = [("box", "0,0,1,1"), ("über", "ß"), *(("file", content) for content in FILES)]
    assert parse_form(kind, body, most=3) == expected
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(parse_form, kind, body, most=3).result() == expected


@pytest.mark.parametrize(
    ("files", "texts"), [(4, 0), (1, 4)], ids=["too many files", "too many fields"]
)
def test_a_form_with_more_is_refused(files: int, texts: int) -> None:
    kind, body = form([b"x"] * files, {f"text-{index}": "" for index in range(texts)})
    with pytest.raises(MultiPartException, match="Maximum number"):
        parse_form(kind, body, most=3)


def test_a_form_that_is_damaged_is_refused() -> None:
    kind, body = form(FILES, {})
    with pytest.raises(MultiPartException, match="Missing boundary"):
        parse_form("multipart/form-data", body, most=3)
    with pytest.raises(MultiPartException, match="Invalid"):
        parse_form(kind, b"no form" + body, most=3)
