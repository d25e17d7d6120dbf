import base64
import io

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.app.conftest import Refused

MODEL = "mnist-vae-20d-best"
POINT = [0.25] * 20


def decoded(api: httpx.Client, latents: list[list[float]]) -> np.ndarray:
    npy = {"Accept": "application/x-npy"}
    answer = api.post(f"models/{MODEL}/decode", json={"latents": latents}, headers=npy)
    images: np.ndarray = np.load(io.BytesIO(answer.content))
    return images


def test_the_rows_are_the_numbers_in_use_the_most_active_first(api: httpx.Client) -> None:
    answer = api.post(f"models/{MODEL}/traverse", json={"latent": POINT}).json()
    kl = api.get(f"models/{MODEL}").json()["metrics"]["latents"]["kl_per_dimension"]
    in_use = [index for index in range(20) if kl[index] > 0.01]
    assert answer["measure"] == "kl"
    assert answer["dimensions"] == sorted(in_use, key=lambda index: -kl[index])
    assert answer["activity"] == [kl[index] for index in answer["dimensions"]]
    assert sorted(answer["inactive"]) == [index for index in range(20) if kl[index] <= 0.01]
    assert len(answer["inactive"]) == 2
    assert answer["offsets"] == [[-3, -2, -1, 0, 1, 2, 3]] * len(in_use)


def test_the_images_are_the_decodes_of_what_the_offsets_lead_to(api: httpx.Client) -> None:
    body = {"latent": POINT, "dimensions": [10, 4], "steps": 5, "reach": 2}
    answer = api.post(f"models/{MODEL}/traverse", json=body).json()
    assert answer["offsets"] == [[-2, -1, 0, 1, 2]] * 2
    latents = [
        [*POINT[:number], POINT[number] + offset, *POINT[number + 1 :]]
        for number, row in zip(answer["dimensions"], answer["offsets"], strict=True)
        for offset in row
    ]
    expected = decoded(api, latents)
    shown = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(image["png"]))))
        for image in answer["images"]
    ]
    np.testing.assert_array_equal(shown, expected)
    png = api.post(f"models/{MODEL}/traverse", json=body, headers={"Accept": "image/png"})
    sheet = np.asarray(Image.open(io.BytesIO(png.content)))
    assert sheet.shape == (2 * 28, 5 * 28)
    np.testing.assert_array_equal(sheet[28:56, 3 * 28 : 4 * 28], expected[8])
    npz = api.post(f"models/{MODEL}/traverse", json=body, headers={"Accept": "application/x-npz"})
    arrays = np.load(io.BytesIO(npz.content))
    np.testing.assert_array_equal(arrays["images"], expected)
    np.testing.assert_array_equal(arrays["offsets"], answer["offsets"])


def test_an_autoencoder_moves_by_the_deviations_of_its_codes(api: httpx.Client) -> None:
    answer = api.post("models/mnist-ae-2d/traverse", json={"latent": [0, 0], "steps": 3}).json()
    npy = {"Accept": "application/x-npy"}
    codes = np.load(io.BytesIO(api.get("models/mnist-ae-2d/codes", headers=npy).content))
    assert answer["measure"] == "variance"
    deviations = codes.astype(float).std(axis=0)
    for number, row in zip(answer["dimensions"], answer["offsets"], strict=True):
        expected = [-3 * deviations[number], 0, 3 * deviations[number]]
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_a_model_of_which_no_number_is_in_use_shows_them_all(api: httpx.Client) -> None:
    body = {"latent": [0, 0]}
    answer = api.post("models/mnist-vae-2d-beta-64/traverse", json=body).json()
    assert sorted(answer["dimensions"]) == sorted(answer["inactive"]) == [0, 1]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/latent"),
        ({"latent": [0, 0, 0]}, "#/latent"),
        ({"latent": [0, 1e5]}, "#/latent"),
        ({"latent": [0, 0], "steps": 1}, "#/steps"),
        ({"latent": [0, 0], "steps": 65}, "#/steps"),
        ({"latent": [0, 0], "reach": 0}, "#/reach"),
        ({"latent": [0, 0], "reach": 11}, "#/reach"),
        ({"latent": [0, 0], "dimensions": []}, "#/dimensions"),
        ({"latent": [0, 0], "dimensions": [0] * 147}, "#/dimensions"),
        ({"latent": [0, 0], "dimensions": [0, 2]}, "#/dimensions/1"),
        ({"latent": [0, 0], "dimensions": [-1]}, "#/dimensions/0"),
        ({"latent": [0, 0], "sigma": 3}, "#/sigma"),
    ],
)
def test_a_traversal_that_makes_no_sense_is_refused(
    api: httpx.Client, refused: Refused, body: dict[str, object], pointer: str
) -> None:
    response = api.post("models/mnist-vae-2d/traverse", json=body)
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == pointer


def test_steps_that_lead_beyond_what_can_be_decoded_are_refused(
    api: httpx.Client, refused: Refused
) -> None:
    body = {"latent": [9_999, 0]}
    response = api.post("models/mnist-vae-2d/traverse", json=body)
    assert "10000" in refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == "#/reach"


def test_a_model_with_a_codebook_has_no_traversals(api: httpx.Client, refused: Refused) -> None:
    refused(api.post("models/mnist-vqvae/traverse", json={"latent": [0] * 49}), 409)
