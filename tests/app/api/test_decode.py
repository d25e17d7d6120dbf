import base64
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.serving.queues import COLD
from app.settings import Settings
from model.engine import Engine
from tests.app.conftest import Refused
from tests.app.live_server import serving

DECODE = "models/mnist-vae-2d/decode"
PNG = "models/mnist-vae-2d/decode.png"
JSON = {"content-type": "application/json"}

LATENTS = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)


def read(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_long_body_is_refused_before_it_is_read_while_too_much_waits(
    hold_encodes: Callable[[], tuple[Event, Event]],
) -> None:
    path = f"/api/v1/{DECODE}"
    long: dict[str, Any] = {"content": b"[" * 5000, "headers": JSON}
    two_passes = {"images": [np.eye(28).tolist()] * 9}
    settings = Settings(models=("mnist-vae-2d",), max_wait_seconds=1e-9)
    with (
        ThreadPoolExecutor(1) as threads,
        serving(settings) as server,
        server.client() as client,
    ):
        encode = path.replace("decode", "encode")
        for _ in range(COLD + 1):  # so that the pace is known
            assert client.post(encode, json=two_passes).status_code == 200
        begun, gate = hold_encodes()
        holding = threads.submit(client.post, encode, json=two_passes)
        assert begun.wait(30)
        refusal = client.post(path, **long)
        assert refusal.status_code == 503
        assert refusal.headers["retry-after"] == "1"
        assert refusal.headers["content-type"] == "application/problem+json"
        assert refusal.json()["detail"].startswith("9 images to encode come before this")
        assert client.post(path, content=b"[", headers=JSON).status_code == 400
        gate.set()
        assert holding.result().status_code == 200
        assert client.post(path, **long).status_code == 400


def as_json(latents: np.ndarray) -> dict[str, object]:
    return {"latents": latents.tolist()}


@pytest.mark.parametrize("count", [1, 8, 9, 64, 65, 300])
def test_json_holds_the_image_of_every_latent_in_order(
    api: httpx.Client, engine: Engine, count: int
) -> None:
    answer = api.post(DECODE, json=as_json(LATENTS[:count])).json()
    assert set(answer) == {"model", "images"}
    assert answer["model"] == "mnist-vae-2d"
    images = []
    for image in answer["images"]:
        assert (image["width"], image["height"]) == (28, 28)
        images.append(read(base64.b64decode(image["png"])))
    assert (np.array(images) == engine.decode(LATENTS[:count])).all()


def test_numpy_and_bare_bytes_hold_the_same_images(api: httpx.Client, engine: Engine) -> None:
    expected = engine.decode(LATENTS[:70])
    answer = api.post(DECODE, json=as_json(LATENTS[:70]), headers={"accept": "application/x-npy"})
    array = np.load(io.BytesIO(answer.content))
    assert (array.dtype, array.shape) == (np.uint8, (70, 28, 28))
    assert (array == expected).all()
    accept = {"accept": "application/octet-stream"}
    answer = api.post(DECODE, json=as_json(LATENTS[:70]), headers=accept)
    assert answer.content == expected.tobytes()
    assert answer.headers["vary"] == "Accept"


def test_one_latent_as_png_is_one_image(api: httpx.Client, engine: Engine) -> None:
    answer = api.post(DECODE, json=as_json(LATENTS[:1]), headers={"accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    assert (read(answer.content) == engine.decode(LATENTS[:1])[0]).all()


def test_many_latents_as_png_are_a_contact_sheet_filled_row_by_row(
    api: httpx.Client, engine: Engine
) -> None:
    answer = api.post(DECODE, json=as_json(LATENTS[:7]), headers={"accept": "image/png"})
    sheet = read(answer.content)
    assert sheet.shape == (3 * 28, 3 * 28)
    for index, image in enumerate(engine.decode(LATENTS[:7])):
        row, column = divmod(index, 3)
        assert (sheet[28 * row : 28 * row + 28, 28 * column : 28 * column + 28] == image).all()
    assert (sheet[56:, 28:] == 0).all()


def test_a_latent_gives_the_same_bytes_whatever_it_is_decoded_with(api: httpx.Client) -> None:
    accept = {"accept": "application/octet-stream"}
    together = api.post(DECODE, json=as_json(LATENTS[:300]), headers=accept).content
    for index in (0, 63, 64, 299):
        alone = api.post(DECODE, json=as_json(LATENTS[index : index + 1]), headers=accept).content
        assert alone == together[784 * index : 784 * index + 784]


def test_a_latent_of_the_wrong_dimension_is_refused_with_its_place_and_the_way_out(
    api: httpx.Client, refused: Refused
) -> None:
    latents = [[0, 0], [0, 0], [0, 0], [0] * 20]
    response = api.post(DECODE, json={"latents": latents})
    assert refused(response, 422) == (
        "latents[3] has 20 numbers; mnist-vae-2d takes 2. See GET /api/v1/models/mnist-vae-2d"
    )
    assert response.json()["errors"][0]["pointer"] == "#/latents/3"


@pytest.mark.parametrize(
    "body",
    [
        '{"latents": [[NaN, 0]]}',
        '{"latents": [[1e999, 0]]}',
        '{"latents": [[-Infinity, 0]]}',
        '{"latents": [[20000, 0]]}',
        '{"latents": [["0", "0"]]}',
        '{"latents": [null]}',
        '{"latents": []}',
        '{"latents": {}}',
        '{"latents": "x"}',
        '{"latents": [[0, 0]], "count": 3}',
        '{"latent": [[0, 0]]}',
        "{}",
        "[]",
        "NaN",
        "null",
        json.dumps({"latents": [[0, 0]] * 1025}),
    ],
)
def test_a_body_that_holds_no_latents_is_refused(
    api: httpx.Client, refused: Refused, body: str
) -> None:
    response = api.post(DECODE, content=body, headers=JSON)
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"].startswith("#")


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"latents": [[0, 0]]', b"\xff\xfe", b"[" * 100_000, b'{"latents": [[' + b"9" * 5000],
    ids=["cut", "not closed", "not text", "nested without end", "a number without end"],
)
def test_a_body_that_is_not_json_is_refused(
    api: httpx.Client, refused: Refused, body: bytes
) -> None:
    assert "not JSON" in refused(api.post(DECODE, content=body, headers=JSON), 400)


@pytest.mark.parametrize("count", [1, 8, 9, 300])
@pytest.mark.parametrize("accept", ["application/x-npy", "application/json", "image/png"])
def test_a_numpy_file_is_decoded_as_json_is(api: httpx.Client, count: int, accept: str) -> None:
    file = io.BytesIO()
    np.save(file, LATENTS[:count])
    asked = {"content-type": "application/x-npy", "accept": accept}
    answer = api.post(DECODE, content=file.getvalue(), headers=asked)
    wanted = api.post(DECODE, json=as_json(LATENTS[:count]), headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.content == wanted.content


def test_a_body_that_is_no_numpy_file_is_refused(api: httpx.Client, refused: Refused) -> None:
    asked = {"content-type": "application/x-npy"}
    assert "Write it by numpy.save." in refused(api.post(DECODE, content=b"1", headers=asked), 422)


def test_a_body_of_another_type_is_refused(api: httpx.Client, refused: Refused) -> None:
    body = b'{"latents": [[0, 0]]}'
    assert "is missing" in refused(api.post(DECODE, content=body), 415)
    detail = refused(api.post(DECODE, content=body, headers={"content-type": "text/plain"}), 415)
    assert (
        detail
        == "Content-Type is text/plain; this route reads application/json and application/x-npy."
    )


def test_a_form_that_is_not_offered_is_refused(api: httpx.Client, refused: Refused) -> None:
    response = api.post(DECODE, json=as_json(LATENTS[:1]), headers={"accept": "text/html"})
    assert "application/x-npy" in refused(response, 406)


def test_another_method_is_refused_with_the_one_that_is_allowed(
    api: httpx.Client, refused: Refused
) -> None:
    response = api.get(DECODE)
    assert "POST" in refused(response, 405)
    assert response.headers["allow"] == "OPTIONS, POST"
    assert api.post(PNG).headers["allow"] == "GET, HEAD, OPTIONS"


def test_decode_png_is_the_image_with_every_pixel_repeated(
    api: httpx.Client, engine: Engine
) -> None:
    (image,) = engine.decode(np.array([[0.5, -1.2]], np.float32))
    for size, block in (("", 10), ("&size=28", 1), ("&size=1120", 40)):
        answer = api.get(f"{PNG}?z=0.5,-1.2{size}")
        assert answer.headers["content-type"] == "image/png"
        assert (read(answer.content) == np.kron(image, np.ones((block, block), np.uint8))).all()


def test_decode_png_takes_a_comma_that_a_form_has_escaped(api: httpx.Client) -> None:
    plain, escaped = (api.get(f"{PNG}?z=0.5{comma}-1.2") for comma in (",", "%2C"))
    assert plain.content == escaped.content


def test_decode_png_is_not_sent_again_to_a_client_that_has_it(api: httpx.Client) -> None:
    first = api.get(f"{PNG}?z=0,1")
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = api.get(f"{PNG}?z=0,1", headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    for other in ("z=0,1&size=56", "z=0,1.0001"):
        answer = api.get(f"{PNG}?{other}", headers={"if-none-match": tag})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "?z"),
        ("z=", "?z"),
        ("z=1", "?z"),
        ("z=1,2,3", "?z"),
        ("z=a,b", "?z"),
        ("z=nan,0", "?z"),
        ("z=1e5,0", "?z"),
        ("z=1,%FF", "?z"),
        ("z=0,0&size=27", "?size"),
        ("z=0,0&size=1121", "?size"),
        ("z=0,0&size=-28", "?size"),
        ("z=0,0&size=", "?size"),
        ("z=0,0&size=28.0", "?size"),
        ("z=0,0&size=%D9%A2%D9%A8%D9%A0", "?size"),
        ("z=0,0&size=" + "9" * 5000, "?size"),
    ],
)
def test_decode_png_refuses_a_query_that_names_no_image(
    api: httpx.Client, refused: Refused, query: str, pointer: str
) -> None:
    response = api.get(f"{PNG}?{query}")
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == pointer
