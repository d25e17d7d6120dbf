import base64
import io

import httpx
import numpy as np
import pytest
from PIL import Image

from model.engine import Engine
from tests.app.conftest import Refused

SAMPLE = "models/mnist-vae-2d/sample"


def test_the_same_seed_draws_the_same_latents_and_another_seed_others(api: httpx.Client) -> None:
    one, same, other = (
        api.post(SAMPLE, json={"count": 5, "seed": seed}).json() for seed in (7, 7, 8)
    )
    assert one == same
    assert one["latents"] != other["latents"]


def test_a_latent_is_drawn_from_the_standard_normal_by_pcg64(
    api: httpx.Client, engine: Engine
) -> None:
    answer = api.post(SAMPLE, json={"count": 3, "seed": 11, "temperature": 0.5}).json()
    noise = np.random.Generator(np.random.PCG64(11)).standard_normal((3, 2))
    np.testing.assert_allclose(answer["latents"], 0.5 * noise, rtol=1e-6)
    images = [Image.open(io.BytesIO(base64.b64decode(i["png"]))) for i in answer["images"]]
    expected = engine.decode(np.array(answer["latents"], np.float32))
    assert (np.array([np.asarray(image) for image in images]) == expected).all()


def test_without_a_seed_one_is_drawn_and_returned(api: httpx.Client) -> None:
    first, second = (api.post(SAMPLE, json={"count": 2}).json() for _ in range(2))
    assert first["latents"] != second["latents"]
    again = api.post(SAMPLE, json={"count": 2, "seed": first["seed"]}).json()
    assert again["latents"] == first["latents"]


def test_every_sample_at_temperature_0_is_the_mean(api: httpx.Client) -> None:
    answer = api.post(SAMPLE, json={"count": 2, "temperature": 0}).json()
    assert answer["latents"] == [[0, 0], [0, 0]]


def test_an_autoencoder_draws_latents_where_its_codes_lie(api: httpx.Client) -> None:
    content = api.get("models/mnist-ae-2d/codes").content
    codes = np.frombuffer(content, "<f4", 20_000, offset=8).reshape(10_000, 2)
    drawn = api.post("models/mnist-ae-2d/sample", json={"count": 1024, "seed": 0}).json()["latents"]
    spread = codes.std(axis=0)
    np.testing.assert_allclose(np.mean(drawn, axis=0), codes.mean(axis=0), atol=0.15 * spread.max())
    np.testing.assert_allclose(np.std(drawn, axis=0), spread, rtol=0.15)


def test_samples_come_in_the_forms_of_decode(api: httpx.Client) -> None:
    request = {"count": 1024, "seed": 1}
    accept = {"accept": "application/octet-stream"}
    assert len(api.post(SAMPLE, json=request, headers=accept).content) == 1024 * 784
    sheet = api.post(SAMPLE, json=request, headers={"accept": "image/png"})
    assert Image.open(io.BytesIO(sheet.content)).size == (32 * 28, 32 * 28)
    array = api.post(SAMPLE, json=request, headers={"accept": "application/x-npy"})
    assert np.load(io.BytesIO(array.content)).shape == (1024, 28, 28)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"count": 0}', "#/count"),
        ('{"count": 1025}', "#/count"),
        ('{"count": 2.5}', "#/count"),
        ('{"seed": -1}', "#/seed"),
        ('{"seed": 9007199254740992}', "#/seed"),
        ('{"seed": "1"}', "#/seed"),
        ('{"temperature": -0.1}', "#/temperature"),
        ('{"temperature": 4.1}', "#/temperature"),
        ('{"temperature": NaN}', "#/temperature"),
        ('{"temperature": 1e999}', "#/temperature"),
        ('{"colour": 1}', "#/colour"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused_with_its_field(
    api: httpx.Client, refused: Refused, body: str, pointer: str
) -> None:
    response = api.post(SAMPLE, content=body, headers={"content-type": "application/json"})
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("count", [10**400, -(10**400), 1e308])
def test_a_number_beyond_all_floats_is_refused(
    api: httpx.Client, refused: Refused, count: float
) -> None:
    refused(api.post(SAMPLE, json={"count": count}), 422)


def test_numpy_in_an_archive_loses_neither_seed_nor_latents(api: httpx.Client) -> None:
    body = {"count": 12, "seed": 5}
    expected = api.post(SAMPLE, json=body).json()
    archive = api.post(SAMPLE, json=body, headers={"Accept": "application/x-npz"})
    with np.load(io.BytesIO(archive.content)) as found:
        assert found["seed"] == 5
        assert found["latents"].tolist() == expected["latents"]
        images = api.post(SAMPLE, json=body, headers={"Accept": "application/x-npy"}).content
        assert (found["images"] == np.load(io.BytesIO(images))).all()
