"""`If-None-Match: *` asks whether there is anything at all under a URL."""

import httpx
import pytest

MODEL = "/api/v1/models/mnist-vae-2d"
STAR = {"if-none-match": "*"}


@pytest.mark.parametrize(
    "path",
    [
        f"{MODEL}/planes/latent/tiles/1/0/0.png",
        f"{MODEL}/planes/latent/tiles/4/3/2.png",
        f"{MODEL}/planes/latent/fields/label.png",
        f"{MODEL}/decode.png?z=0.25,0",
        f"{MODEL}/codes",
        f"{MODEL}/history",
        "/api/v1/datasets/mnist/images/7.png",
        "/static/page.css",
    ],
)
def test_any_tag_matches_what_exists(client: httpx.Client, path: str) -> None:
    for _ in range(2):  # made for the first request, remembered for the second
        answer = client.get(path, headers=STAR)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"]
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{MODEL}/planes/nothing/tiles/0/0/0.png", 404),
        (f"{MODEL}/planes/latent/tiles/1/2/0.png", 404),
        (f"{MODEL}/planes/nothing/fields/label.png", 404),
        (f"{MODEL}/decode.png?z=0.25", 422),
        (f"{MODEL}/codes?plane=nothing", 404),
        ("/api/v1/models/nothing/history", 404),
        ("/api/v1/datasets/mnist/images/10000.png", 404),
        ("/static/nothing.css", 404),
        ("/api/v1/nothing", 404),
    ],
)
def test_any_tag_matches_nothing_that_does_not_exist(
    client: httpx.Client, path: str, status: int
) -> None:
    assert client.get(path, headers=STAR).status_code == status
