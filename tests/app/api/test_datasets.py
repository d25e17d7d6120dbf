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
from tests.app.serving import serving


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


def test_an_image_or_data_set_that_is_not_there_is_answered_with_what_is(
    api: httpx.Client, refused: Refused
) -> None:
    assert "0 to 9999" in refused(api.get("datasets/mnist/images/10000.png"), 404)
    assert "0 to 9999" in refused(api.get("datasets/mnist/images/-1.png"), 404)
    assert "mnist" in refused(api.get("datasets/cifar/images/0.png"), 404)
    refused(api.get("datasets/mnist/images/first.png"), 422)
    refused(api.get("datasets/mnist/images/" + "9" * 5000 + ".png"), 422)
    refused(api.get("datasets/mnist/images/0.jpg"), 404)
