import gzip

import httpx
import pytest

PLAIN = {"accept-encoding": "identity"}


@pytest.mark.parametrize("path", ["/api/v1/models", "/", "/openapi.json"])
def test_text_is_compressed_for_who_takes_it(client: httpx.Client, path: str) -> None:
    plain = client.get(path, headers=PLAIN)
    assert "content-encoding" not in plain.headers
    packed = client.get(path, headers={"accept-encoding": "gzip"})
    assert packed.content == plain.content
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert int(packed.headers["content-length"]) < len(plain.content) / 2


@pytest.mark.parametrize("taken", ["br", "gzip;q=0", "", "deflate, gzip; q=0.0"])
def test_who_does_not_take_gzip_is_not_given_it(client: httpx.Client, taken: str) -> None:
    answer = client.get("/api/v1/models", headers={"accept-encoding": taken})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/models/mnist-vae-2d/codes",
        "/api/v1/models/mnist-vae-2d/planes/latent/tiles/0/0/0.png",
        "/healthz",
    ],
)
def test_what_gains_nothing_is_left_as_it_is(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


def test_a_long_refusal_is_compressed_and_still_a_refusal(client: httpx.Client) -> None:
    body = {"latents": [[0, 0, 0]] * 60}
    answer = client.post("/api/v1/models/mnist-vae-2d/decode", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_compressed_answer_has_a_weak_etag_that_is_known_again(client: httpx.Client) -> None:
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
