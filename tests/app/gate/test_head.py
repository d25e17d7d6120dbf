import httpx
import pytest

from tests.app.live_server import DEFAULT


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/healthz",
        "/api/v1/models",
        f"/api/v1/models/{DEFAULT}/decode.png?z=0,0",
        "/api/v1/datasets/mnist/images/0.png",
        f"/api/v1/models/{DEFAULT}/planes/latent/tiles/1/0/1.png",
        "/static/js/main.js",
        "/docs",
        "/nowhere",
    ],
)
def test_head_answers_as_get_does_without_the_body(client: httpx.Client, path: str) -> None:
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers.get(name) == get.headers.get(name)
