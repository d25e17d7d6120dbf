import io

import httpx
import numpy as np
import pytest
from PIL import Image

from model.engine import LabelledImages
from tests.app.conftest import Refused


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


def test_an_image_or_data_set_that_is_not_there_is_answered_with_what_is(
    api: httpx.Client, refused: Refused
) -> None:
    assert "0 to 9999" in refused(api.get("datasets/mnist/images/10000.png"), 404)
    assert "0 to 9999" in refused(api.get("datasets/mnist/images/-1.png"), 404)
    assert "mnist" in refused(api.get("datasets/cifar/images/0.png"), 404)
    refused(api.get("datasets/mnist/images/first.png"), 422)
    refused(api.get("datasets/mnist/images/" + "9" * 5000 + ".png"), 422)
    refused(api.get("datasets/mnist/images/0.jpg"), 404)
