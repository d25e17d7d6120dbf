import gzip
import io
import zlib
from typing import Any

import httpx
import numpy as np
import pytest

from app.http.compression import choose_coding
from tests.app.conftest import Refused
from tests.app.pictures import drawing, file

PLAIN = {"accept-encoding": "identity"}


@pytest.mark.parametrize("path", ["/api/v1/models", "/", "/openapi.json"])
def test_text_is_compressed_for_a_client_that_accepts_gzip(client: httpx.Client, path: str) -> None:
    plain = client.get(path, headers=PLAIN)
    assert "content-encoding" not in plain.headers
    packed = client.get(path, headers={"accept-encoding": "gzip"})
    assert packed.content == plain.content
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert int(packed.headers["content-length"]) < len(plain.content) / 2


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("br", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip; q=0.000", None),
        ("*, gzip;q=0", "deflate"),
        ("deflate, gzip;q=0.5", "deflate"),
        ("gzip, deflate", "gzip"),
    ],
)
def test_the_coding_that_a_client_wants_most_is_chosen(
    accepted: str | None, coding: str | None
) -> None:
    assert choose_coding(accepted, ("gzip", "deflate")) == coding


@pytest.mark.parametrize("taken", ["br", "gzip;q=0", "", "deflate, gzip; q=0.0"])
def test_a_client_that_does_not_accept_gzip_gets_none(client: httpx.Client, taken: str) -> None:
    for path in ("/api/v1/models", "/static/page.css"):
        answer = client.get(path, headers={"accept-encoding": taken})
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/models/mnist-vae-2d/codes",
        "/api/v1/models/mnist-vae-2d/planes/latent/tiles/0/0/0.png",
        "/healthz",
    ],
)
def test_images_arrays_and_short_texts_are_not_compressed(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


def test_a_long_refusal_is_compressed_and_still_a_refusal(client: httpx.Client) -> None:
    body = {"latents": [[0, 0, 0]] * 60}
    answer = client.post("/api/v1/models/mnist-vae-2d/decode", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_compressed_response_has_a_weak_etag_that_is_recognised(client: httpx.Client) -> None:
    packed = client.get("/api/v1/models/mnist-vae-2d/history")
    tag = packed.headers["etag"]
    assert packed.headers["content-encoding"] == "gzip"
    assert tag.startswith("W/")
    again = client.get("/api/v1/models/mnist-vae-2d/history", headers={"if-none-match": tag})
    assert again.status_code == 304


def test_the_bytes_are_gzip_and_the_same_each_time(client: httpx.Client) -> None:
    def raw() -> bytes:
        with client.stream("GET", "/api/v1/models", headers={"accept-encoding": "gzip"}) as answer:
            return b"".join(answer.iter_raw())

    first = raw()
    assert first == raw()
    assert gzip.decompress(first) == client.get("/api/v1/models", headers=PLAIN).content


JSON = {"Content-Type": "application/json"}
ENCODE, DECODE = (f"/api/v1/models/mnist-vae-2d/{name}" for name in ("encode", "decode"))


def packed(request: httpx.Request, coding: str = "gzip") -> dict[str, Any]:
    """Return the content and headers of a request, compressed."""
    plain = request.read()
    content = gzip.compress(plain) if coding == "gzip" else zlib.compress(plain)
    kind = request.headers["content-type"]
    return {"content": content, "headers": {"Content-Type": kind, "Content-Encoding": coding}}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_body_of_any_kind_is_read_as_the_plain_one_is(
    client: httpx.Client, coding: str
) -> None:
    npy = io.BytesIO()
    np.save(npy, np.zeros((3, 2), np.float32))
    drawn = file(drawing())
    kinds: list[tuple[str, dict[str, Any]]] = [
        (DECODE, {"json": {"latents": [[0.5, -1.2]] * 9}}),
        (DECODE, {"content": npy.getvalue(), "headers": {"Content-Type": "application/x-npy"}}),
        (ENCODE, {"files": {"file": ("x.png", drawn)}}),
        (ENCODE, {"content": drawn, "headers": {"Content-Type": "image/png"}}),
    ]
    for path, sent in kinds:
        plain = client.post(path, **sent)
        again = client.post(path, **packed(client.build_request("POST", path, **sent), coding))
        assert plain.status_code == 200, plain.text
        assert again.json() == plain.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * 40_000_000, 413),  # forty thousand bytes
        (b'{"latents": [' + b"[1, 2]," * 150_000, 413),  # too many values
    ],
)
def test_the_bounds_on_a_body_hold_for_what_it_unpacks_to(
    client: httpx.Client, refused: Refused, body: bytes, status: int
) -> None:
    request = httpx.Request("POST", client.base_url, content=body, headers=JSON)
    refused(client.post(DECODE, **packed(request)), status)


@pytest.mark.parametrize(
    ("content", "coding", "status"),
    [
        (b"plain", "gzip", 422),
        (gzip.compress(b"{}")[:-1], "gzip", 422),
        (gzip.compress(b"{}") + b"more", "gzip", 422),
        (b"{}", "br", 415),
    ],
)
def test_a_body_that_is_not_of_its_coding_is_refused(
    client: httpx.Client, refused: Refused, content: bytes, coding: str, status: int
) -> None:
    headers = {**JSON, "Content-Encoding": coding}
    refused(client.post(DECODE, content=content, headers=headers), status)
