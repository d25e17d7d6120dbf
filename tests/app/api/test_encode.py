import base64
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.formats import png
from app.http.form_body import parse_form
from app.settings import Settings
from model.engine import Engine, LabelledImages
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import serving
from tests.app.pictures import bomb, drawing, file

ENCODE = "models/mnist-vae-2d/encode"


def read(image: dict[str, str]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image["png"]))))


def files(contents: list[bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (f"{index}.png", content)) for index, content in enumerate(contents)]


def test_a_test_image_comes_back_exactly_with_what_the_engine_makes_of_it(
    api: httpx.Client, engine: Engine, mnist: LabelledImages
) -> None:
    answer = api.post(ENCODE, files=files([png.encode(mnist.images[7])])).json()
    expected = engine.encode(mnist.images[7:8].astype(np.float32) / 255)
    assert answer["model"] == "mnist-vae-2d"
    (item,) = answer["items"]
    assert (read(item["input"]) == mnist.images[7]).all()
    assert expected.mean is not None
    assert item["mean"] == pytest.approx(expected.mean[0].tolist(), abs=1e-6)
    assert item["mean"] == pytest.approx(engine.codes[7].tolist(), abs=1e-4)
    assert expected.covariance is not None
    np.testing.assert_allclose(item["covariance"], expected.covariance[0], rtol=1e-4)
    assert item["indices"] is None
    assert (read(item["reconstruction"]) == engine.decode(expected.mean)[0]).all()
    assert item["elbo"]["reconstruction"] == pytest.approx(expected.reconstruction[0], rel=1e-5)
    assert [step["name"] for step in item["steps"]] == ["read", "kept"]


def test_the_elbo_adds_up(api: httpx.Client, mnist: LabelledImages) -> None:
    answer = api.post(ENCODE, files=files([png.encode(image) for image in mnist.images[:5]]))
    for item in answer.json()["items"]:
        elbo = item["elbo"]
        assert elbo["reconstruction"] < 0
        assert elbo["kl"] == pytest.approx(sum(elbo["kl_per_dimension"]), rel=1e-4)
        assert elbo["total"] == pytest.approx(elbo["reconstruction"] - elbo["kl"], rel=1e-5)


def test_files_base64_and_numbers_give_the_same_answer(
    api: httpx.Client, mnist: LabelledImages
) -> None:
    image = mnist.images[3]
    packed = png.encode(image)
    asked = [base64.b64encode(packed).decode(), (image / 255).tolist()]
    from_json = api.post(ENCODE, json={"images": asked}).json()["items"]
    (from_file,) = api.post(ENCODE, files=files([packed])).json()["items"]
    for item in from_json:
        assert item["mean"] == pytest.approx(from_file["mean"], abs=1e-5)
        assert item["input"] == from_file["input"]
    assert from_json[1]["steps"] == []


def test_of_several_bad_images_in_json_the_first_is_named(
    api: httpx.Client, refused: Refused
) -> None:
    no_image = base64.b64encode(b"no image").decode()
    numbers = [[0.5] * 28] * 28
    for images in ([numbers, no_image, "no base64", 7], [numbers, 7, no_image, "no base64"]):
        response = api.post(ENCODE, json={"images": images})
        refused(response, 422)
        (error,) = response.json()["errors"]
        assert error["pointer"] == "#/images/1"


def test_each_of_64_images_is_encoded_in_its_order_as_it_is_alone(
    api: httpx.Client, mnist: LabelledImages
) -> None:
    contents = [png.encode(image) for image in mnist.images[:64]]
    items = api.post(ENCODE, files=files(contents)).json()["items"]
    assert len(items) == 64
    for index in (0, 31, 63):
        (alone,) = api.post(ENCODE, files=files(contents[index : index + 1])).json()["items"]
        assert items[index]["input"] == alone["input"]
        assert items[index]["mean"] == pytest.approx(alone["mean"], abs=1e-4)
        assert items[index]["elbo"]["total"] == pytest.approx(alone["elbo"]["total"], rel=1e-4)


def npy(array: np.ndarray) -> dict[str, Any]:
    file = io.BytesIO()
    np.save(file, array)
    return {"content": file.getvalue(), "headers": {"Content-Type": "application/x-npy"}}


def test_a_numpy_file_of_levels_or_of_shares_is_encoded_as_the_same_numbers_are(
    api: httpx.Client, mnist: LabelledImages
) -> None:
    shares = mnist.images[:3].astype(np.float32) / 255
    expected = api.post(ENCODE, json={"images": shares.tolist()}).json()
    for array in (
        mnist.images[:3],
        shares,
        np.asfortranarray(shares),
        mnist.images[:3].astype(int),
    ):
        assert api.post(ENCODE, **npy(array)).json() == expected


def test_numpy_images_of_another_size_are_prepared_as_files_of_them_are(api: httpx.Client) -> None:
    image = np.asarray(Image.open(io.BytesIO(file(drawing()))).convert("L"))
    as_file = api.post(ENCODE, files=files([png.encode(image)])).json()
    assert api.post(ENCODE, **npy(image[None])).json() == as_file
    assert len(as_file["items"][0]["steps"]) > 2


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((65, 28, 28)), "65 images; 1 to 64"),
        (np.zeros((0, 28, 28)), "0 images; 1 to 64"),
        (np.zeros((28, 28), bool), "no array of 3 or 4 dimensions of whole numbers or floats"),
        (np.zeros((28, 28), bool), "but one of 2 of the type |b1"),
        (np.zeros((1, 28, 0)), "is empty"),
        (np.full((1, 28, 28), 1.5), "outside 0 (background) to 1"),
        (np.full((1, 28, 28), np.nan), "outside 0 (background) to 1"),
        (np.full((1, 28, 28), 256), "outside 0 (background) to 255"),
        (np.zeros((1, 28, 28), complex), "whole numbers or floats"),
    ],
)
def test_a_numpy_file_without_images_is_refused_with_the_reason(
    api: httpx.Client, refused: Refused, array: np.ndarray, reason: str
) -> None:
    assert reason in refused(api.post(ENCODE, **npy(array)), 422)


def test_blank_numbers_are_encoded_as_they_are_and_a_blank_file_is_refused(
    api: httpx.Client, refused: Refused
) -> None:
    blank = np.zeros((1, 28, 28), np.uint8)
    listed = api.post(ENCODE, json={"images": blank.tolist()})
    in_numpy = api.post(ENCODE, **npy(blank))
    assert listed.status_code == 200
    assert in_numpy.json() == listed.json()
    for size in (28, 40):
        black = png.encode(np.zeros((size, size), np.uint8))
        assert "is blank" in refused(api.post(ENCODE, files={"file": black}), 422)
    to_prepare = np.zeros((1, 40, 40), np.uint8)
    assert "is blank" in refused(api.post(ENCODE, **npy(to_prepare)), 422)


def test_an_image_file_may_be_the_body_itself(api: httpx.Client, refused: Refused) -> None:
    content = file(drawing())
    by_form = api.post(ENCODE, files=files([content])).json()
    for kind in ("image/png", "image/x-whatever"):
        alone = api.post(ENCODE, content=content, headers={"Content-Type": kind})
        assert alone.json() == by_form
    bad = api.post(ENCODE, content=b"GIF89a", headers={"Content-Type": "image/gif"})
    refused(bad, 422)


@pytest.mark.parametrize("wanted", ["mean", "mean,covariance", "elbo,mean", "input,steps"])
def test_only_what_is_included_is_answered(api: httpx.Client, wanted: str) -> None:
    sent: dict[str, Any] = {"files": files([file(drawing())] * 9)}
    whole = api.post(ENCODE, **sent).json()["items"]
    some = api.post(f"{ENCODE}?include={wanted}", **sent).json()["items"]
    names = wanted.split(",")
    assert all(set(item) == set(names) for item in some)
    for item, full in zip(some, whole, strict=True):
        if "mean" in item:
            assert item.pop("mean") == pytest.approx(full["mean"], abs=1e-6)
        if "covariance" in item:
            np.testing.assert_allclose(item.pop("covariance"), full["covariance"], rtol=1e-5)
        assert item == {name: full[name] for name in names if name in item}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("", "An empty name is no field of an item here. There is mean, covariance"),
        ("mean,", "An empty name"),
        ("mean,maen", "maen is no field of an item here; did you mean mean?"),
        ("mean;elbo", "mean;elbo is no field"),
    ],
)
def test_a_field_that_there_is_not_cannot_be_included(
    api: httpx.Client, refused: Refused, wanted: str, said: str
) -> None:
    answer = api.post(f"{ENCODE}?include={wanted}", files=files([file(drawing())]))
    assert said in refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "?include"


@pytest.mark.slow
def test_many_encodes_at_once_wait_for_each_other_and_none_is_refused(
    mnist: LabelledImages,
) -> None:
    settings = Settings(models=("mnist-vae-2d",), max_wait_seconds=60)  # on any machine
    sent = files([png.encode(image) for image in mnist.images[:64]])
    with (
        ThreadPoolExecutor(8) as threads,
        serving(settings) as server,
        server.client() as client,
    ):
        path = f"/api/v1/{ENCODE}"
        asked = [threads.submit(client.post, path, files=sent) for _ in range(8)]
        assert [one.result().status_code for one in asked] == [200] * 8


@pytest.mark.parametrize(("count", "in_thread"), [(1, False), (64, True)])
def test_a_form_of_many_images_is_parsed_beside_the_event_loop(
    count: int, in_thread: bool, mnist: LabelledImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noted(*arguments: Any) -> Any:
        seen.append(threading.current_thread().name)
        return parse_form(*arguments)

    monkeypatch.setattr("app.api.encode.parse_form", noted)
    sent = files([png.encode(image) for image in mnist.images[:count]])
    with serving(Settings(models=("mnist-vae-2d",))) as server, server.client() as client:
        assert client.post(f"/api/v1/{ENCODE}", files=sent).status_code == 200
    (thread,) = seen
    assert thread.startswith("images") == in_thread


def test_an_autoencoder_returns_null_for_what_it_lacks(
    api: httpx.Client, mnist: LabelledImages
) -> None:
    content = png.encode(mnist.images[0])
    (item,) = api.post("models/mnist-ae-2d/encode", files=files([content])).json()["items"]
    assert item["covariance"] is None
    assert item["elbo"]["reconstruction"] < 0
    assert [item["elbo"][name] for name in ("kl", "kl_per_dimension", "total")] == [None] * 3


def test_a_drawing_is_prepared_and_each_step_is_shown(api: httpx.Client) -> None:
    page = np.full((200, 300), 255, np.uint8)
    page[40:160, 140:155] = 0
    (item,) = api.post(ENCODE, files=files([png.encode(page)])).json()["items"]
    steps = item["steps"]
    assert [step["name"] for step in steps] == ["read", "inverted", "cropped", "fitted", "centred"]
    assert all(step["detail"] for step in steps)
    assert (read(steps[-1]["image"]) == read(item["input"])).all()
    assert read(item["input"]).shape == (28, 28)


def test_an_upload_for_a_model_of_clothes_is_prepared_as_clothes(tmp_path: Path) -> None:
    untrained.write(tmp_path, "plain")
    untrained.write(tmp_path, "clothes", dataset="fashion-mnist", group="clothes")
    upload = file(drawing(ink=0, paper=255))
    packed = base64.b64encode(upload).decode()
    settings = Settings(checkpoints=tmp_path, default_model="plain")
    with serving(settings) as server, server.client() as client:

        def last_step(model: str, **sent: Any) -> str:
            answer = client.post(f"/api/v1/models/{model}/encode", **sent)
            (item,) = answer.json()["items"]
            return str(item["steps"][-1]["name"])

        for sent in ({"files": {"file": upload}}, {"json": {"images": [packed]}}):
            assert last_step("clothes", **sent) == "placed"
            assert last_step("plain", **sent) == "centred"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no image", "PNG, JPEG, WEBP, GIF, BMP, TIFF"),
        (b"", "PNG, JPEG, WEBP, GIF, BMP, TIFF"),
        (png.encode(np.zeros((28, 28), np.uint8)), "blank"),
        (png.encode(np.eye(99, dtype=np.uint8) * 255)[:-40], "damaged"),
        (bomb(), "pixels"),
    ],
    ids=["text", "nothing", "blank", "cut off", "too many pixels"],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    api: httpx.Client, refused: Refused, mnist: LabelledImages, content: bytes, says: str
) -> None:
    good = png.encode(mnist.images[0])
    response = api.post(ENCODE, files=files([good, content]))
    assert says in refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == "#/file/1"
    both = [base64.b64encode(one).decode() for one in (good, content)]
    response = api.post(ENCODE, json={"images": both})
    assert says in refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == "#/images/1"


def test_of_several_files_that_cannot_be_used_the_first_is_named(
    api: httpx.Client, refused: Refused
) -> None:
    slow, quick = png.encode(np.zeros((4000, 4000), np.uint8)), b"no image"
    for contents, says in (([slow, quick], "blank"), ([quick, slow], "no image file")):
        response = api.post(ENCODE, files=files(contents))
        assert says in refused(response, 422)
        assert [error["pointer"] for error in response.json()["errors"]] == ["#/file/0"]


@pytest.mark.parametrize(
    "image",
    [
        [[0.5] * 28] * 27,
        [[0.5] * 27] * 28,
        [[0.5] * 28] * 27 + [[0.5]],
        [[1.5] * 28] * 28,
        [[-0.1] * 28] * 28,
        [["0"] * 28] * 28,
        [[None] * 28] * 28,
        [[True] * 28] * 28,
        [[10**400] * 28] * 28,
        [],
        {},
        7,
        None,
        "!",
        "QUJD\n",
        "é",
    ],
)
def test_json_that_is_no_image_is_refused(
    api: httpx.Client, refused: Refused, image: object
) -> None:
    response = api.post(ENCODE, json={"images": [[[0.5] * 28] * 28, image]})
    refused(response, 422)
    assert response.json()["errors"][0]["pointer"] == "#/images/1"


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
def test_a_number_that_is_not_finite_is_refused(
    api: httpx.Client, refused: Refused, number: str
) -> None:
    row = "[" + ",".join([number] * 28) + "]"
    body = '{"images": [[' + ",".join([row] * 28) + "]]}"
    response = api.post(ENCODE, content=body, headers={"content-type": "application/json"})
    refused(response, 422)


@pytest.mark.parametrize("body", [{}, {"images": []}, {"images": ["x"] * 65}, {"image": []}, []])
def test_json_without_1_to_64_images_is_refused(
    api: httpx.Client, refused: Refused, body: object
) -> None:
    refused(api.post(ENCODE, json=body), 422)


def test_a_body_that_is_not_json_is_refused(api: httpx.Client, refused: Refused) -> None:
    for body in (b"{", b"[" * 100_000, b"\xff"):
        response = api.post(ENCODE, content=body, headers={"content-type": "application/json"})
        assert "not JSON" in refused(response, 400)


def test_a_form_without_1_to_64_files_is_refused(
    api: httpx.Client, refused: Refused, mnist: LabelledImages
) -> None:
    content = png.encode(mnist.images[0])
    assert "64" in refused(api.post(ENCODE, files=files([content] * 65)), 422)
    assert "`file`" in refused(api.post(ENCODE, files={"image": ("a.png", content)}), 422)
    assert "`file`" in refused(api.post(ENCODE, files={"file": (None, b"text")}), 422)
    both = [*files([content]), ("other", ("b.png", content))]
    assert "other" in refused(api.post(ENCODE, files=both), 422)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx"),
        ("multipart/form-data; boundary=b", b""),
    ],
)
def test_a_form_that_is_damaged_is_refused(
    api: httpx.Client, refused: Refused, kind: str, body: bytes
) -> None:
    refused(api.post(ENCODE, content=body, headers={"content-type": kind}), 422)


def test_a_body_of_another_type_is_refused(api: httpx.Client, refused: Refused) -> None:
    for headers in ({}, {"content-type": "text/plain"}, {"content-type": ";;"}):
        assert "multipart/form-data" in refused(
            api.post(ENCODE, content=b"x", headers=headers), 415
        )


@pytest.mark.parametrize("count", [1, 9])
@pytest.mark.parametrize("model", ["mnist-vae-2d", "mnist-ae-2d"])
def test_a_numpy_file_holds_the_codes(
    api: httpx.Client, mnist: LabelledImages, model: str, count: int
) -> None:
    uploads = files([png.encode(image) for image in mnist.images[:count]])
    numbers = {"images": (mnist.images[:count] / 255).tolist()}
    npy = {"accept": "application/x-npy"}
    items = api.post(f"models/{model}/encode", files=uploads).json()["items"]
    for body in ({"files": uploads}, {"json": numbers}):
        answer = api.post(f"models/{model}/encode", headers=npy, **body)
        assert answer.headers["content-type"] == "application/x-npy"
        codes = np.load(io.BytesIO(answer.content))
        assert codes.dtype == np.float32
        assert codes.shape == (count, 2)
        np.testing.assert_allclose(codes, [item["mean"] for item in items], rtol=1e-5)
    kind = {"content-type": "application/x-npy"}
    decoded = api.post(f"models/{model}/decode", content=answer.content, headers=kind)
    assert len(decoded.json()["images"]) == count


def test_a_form_other_than_json_and_numpy_is_refused(
    api: httpx.Client, refused: Refused, mnist: LabelledImages
) -> None:
    upload = files([png.encode(mnist.images[0])])
    refused(api.post(ENCODE, files=upload, headers={"accept": "image/png"}), 406)


@pytest.mark.parametrize("number", ["a" * 2_000_000, True, None, [0], 10**400, -0.1, 1e999])
def test_values_that_are_no_numbers_or_too_large_are_refused_before_they_take_memory(
    api: httpx.Client, refused: Refused, number: object
) -> None:
    """NumPy would make each of the 784 values as long as the longest."""
    rows = [[0] * 28 for _ in range(28)]
    rows[3][7] = number  # type: ignore[call-overload]
    content = json.dumps({"images": [rows]}).replace("Infinity", "1e999").encode()
    response = api.post(ENCODE, content=content, headers={"content-type": "application/json"})
    refused(response, 422)
