import httpx
import pytest

from app.formats.multipart import only_file

KIND = b"multipart/form-data; boundary=x1"
HEAD = b'--x1\r\nContent-Disposition: form-data; name="file"; filename="7.png"\r\n'
TYPE = b"Content-Type: image/png\r\n"
END = b"\r\n--x1--\r\n"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (KIND, HEAD + TYPE + b"\r\ncontent" + END),
        (KIND, HEAD + b"\r\ncontent" + END),
        (KIND, HEAD.replace(b"C", b"c") + TYPE.lower() + b"\r\ncontent" + END[:-2]),
        (KIND.replace(b"x1", b'"x1"'), HEAD + b"\r\ncontent" + END),
        (KIND.replace(b" ", b""), HEAD + b"\r\ncontent" + END),
    ],
)
def test_a_file_alone_in_a_form_is_found(kind: bytes, body: bytes) -> None:
    assert only_file(kind, body) == b"content"


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"\r\n--x", b"--x2--\r\n\r\n", bytes(range(256))]
)
def test_whatever_it_holds_is_given_as_it_is(content: bytes) -> None:
    assert only_file(KIND, HEAD + b"\r\n" + content + END) == content


def test_what_a_client_writes_is_read() -> None:
    request = httpx.Request("POST", "http://x", files={"file": ("a b.png", b"1\r\n2", "image/png")})
    assert only_file(request.headers["content-type"].encode(), request.read()) == b"1\r\n2"


PART = HEAD + b"\r\ncontent"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (KIND, b""),
        (KIND, PART),
        (KIND, PART + b"\r\n--x1\r\n"),
        (KIND, PART + b"\r\n" + PART + END),
        (KIND, PART + END + b"more"),
        (KIND, b"before\r\n" + PART + END),
        (KIND, PART.replace(b'"file"', b'"other"') + END),
        (KIND, PART.replace(b'"file"', b'"FILE"') + END),
        (KIND, PART.replace(b"7.png", 1001 * b"7") + END),
        (KIND, HEAD + b"Content-Type: " + 1001 * b"x" + b"\r\n\r\n" + END),
        (KIND.replace(b"x1", b'"x1'), PART + END),
        (KIND.replace(b"x1", b'x1"'), PART + END),
        (KIND, PART.replace(b'; filename="7.png"', b"") + END),
        (KIND, PART.replace(b"7.png", b"") + END),
        (KIND, PART.replace(b"7.png", rb"a\"b") + END),
        (KIND, PART.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + END),
        (KIND, PART.replace(b"\r\n", b"\n") + END),
        (KIND.replace(b"x1", b"x2"), PART + END),
        (KIND.replace(b"x1", b"x"), PART + END),
        (KIND + b"; charset=utf-8", PART + END),
        (b"multipart/form-data", PART + END),
        (b"multipart/mixed; boundary=x1", PART + END),
    ],
)
def test_anything_else_is_left_to_who_knows_all_of_it(kind: bytes, body: bytes) -> None:
    assert only_file(kind, body) is None
