import io
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.settings import Settings
from model.engine import LabelledImages
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import serving


@pytest.mark.parametrize("index", [0, 7, 9999])
def test_a_test_image_has_the_pixels_of_the_data_set(
    api: httpx.Client, mnist: LabelledImages, index: int
) -> None:
    answer = api.get(f"datasets/mnist/images/{index}.png")
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert (np.asarray(Image.open(io.BytesIO(answer.content))) == mnist.images[index]).all()
    known = {"if-none-match": answer.headers["etag"]}
    assert api.get(f"datasets/mnist/images/{index}.png", headers=known).status_code == 304


@pytest.mark.parametrize("n", [0, 1, 9])
def test_a_sheet_has_the_test_images_row_by_row_and_zeros_after_the_last(
    api: httpx.Client, mnist: LabelledImages, n: int
) -> None:
    answer = api.get(f"datasets/mnist/sprites/{n}.png")
    assert "immutable" in answer.headers["cache-control"]
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert sheet.shape == (896, 896)
    for place in range(1024):
        row, column = divmod(place, 32)
        shown = sheet[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        index = 1024 * n + place
        assert (shown == (mnist.images[index] if index < 10_000 else 0)).all()
    known = {"if-none-match": answer.headers["etag"]}
    assert api.get(f"datasets/mnist/sprites/{n}.png", headers=known).status_code == 304


def test_a_sheet_that_does_not_exist_is_refused_with_those_that_do(
    api: httpx.Client, refused: Refused
) -> None:
    for n in ("10", "-1"):
        assert "sheets 0 to 9" in refused(api.get(f"datasets/mnist/sprites/{n}.png"), 404)
    assert "mnist" in refused(api.get("datasets/cifar/sprites/0.png"), 404)
    refused(api.get("datasets/mnist/sprites/first.png"), 404)


def test_clothes_are_served_where_a_model_of_them_is(
    tmp_path: Path, fashion: LabelledImages
) -> None:
    untrained.write(tmp_path, "plain")
    untrained.write(tmp_path, "clothes", dataset="fashion-mnist", group="clothes")
    with (
        serving(Settings(checkpoints=tmp_path, default_model="plain")) as server,
        server.client() as client,
    ):
        for index in (0, 9999):
            answer = client.get(f"/api/v1/datasets/fashion-mnist/images/{index}.png")
            assert (
                np.asarray(Image.open(io.BytesIO(answer.content))) == fashion.images[index]
            ).all()
        assert client.get("/readyz").json()["loaded"] == ["plain"], "no model is needed for it"


def test_an_image_or_data_set_that_does_not_exist_is_refused_with_those_that_do(
    api: httpx.Client, refused: Refused
) -> None:
    assert "0 to 9999" in refused(api.get("datasets/mnist/images/10000.png"), 404)
    assert "0 to 9999" in refused(api.get("datasets/mnist/images/-1.png"), 404)
    assert "mnist" in refused(api.get("datasets/cifar/images/0.png"), 404)
    refused(api.get("datasets/mnist/images/first.png"), 404)
    refused(api.get("datasets/mnist/images/" + "9" * 5000 + ".png"), 404)
    refused(api.get("datasets/mnist/images/0.jpg"), 404)


def test_every_data_set_names_its_labels(api: httpx.Client) -> None:
    listed = {one["id"]: one for one in api.get("datasets").json()["datasets"]}
    assert list(listed) == ["fashion-mnist", "mnist"]
    assert listed["mnist"]["labels"] == list("0123456789")
    assert listed["fashion-mnist"]["labels"][9] == "Ankle boot"
    assert {one["images"] for one in listed.values()} == {10_000}
    assert listed["mnist"]["licence"] == "CC BY-SA 3.0"


def test_a_model_of_an_unknown_data_set_is_not_offered_and_the_data_sets_of_others_are_listed(
    tmp_path: Path, refused: Refused, caplog: pytest.LogCaptureFixture
) -> None:
    untrained.write(tmp_path, "plain")
    untrained.write(tmp_path, "own")
    card = tmp_path / "own" / "card.json"
    card.write_text(card.read_text().replace('"dataset": "mnist"', '"dataset": "my-shapes"'))
    settings = Settings(checkpoints=tmp_path, default_model="plain")
    with serving(settings) as server, server.client() as client:
        for path in ("models/own/planes", "datasets/my-shapes/images/0.png"):
            refused(client.get(f"/api/v1/{path}"), 404)
        (listed,) = client.get("/api/v1/datasets").json()["datasets"]
        assert listed["id"] == "mnist"
        assert client.get("/api/v1/datasets/mnist/images/0.png").status_code == 200
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert error.getMessage().startswith("Model own is skipped: ")
    assert "my-shapes" in error.getMessage()


def test_one_data_set_is_described_as_in_the_list(api: httpx.Client) -> None:
    for listed in api.get("datasets").json()["datasets"]:
        assert api.get(f"datasets/{listed['id']}").json() == listed
    assert "mnist" in api.get("datasets/nope").json()["detail"]


def test_the_labels_of_the_test_images_come_as_json_and_numpy(
    api: httpx.Client, fashion: LabelledImages
) -> None:
    path = "datasets/fashion-mnist/labels"
    answer = api.get(path)
    assert answer.json() == {"dataset": "fashion-mnist", "labels": fashion.labels.tolist()}
    assert "immutable" in answer.headers["cache-control"]
    packed = api.get(path, headers={"Accept": "application/x-npy"})
    assert (np.load(io.BytesIO(packed.content)) == fashion.labels).all()
    tag = {"If-None-Match": packed.headers["etag"]}
    assert api.get(path, headers=tag).status_code == 200, "the tag is of the other form"
