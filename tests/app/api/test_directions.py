import io

import httpx
import numpy as np
import pytest

from model.data.factors import slant
from tests.app.conftest import Refused


def codes_of(api: httpx.Client, model: str) -> np.ndarray:
    npy = {"Accept": "application/x-npy"}
    codes: np.ndarray = np.load(io.BytesIO(api.get(f"models/{model}/codes", headers=npy).content))
    return codes


@pytest.mark.parametrize("model", ["mnist-vae-2d", "mnist-vae-20d-best"])
def test_the_direction_of_a_label_is_the_difference_of_the_mean_codes(
    api: httpx.Client, model: str
) -> None:
    labels = np.array(api.get("datasets/mnist/labels").json()["labels"])
    codes = codes_of(api, model).astype(float)
    answer = api.post(f"models/{model}/directions", json={"label": 4}).json()
    expected = codes[labels == 4].mean(0) - codes[labels != 4].mean(0)
    np.testing.assert_allclose(answer["direction"], expected, atol=1e-6)
    assert answer["scale"] == pytest.approx(np.linalg.norm(expected))
    assert answer["model"] == model
    assert (answer["label"], answer["factor"]) == (4, None)
    assert answer["method"] == "difference-of-means"
    assert (answer["images"], answer["labelled"]) == (10_000, (labels == 4).sum())
    assert 0.8 < answer["auc"] <= 1
    assert answer["r_squared"] is answer["deviation"] is None


def test_the_direction_of_slant_slants_the_digits_and_leaves_what_lies_across_it(
    api: httpx.Client,
) -> None:
    model = "models/mnist-vae-20d-best"
    answer = api.post(f"{model}/directions", json={"factor": "slant"}).json()
    assert answer["method"] == "least-squares"
    assert answer["labelled"] is answer["auc"] is None
    assert answer["r_squared"] > 0.8
    codes = codes_of(api, "mnist-vae-20d-best")[:200]
    moved = codes + 15 * np.array(answer["direction"])
    sent = [{"latents": rows.tolist()} for rows in (codes, moved)]
    npy = {"Accept": "application/x-npy"}
    before, after = (
        np.load(io.BytesIO(api.post(f"{model}/decode", json=body, headers=npy).content)) / 255
        for body in sent
    )
    gained = slant(after) - slant(before)
    assert 7 < gained.mean() < 15
    assert (gained > 0).mean() > 0.95


def test_the_attributes_of_clothes_are_their_own(api: httpx.Client) -> None:
    answer = api.get("models/fashion-vae-2d/attributes").json()
    assert answer["labels"] == list(range(10))
    assert [factor["id"] for factor in answer["factors"]] == ["height", "width", "brightness"]
    for factor in answer["factors"]:
        found = api.post("models/fashion-vae-2d/directions", json={"factor": factor["id"]}).json()
        assert 0 < found["r_squared"] < 1
        assert factor["about"].endswith(".")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"),
        ({"label": 3, "factor": "slant"}, "#"),
        ({"label": 10}, "#/label"),
        ({"label": -1}, "#/label"),
        ({"label": "3"}, "#/label"),
        ({"factor": "slants"}, "#/factor"),
        ({"factor": "height"}, "#/factor"),
        ({"factors": "slant"}, "#/factors"),
    ],
)
def test_an_attribute_without_a_direction_is_refused(
    api: httpx.Client, refused: Refused, body: dict[str, object], pointer: str
) -> None:
    response = api.post("models/mnist-vae-2d/directions", json=body)
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == pointer


def test_a_model_with_a_codebook_has_no_directions(api: httpx.Client, refused: Refused) -> None:
    refused(api.get("models/mnist-vqvae/attributes"), 409)
    refused(api.post("models/mnist-vqvae/directions", json={"label": 3}), 409)
