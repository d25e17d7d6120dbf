"""The Open Inference Protocol, as spoken by its public client."""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from model.engine import Engine, LabelledImages
from tests.app.live_server import Serving

triton = pytest.importorskip("tritonclient.http")

DECODER, ENCODER = "mnist-vae-2d.decoder", "mnist-vae-2d.encoder"
LATENTS = np.random.default_rng(0).normal(size=(70, 2)).astype(np.float32)

each_way = pytest.mark.parametrize("as_bytes", [True, False], ids=["binary", "json"])


@pytest.fixture(scope="module")
def client(server: Serving) -> Iterator[Any]:
    with triton.InferenceServerClient(server.host) as client:
        yield client


@pytest.fixture
def digits(mnist: LabelledImages) -> np.ndarray:
    return mnist.images[:20].astype(np.float32) / 255


def tensor(name: str, array: np.ndarray, as_bytes: bool = True) -> Any:
    given = triton.InferInput(name, list(array.shape), "FP32")
    return given.set_data_from_numpy(array, binary_data=as_bytes)


def wanted(*names: str, as_bytes: bool = True) -> list[Any]:
    return [triton.InferRequestedOutput(name, binary_data=as_bytes) for name in names]


def test_the_server_lives_is_ready_and_says_what_it_is(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata["name"] == "latent-explorer"
    assert metadata["extensions"] == ["binary_tensor_data"]


def test_the_metadata_of_a_decoder_names_its_input_and_output(client: Any) -> None:
    metadata = client.get_model_metadata(DECODER)
    assert metadata["inputs"] == [{"name": "latents", "datatype": "FP32", "shape": [-1, 2]}]
    assert metadata["outputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28]}]
    assert metadata["versions"] == ["1"]
    assert client.get_model_metadata(DECODER, "1") == metadata
    assert client.get_model_metadata("mnist-vae-20d.decoder")["inputs"][0]["shape"] == [-1, 20]


def test_the_metadata_of_an_encoder_says_that_images_go_from_0_to_1(client: Any) -> None:
    metadata = client.get_model_metadata(ENCODER)
    assert metadata["inputs"] == [{"name": "images", "datatype": "FP32", "shape": [-1, 28, 28]}]
    assert metadata["properties"]["images"] == "From 0 (background) to 1"


@each_way
@pytest.mark.parametrize("count", [1, 8, 70])
def test_a_decoder_returns_the_bytes_of_decode(
    client: Any, api: httpx.Client, count: int, as_bytes: bool
) -> None:
    inputs = [tensor("latents", LATENTS[:count], as_bytes)]
    result = client.infer(DECODER, inputs, outputs=wanted("images", as_bytes=as_bytes))
    images = result.as_numpy("images")
    assert images.dtype == np.uint8
    body = {"latents": LATENTS[:count].tolist()}
    accept = {"accept": "application/octet-stream"}
    assert (
        images.tobytes()
        == api.post("models/mnist-vae-2d/decode", json=body, headers=accept).content
    )
    assert ("data" in result.get_output("images")) != as_bytes


@each_way
def test_an_encoder_returns_the_numbers_of_encode(
    client: Any, api: httpx.Client, digits: np.ndarray, as_bytes: bool
) -> None:
    names = ["mean", "covariance", "kl", "kl_per_dimension", "elbo", "reconstruction"]
    result = client.infer(
        ENCODER, [tensor("images", digits, as_bytes)], outputs=wanted(*names, as_bytes=as_bytes)
    )
    answer = api.post("models/mnist-vae-2d/encode", json={"images": digits.tolist()}).json()
    items = answer["items"]
    for name in ("mean", "covariance"):
        assert (result.as_numpy(name) == [item[name] for item in items]).all()
    for name in ("kl", "kl_per_dimension", "reconstruction"):
        assert (result.as_numpy(name) == [item["elbo"][name] for item in items]).all()
    assert (result.as_numpy("elbo") == [item["elbo"]["total"] for item in items]).all()


@pytest.mark.parametrize(
    ("model", "lacks"),
    [
        ("mnist-ae-2d", {"covariance", "kl", "kl_per_dimension", "elbo"}),
        ("mnist-vqvae", {"mean", "covariance", "kl", "kl_per_dimension", "elbo"}),
        ("fashion-vae-2d", set()),
    ],
)
def test_an_encoder_returns_what_its_model_has_in_the_shapes_of_its_metadata(
    client: Any, digits: np.ndarray, model: str, lacks: set[str]
) -> None:
    told = client.get_model_metadata(f"{model}.encoder")["outputs"]
    result = client.infer(f"{model}.encoder", [tensor("images", digits)])
    for output in told:
        array = result.as_numpy(output["name"])
        assert triton.np_to_triton_dtype(array.dtype) == output["datatype"]
        assert [-1, *array.shape[1:]] == output["shape"]
        assert len(array) == 20
    everything = {"mean", "covariance", "kl", "kl_per_dimension", "elbo", "reconstruction"}
    names = {output["name"] for output in told}
    assert names == everything - lacks | {"reconstruction_image"} | (
        {"indices"} if model == "mnist-vqvae" else set()
    )


def test_a_codebook_is_encoded_into_its_entries_and_has_no_decoder(
    client: Any, api: httpx.Client, digits: np.ndarray
) -> None:
    result = client.infer("mnist-vqvae.encoder", [tensor("images", digits[:3])])
    answer = api.post("models/mnist-vqvae/encode", json={"images": digits[:3].tolist()}).json()
    assert result.as_numpy("indices").tolist() == [item["indices"] for item in answer["items"]]
    assert not client.is_model_ready("mnist-vqvae.decoder")
    with pytest.raises(triton.InferenceServerException, match=r"mnist-vqvae\.encoder") as refusal:
        client.get_model_metadata("mnist-vqvae.decoder")
    assert refusal.value.status() == "404"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@each_way
def test_requests_and_responses_may_be_compressed(
    client: Any, engine: Engine, coding: str, as_bytes: bool
) -> None:
    result = client.infer(
        DECODER,
        [tensor("latents", LATENTS, as_bytes)],
        outputs=wanted("images", as_bytes=as_bytes),
        request_compression_algorithm=coding,
        response_compression_algorithm=coding,
    )
    assert (result.as_numpy("images") == engine.decode(LATENTS)).all()


def test_only_the_requested_outputs_are_returned_each_in_the_requested_form(
    client: Any, digits: np.ndarray
) -> None:
    outputs = [*wanted("kl", as_bytes=False), *wanted("mean")]
    answer = client.infer(ENCODER, [tensor("images", digits)], outputs=outputs).get_response()
    kl, mean = answer["outputs"]
    assert (kl["name"], kl["shape"]) == ("kl", [20])
    assert len(kl["data"]) == 20
    assert mean["parameters"] == {"binary_data_size": 20 * 2 * 4}
    assert "data" not in mean


def test_a_response_names_its_model_and_the_request(client: Any) -> None:
    inputs = [tensor("latents", LATENTS[:1])]
    answer = client.infer(DECODER, inputs, request_id="wé-7").get_response()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("wé-7", DECODER, "1")
    assert "id" not in client.infer(DECODER, inputs, model_version="1").get_response()


def test_many_requests_may_be_in_flight(server: Serving, engine: Engine) -> None:
    with triton.InferenceServerClient(server.host, concurrency=8) as client:
        asked = [client.async_infer(DECODER, [tensor("latents", one[None])]) for one in LATENTS]
        images = [one.get_result().as_numpy("images")[0] for one in asked]
    assert (np.array(images) == engine.decode(LATENTS)).all()


def test_fields_of_other_servers_are_ignored(client: Any) -> None:
    inputs = [tensor("latents", LATENTS[:1])]
    result = client.infer(DECODER, inputs, priority=1, timeout=10_000, parameters={"mine": "x"})
    assert result.as_numpy("images").shape == (1, 28, 28)


def test_null_says_what_leaving_a_field_out_does(server: Serving) -> None:
    point = {"name": "latents", "shape": [1, 2], "datatype": "FP32", "data": [0.5, -1.2]}
    plain = {"inputs": [point]}
    output = {"name": "images", "parameters": None}
    with_nulls = {
        "id": None,
        "parameters": None,
        "inputs": [{**point, "parameters": None}],
        "outputs": None,
    }
    path = f"/v2/models/{DECODER}/infer"
    with server.client() as client:
        wanted = client.post(path, json=plain).raise_for_status().json()
        for body in (
            with_nulls,
            {**plain, "outputs": [output]},
            {**plain, "parameters": {"binary_data_output": None}},
            {**plain, "outputs": [{**output, "parameters": {"binary_data": None}}]},
        ):
            assert client.post(path, json=body).raise_for_status().json() == wanted


def test_a_model_is_ready_once_it_is_in_memory(server: Serving, client: Any) -> None:
    assert client.is_model_ready("fashion-ae-2d.encoder", "1")
    assert "fashion-ae-2d" in {served.card.id for served in server.registry.loaded}
    assert not client.is_model_ready("fashion-ae-2d.encoder", "2")
