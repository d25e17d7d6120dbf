"""Requests below /v2 that are refused are refused in the protocol's form."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest

from app.serving.queues import COLD
from app.settings import Settings
from tests.app.live_server import Serving, serving

DECODER = "/v2/models/mnist-vae-2d.decoder"
INFER, ENCODE = f"{DECODER}/infer", "/v2/models/mnist-vae-2d.encoder/infer"
LENGTH = "Inference-Header-Content-Length"
POINT = struct.pack("<2f", 0.5, -1.2)


@pytest.fixture(scope="module")
def client(server: Serving) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def refused(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    return str(response.json()["error"])


def asking(**changes: Any) -> dict[str, Any]:
    """Return a valid request with `changes` to its input; None leaves a field out."""
    good = {"name": "latents", "datatype": "FP32", "shape": [1, 2], "data": [0.5, -1.2]}
    given = {key: value for key, value in {**good, **changes}.items() if value is not None}
    return {"inputs": [given]}


def binary(
    *, size: object = 8, content: bytes = POINT, length: str | None = None, **changes: Any
) -> dict[str, Any]:
    """Return a request whose tensor follows the JSON, as arguments of httpx."""
    head = json.dumps(asking(data=None, parameters={"binary_data_size": size}, **changes)).encode()
    return {"content": head + content, "headers": {LENGTH: length or str(len(head))}}


def test_the_requests_from_which_the_others_are_made_are_answered(client: httpx.Client) -> None:
    plain, packed = client.post(INFER, json=asking()), client.post(INFER, **binary())
    assert plain.status_code == packed.status_code == 200
    assert plain.json() == packed.json()
    nested = asking(data=[[0.5, -1.2]])
    assert client.post(INFER, json=nested).json() == plain.json()
    assert "id" not in plain.json()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "images"}, "must hold one tensor, latents; 1 came: images."),
        ({"name": None}, "#/inputs/0/name"),
        ({"name": "\ud800"}, "must hold one tensor"),
        ({"datatype": "FP64"}, "FP32"),
        ({"datatype": "fp32"}, "FP32"),
        ({"datatype": None}, "#/inputs/0/datatype"),
        ({"datatype": 10**400}, "#/inputs/0/datatype"),
        ({"shape": [2]}, "[N, 2]"),
        ({"shape": []}, "[N, 2]"),
        ({"shape": [1, 3], "data": [1, 2, 3]}, "[N, 2]"),
        ({"shape": [-1, 2]}, "[N, 2]"),
        ({"shape": [-1, -2]}, "[N, 2]"),
        ({"shape": [0, 2], "data": []}, "[N, 2]"),
        ({"shape": [1025, 2], "data": [0.0] * 2050}, "1 to 1024"),
        ({"shape": [10**400, 2]}, "1 to 1024"),
        ({"shape": [1] * 9}, "#/inputs/0/shape"),
        ({"shape": [1.5, 2]}, "#/inputs/0/shape/0"),
        ({"shape": [True, 2]}, "#/inputs/0/shape/0"),
        ({"shape": None}, "#/inputs/0/shape"),
        ({"shape": [2, 2]}, "does not fit its shape"),
        ({"data": [0.5]}, "does not fit its shape"),
        ({"data": [[0.5], [-1.2]]}, "does not fit its shape"),
        ({"data": [[0.5, -1.2], [0, 0]]}, "does not fit its shape"),
        ({"data": [[0.5, -1.2], 3]}, "does not fit its shape"),
        ({"data": [[[0.5, -1.2]]]}, "does not fit its shape"),
        ({"data": [["a" * 10**5, ""]]}, "no number"),
        ({"data": ["0.5", "-1.2"]}, "no number"),
        ({"data": [True, False]}, "no number"),
        ({"data": [0.5, {}]}, "no number"),
        ({"data": [[0.5, []]]}, "no number"),
        ({"data": [10**400, 0]}, "no number"),
        ({"data": [float("nan"), 0]}, "NaN"),
        ({"data": [float("inf"), 0]}, "at most 10000"),
        ({"data": [8000, 8000]}, "at most 10000"),
        ({"data": []}, "has no data"),
        ({"data": None}, "has no data"),
        ({"data": "0.5, -1.2"}, "#/inputs/0/data"),
        ({"parameters": {"shared_memory_region": "r"}}, "shares no memory"),
        ({"parameters": {"binary_data_size": 8}}, "both data and binary_data_size"),
        ({"parameters": []}, "#/inputs/0/parameters"),
    ],
)
def test_an_input_that_is_no_latent_is_refused(
    client: httpx.Client, changes: dict[str, Any], says: str
) -> None:
    assert says in refused(client.post(INFER, content=json.dumps(asking(**changes))), 422)


@pytest.mark.parametrize("pixel", [float("nan"), float("inf"), -0.001, 1.001, 255])
def test_pixels_outside_0_to_1_are_refused(client: httpx.Client, pixel: float) -> None:
    pixels = [0.0] * 783 + [pixel]
    body = asking(name="images", shape=[1, 28, 28], data=pixels)
    assert "Divide bytes by 255" in refused(client.post(ENCODE, content=json.dumps(body)), 422)
    packed = binary(
        name="images", shape=[1, 28, 28], size=3136, content=struct.pack("<784f", *pixels)
    )
    assert "Divide bytes by 255" in refused(client.post(ENCODE, **packed), 422)


def test_more_images_than_encode_takes_are_refused(client: httpx.Client) -> None:
    body = binary(name="images", shape=[65, 28, 28], size=65 * 3136, content=bytes(65 * 3136))
    assert "1 to 64" in refused(client.post(ENCODE, **body), 422)


def test_a_whole_number_may_be_written_as_any_json_number(client: httpx.Client) -> None:
    request = binary(size=8.0, shape=[1.0, 2])
    assert client.post(INFER, **request).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 4},
        {"size": 16},
        {"size": 0},
        {"size": -8},
        {"size": 2**64},
        {"content": POINT + b"\0"},
        {"content": POINT[:-1]},
        {"content": b""},
        {"shape": [2, 2]},
        {"shape": [2**62, 2]},
        {"size": "8"},
        {"size": 8.5},
        {"size": None},
        {"content": struct.pack("<2f", float("nan"), 0)},
        {"content": struct.pack("<2f", 0, -float("inf"))},
        {"content": struct.pack("<2f", 3e38, 3e38)},
        {"length": "-1"},
        {"length": "1e3"},
        {"length": "٣"},
        {"length": "1000"},
        {"length": "9" * 5000},
    ],
    ids=str,
)
def test_bytes_that_contradict_the_json_are_refused(
    client: httpx.Client, changes: dict[str, Any]
) -> None:
    request = binary(**changes)
    headers = {name.encode(): value.encode() for name, value in request["headers"].items()}
    refused(client.post(INFER, content=request["content"], headers=headers), 422)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b'{"inputs": "\xff"}', b"[" * 5000, b"9" * 5000, b"\0" * 8],
)
def test_a_body_that_is_not_json_is_refused(client: httpx.Client, content: bytes) -> None:
    assert "not JSON" in refused(client.post(INFER, content=content), 400)


def test_json_of_many_more_values_than_a_request_needs_is_refused_unparsed(
    client: httpx.Client,
) -> None:
    most = json.dumps(asking(shape=[1024, 2], data=[[0.0, 0.0]] * 1024))
    assert client.post(INFER, content=most).status_code == 200
    for content in (b"[" * 100_000, b'{"parameters": [' + b"{}," * 6000, b"," * 10_000):
        assert "values" in refused(client.post(INFER, content=content), 413)


def test_json_of_many_more_bytes_than_its_numbers_need_is_refused(client: httpx.Client) -> None:
    for data in (["1" * 10**6, 0], [int("1" * 4000)] * 100):
        body = json.dumps(asking(data=data))
        assert f"has {len(body)} bytes" in refused(client.post(INFER, content=body), 413)


def test_json_that_is_cut_off_by_its_length_is_refused(client: httpx.Client) -> None:
    for length in ("0", "10"):
        assert "not JSON" in refused(client.post(INFER, **binary(length=length)), 400)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"inputs": []},
        {"inputs": [3]},
        {"inputs": {"latents": [[0, 0]]}},
        {"inputs": asking()["inputs"] * 2},
        {**asking(), "id": 7},
        {**asking(), "id": 10**400},
        {**asking(), "id": "\ud800"},
        {**asking(), "id": "x" * 10_000},
        {**asking(), "parameters": 3},
        {**asking(), "parameters": {"binary_data_output": "yes"}},
        {**asking(), "outputs": [{}]},
        {**asking(), "outputs": [{"name": "mean"}]},
        {**asking(), "outputs": [{"name": "images"}] * 2},
        {**asking(), "outputs": [{"name": "images", "parameters": {"classification": 3}}]},
        {**asking(), "outputs": [{"name": "images", "parameters": {"shared_memory_region": "r"}}]},
        {**asking(), "outputs": [{"name": "images", "parameters": {"binary_data": 1}}]},
    ],
)
def test_a_request_for_something_that_does_not_exist_is_refused(
    client: httpx.Client, body: object
) -> None:
    refused(client.post(INFER, content=json.dumps(body)), 422)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/mnist-vae-2d", 404),
        ("GET", "/v2/models/.decoder", 404),
        ("GET", "/v2/models/nothing.decoder", 404),
        ("GET", "/v2/models/mnist-vqvae.decoder/ready", 404),
        ("POST", "/v2/models/mnist-vqvae.decoder/infer", 404),
        ("GET", f"{DECODER}/versions/2", 404),
        ("POST", f"{DECODER}/versions/2/infer", 404),
        ("GET", f"{DECODER}/config", 404),
        ("GET", "/v2/%FF%00", 404),
        ("GET", INFER, 405),
        ("DELETE", "/v2", 405),
        ("GET", f"{DECODER}/stats", 404),
        ("POST", "/v2/repository/index", 404),
        ("POST", "/v2/repository/models/x/load", 404),
    ],
)
def test_a_path_that_does_not_exist_is_refused_in_the_form_of_the_protocol(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    assert refused(client.request(method, path), status)


def test_a_head_request_for_a_path_that_does_not_exist_gets_no_body(client: httpx.Client) -> None:
    answer = client.head("/v2/nothing")
    assert (answer.status_code, answer.content) == (404, b"")
    assert client.head("/v2").status_code == 200


def test_an_unsupported_coding_is_refused_with_the_supported_ones(client: httpx.Client) -> None:
    for coding in ("br", "gzip, gzip", "é"):
        headers = {b"content-encoding": coding.encode()}
        response = client.post(INFER, content=b"", headers=headers)
        refused(response, 415)
        assert response.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_is_not_entirely_of_its_coding_is_refused(
    client: httpx.Client, coding: str
) -> None:
    content = json.dumps(asking()).encode()
    packed = gzip.compress(content) if coding == "gzip" else zlib.compress(content)
    headers = {"content-encoding": coding}
    assert client.post(INFER, content=packed, headers=headers).status_code == 200
    for damaged in (b"", content, packed[:-1], packed + b"x", packed + packed):
        refused(client.post(INFER, content=damaged, headers=headers), 422)


def test_a_body_that_unpacks_to_more_than_the_bound_is_refused() -> None:
    settings = Settings(models=("mnist-vae-2d",), max_body_bytes=10_000)
    with serving(settings) as server, server.client() as client:
        bomb = gzip.compress(b" " * 5_000_000)
        assert len(bomb) < 10_000
        refused(client.post(INFER, content=bomb, headers={"content-encoding": "gzip"}), 413)
        refused(client.post(INFER, content=b" " * 10_001), 413)


def test_a_full_server_refuses_with_the_seconds_after_which_to_try_again(
    hold_encodes: Callable[[], tuple[Event, Event]],
) -> None:
    image = {"images": [np.eye(28).tolist()]}
    settings = Settings(models=("mnist-vae-2d",), max_wait_seconds=1e-9)
    with (
        ThreadPoolExecutor(3) as threads,
        serving(settings) as server,
        server.client() as client,
    ):
        bulk = asking(shape=[9, 2], data=[0.5] * 18)
        for _ in range(COLD + 1):  # so that the pace is known
            assert client.post(INFER, json=bulk).status_code == 200
        begun, gate = hold_encodes()
        holding = threads.submit(client.post, "/api/v1/models/mnist-vae-2d/encode", json=image)
        assert begun.wait(30)
        both = [threads.submit(client.post, INFER, json=bulk) for _ in range(2)]
        done = as_completed(both)
        response = next(done).result()  # the other waits for the engine, and leaves no room
        assert "9 latents to decode and 1 image to encode come before this" in refused(
            response, 503
        )
        assert response.headers["retry-after"] == "1"
        gate.set()
        assert next(done).result().status_code == holding.result().status_code == 200


def test_refusals_have_their_form_behind_a_proxy_too() -> None:
    settings = Settings(models=("mnist-vae-2d",), root_path="/explorer")
    with serving(settings) as server, server.client() as client:
        for path in ("/v2/nothing", "/explorer/v2/nothing"):
            refused(client.get(path), 404)
        kept = client.get("/explorer/v2x").headers["content-type"]
        assert kept == "application/problem+json"
