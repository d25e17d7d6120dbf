import math

import httpx
import numpy as np
import pytest

from tests.app.conftest import Refused


@pytest.mark.parametrize(
    ("model", "z"), [("mnist-vae-2d", "0.5,-1.2"), ("mnist-vae-20d", ",".join(["0.3"] * 20))]
)
def test_the_neighbours_are_those_of_a_search_through_all_codes(
    api: httpx.Client, model: str, z: str
) -> None:
    content = api.get(f"models/{model}/codes").content
    latent = np.array(z.split(","), np.float32).tolist()
    codes = np.frombuffer(content, "<f4", 10_000 * len(latent), offset=8).reshape(10_000, -1)
    labels = content[8 + codes.nbytes :]
    distances = [math.dist(code, latent) for code in codes.tolist()]
    order = sorted(range(10_000), key=lambda index: (distances[index], index))
    for k, query in ((40, ""), (1, "&k=1"), (200, "&k=200")):
        answer = api.get(f"models/{model}/neighbours?z={z}{query}").json()
        assert answer["model"] == model
        found = answer["neighbours"]
        assert [entry["index"] for entry in found] == order[:k]
        assert [entry["label"] for entry in found] == [labels[index] for index in order[:k]]
        expected = [distances[index] for index in order[:k]]
        assert [entry["distance"] for entry in found] == pytest.approx(expected, abs=1e-6)


def test_a_code_is_its_own_nearest_neighbour(api: httpx.Client) -> None:
    content = api.get("models/mnist-vae-2d/codes").content
    u, v = np.frombuffer(content, "<f4", 2, offset=8 + 8 * 77).tolist()
    answer = api.get(f"models/mnist-vae-2d/neighbours?z={u!r},{v!r}&k=1").json()
    assert answer["neighbours"][0]["index"] == 77
    assert answer["neighbours"][0]["distance"] == 0


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "?z"),
        ("z=", "?z"),
        ("z=1", "?z"),
        ("z=a,b", "?z"),
        ("z=nan,0", "?z"),
        ("z=1e5,0", "?z"),
        ("z=0,0&k=0", "?k"),
        ("z=0,0&k=201", "?k"),
        ("z=0,0&k=few", "?k"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    api: httpx.Client, refused: Refused, query: str, pointer: str
) -> None:
    response = api.get(f"models/mnist-vae-2d/neighbours?{query}")
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == pointer


def test_distances_are_those_of_the_codes_to_the_digits_that_the_document_promises(
    api: httpx.Client,
) -> None:
    json = {"Accept": "application/json"}
    codes = np.array(api.get("models/mnist-vae-20d/codes", headers=json).json()["codes"])
    for index in (3, 777):
        z = ",".join(map(str, codes[index] + 0.25))
        found = api.get("models/mnist-vae-20d/neighbours", params={"z": z, "k": 50}).json()
        near = [one["index"] for one in found["neighbours"]]
        expected = np.linalg.norm(codes - (codes[index] + 0.25), axis=1)
        told = [one["distance"] for one in found["neighbours"]]
        np.testing.assert_allclose(told, expected[near], rtol=1e-6, atol=1e-5)
        assert set(near) == set(np.argsort(expected, kind="stable")[:50].tolist())
