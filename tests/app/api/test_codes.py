import io
import struct

import httpx
import numpy as np
import pytest

from app.formats import png
from model.engine import LabelledImages
from tests.app.conftest import Refused


def unpack(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    count, dimensions = struct.unpack_from("<II", content)
    points = np.frombuffer(content, "<f4", count * dimensions, offset=8)
    labels = np.frombuffer(content, np.uint8, offset=8 + points.nbytes)
    assert len(labels) == count
    return points.reshape(count, dimensions), labels


@pytest.mark.parametrize(("name", "dimensions"), [("mnist-vae-2d", 2), ("mnist-vae-20d", 20)])
def test_the_codes_are_the_means_of_the_test_images_in_their_order(
    api: httpx.Client, mnist: LabelledImages, name: str, dimensions: int
) -> None:
    answer = api.get(f"models/{name}/codes")
    assert answer.headers["content-type"] == "application/octet-stream"
    codes, labels = unpack(answer.content)
    assert codes.shape == (10_000, dimensions)
    assert (labels == mnist.labels).all()
    upload = {"file": ("x.png", png.encode(mnist.images[1234]))}
    (item,) = api.post(f"models/{name}/encode", files=upload).json()["items"]
    np.testing.assert_allclose(codes[1234], item["mean"], atol=1e-4)


def test_a_code_projected_onto_a_plane_has_its_coordinates_there(api: httpx.Client) -> None:
    (plane, *_) = api.get("models/mnist-vae-20d/planes").json()
    codes, labels = unpack(api.get("models/mnist-vae-20d/codes").content)
    points, same = unpack(api.get(f"models/mnist-vae-20d/codes?plane={plane['id']}").content)
    expected = [
        [
            sum(a * (z - o) for a, z, o in zip(axis, code, plane["origin"], strict=True))
            for axis in plane["axes"]
        ]
        for code in codes[:50].tolist()
    ]
    np.testing.assert_allclose(points[:50], expected, atol=1e-5)
    assert points.shape == (10_000, 2)
    assert (labels == same).all()


def test_a_part_of_the_codes_comes_as_json_with_their_labels_and_their_number(
    api: httpx.Client, mnist: LabelledImages
) -> None:
    codes, _ = unpack(api.get("models/mnist-vae-2d/codes").content)
    part = api.get(
        "models/mnist-vae-2d/codes",
        params={"start": 9_990, "count": 5},
        headers={"Accept": "application/json"},
    )
    assert part.headers["vary"].startswith("Accept")
    assert part.json() == {
        "model": "mnist-vae-2d",
        "start": 9_990,
        "total": 10_000,
        "codes": codes[9_990:9_995].tolist(),
        "labels": mnist.labels[9_990:9_995].tolist(),
    }
    beyond = api.get(
        "models/mnist-vae-2d/codes?start=20000", headers={"Accept": "application/json"}
    )
    assert (beyond.json()["codes"], beyond.json()["labels"]) == ([], [])


def test_codes_come_as_numpy_and_each_form_has_a_tag_of_its_own(api: httpx.Client) -> None:
    path = "models/mnist-vae-20d/codes?start=100"
    codes, _ = unpack(api.get(path).content)
    answers = [
        api.get(path, headers={"Accept": f"application/{form}"})
        for form in ("octet-stream", "json", "x-npy")
    ]
    assert (np.load(io.BytesIO(answers[2].content)) == codes).all()
    assert codes.shape == (9_900, 20)
    assert len({answer.headers["etag"] for answer in answers}) == 3


def test_codes_are_not_sent_again_to_a_client_that_has_them(api: httpx.Client) -> None:
    first = api.get("models/mnist-vae-20d/codes")
    tag = {"if-none-match": first.headers["etag"]}
    again = api.get("models/mnist-vae-20d/codes", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert api.get("models/mnist-vae-20d/codes?plane=pca-0-1", headers=tag).status_code == 200
    assert api.get("models/mnist-vae-2d/codes", headers=tag).status_code == 200


def test_an_unknown_plane_is_refused_with_the_known_ones(
    api: httpx.Client, refused: Refused
) -> None:
    assert "latent" in refused(api.get("models/mnist-vae-2d/codes?plane=nowhere"), 404)
    refused(api.get("models/mnist-vae-2d/codes?plane="), 404)
