"""Every route of a model follows the shape of its images: grey, square and wide, in colour."""

import base64
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.settings import Settings
from model.engine import Engine
from tests import shaped
from tests.app.conftest import Refused
from tests.app.live_server import Serving, serving

Z = [[0.3, -0.4], [1.0, 0.5], [-0.7, 0.2]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with a data set and a model of each shape."""
    folder = tmp_path_factory.mktemp("shapes")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in shaped.SHAPES:
            shaped.install(folder, name)
            shaped.write(folder, name, **shaped.CONV)
        yield folder
    shaped.forget()


@pytest.fixture(scope="module")
def shapes(folder: Path) -> Iterator[Serving]:
    settings = Settings(checkpoints=folder / "checkpoints", default_model="wide-model")
    with serving(settings) as running:
        yield running


@pytest.fixture(params=shaped.SHAPES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(folder: Path, name: str) -> Engine:
    return Engine.load(folder / "checkpoints" / f"{name}-model", "cpu")


@pytest.fixture
def decoded(engine: Engine) -> np.ndarray:
    """The images of `Z`, by the engine itself."""
    return engine.decode(np.array(Z, np.float32))


@pytest.fixture
def api(shapes: Serving, name: str) -> Iterator[httpx.Client]:
    """Yield a client whose paths start at the model."""
    with shapes.client() as client:
        client.base_url = client.base_url.join(f"/api/v1/models/{name}-model/")
        yield client


@pytest.fixture
def client(shapes: Serving) -> Iterator[httpx.Client]:
    with shapes.client() as client:
        yield client


def opened(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def test_the_card_and_the_data_set_say_the_shape(
    client: httpx.Client, name: str, engine: Engine
) -> None:
    shape = {"height": engine.image.height, "width": engine.image.width}
    wanted = {**shape, "channels": engine.image.channels}
    card = client.get(f"/api/v1/models/{name}-model").json()
    assert card["image"] == wanted
    dataset = client.get(f"/api/v1/datasets/{name}").json()
    assert dataset["image"] == wanted
    assert dataset["preprocessing"] == ("photo" if engine.image.is_colour else "thing")


def test_decode_answers_arrays_bytes_and_pictures_of_the_shape(
    api: httpx.Client, decoded: np.ndarray
) -> None:
    def post(accept: str) -> bytes:
        answer = api.post("decode", json={"latents": Z}, headers={"Accept": accept})
        return answer.raise_for_status().content

    np.testing.assert_array_equal(np.load(io.BytesIO(post("application/x-npy"))), decoded)
    assert post("application/octet-stream") == decoded.tobytes()
    with np.load(io.BytesIO(post("application/x-npz"))) as archive:
        np.testing.assert_array_equal(archive["images"], decoded)
    sheet = opened(post("image/png"))
    height, width = decoded.shape[1:3]
    assert sheet.shape == (2 * height, 2 * width, *decoded.shape[3:])
    np.testing.assert_array_equal(sheet[:height, width:], decoded[1])
    answer = api.post("decode", json={"latents": Z}).json()
    for listed, image in zip(answer["images"], decoded, strict=True):
        assert (listed["width"], listed["height"]) == (width, height)
        np.testing.assert_array_equal(opened(base64.b64decode(listed["png"])), image)


def test_decode_png_enlarges_by_whole_pixels_to_its_longer_side(
    api: httpx.Client, decoded: np.ndarray, engine: Engine
) -> None:
    z, longest = ",".join(map(str, Z[0])), engine.image.longest
    enlarged = opened(api.get("decode.png", params={"z": z, "size": 3 * longest}).content)
    np.testing.assert_array_equal(enlarged, decoded[0].repeat(3, axis=0).repeat(3, axis=1))
    same = opened(api.get("decode.png", params={"z": z, "size": longest}).content)
    np.testing.assert_array_equal(same, decoded[0])
    assert max(opened(api.get("decode.png", params={"z": z}).content).shape[:2]) == 280


def test_decode_png_refuses_a_size_below_that_of_the_image(
    api: httpx.Client, engine: Engine, refused: Refused
) -> None:
    longest = engine.image.longest
    answer = api.get("decode.png", params={"z": "0,0", "size": longest - 1})
    assert f"from {longest} to 1120" in refused(answer, 422)


def test_a_frame_of_the_stream_has_the_bytes_of_an_image(
    shapes: Serving, name: str, decoded: np.ndarray
) -> None:
    with shapes.stream(f"{name}-model") as stream:
        for number, (z, image) in enumerate(zip(Z, decoded, strict=True)):
            stream.send(struct.pack("<I2f", number, *z))
            assert stream.recv(timeout=30) == struct.pack("<I", number) + image.tobytes()


def test_tiles_have_as_many_cells_as_the_plane_says(api: httpx.Client, engine: Engine) -> None:
    plane = api.get("planes/latent").json()
    cells = plane["cells"]
    assert cells == {28: 8, 32: 8, 64: 4}[engine.image.longest]
    tile = opened(api.get("planes/latent/tiles/1/0/1.png").content)
    assert tile.shape[:2] == (cells * engine.image.height, cells * engine.image.width)
    np.testing.assert_array_equal(tile, engine.tile("latent", 1, 0, 1))


@pytest.mark.parametrize("form", ["image/gif", "image/webp"])
def test_an_animation_has_the_proportions_of_the_images(
    api: httpx.Client, engine: Engine, form: str
) -> None:
    ends = {"start": {"latent": Z[0]}, "end": {"latent": Z[1]}, "steps": 4}
    answer = api.post("interpolate", json=ends, headers={"Accept": form}).raise_for_status()
    with Image.open(io.BytesIO(answer.content)) as film:
        assert getattr(film, "n_frames", 1) == 4
        factor = 336 // engine.image.longest
        assert film.size == (factor * engine.image.width, factor * engine.image.height)


def test_a_film_strip_is_in_colour_where_the_images_are(
    api: httpx.Client, decoded: np.ndarray
) -> None:
    ends = {"start": {"latent": Z[0]}, "end": {"latent": Z[1]}, "steps": 3}
    answer = api.post("interpolate", json=ends, headers={"Accept": "image/png"})
    strip = opened(answer.raise_for_status().content)
    _, height, width, *rgb = decoded.shape
    assert strip.shape == (height, 3 * width, *rgb)
    np.testing.assert_array_equal(strip[:, :width], decoded[0])


def test_images_are_encoded_from_lists_arrays_and_files_alike(api: httpx.Client, name: str) -> None:
    images = shaped.tests_of(name).images[:3]
    file = io.BytesIO()
    np.save(file, images)
    arrays = api.post(
        "encode", content=file.getvalue(), headers={"Content-Type": "application/x-npy"}
    )
    numbers = api.post("encode", json={"images": (images / 255).tolist()})
    forms = []
    for image in images:
        png = io.BytesIO()
        Image.fromarray(image).save(png, "PNG")
        forms.append(("file", ("one.png", png.getvalue(), "image/png")))
    files = api.post("encode", files=forms)
    means = []
    for answer in (arrays, numbers, files):
        items = answer.raise_for_status().json()["items"]
        means.append([item["mean"] for item in items])
        shown = opened(base64.b64decode(items[1]["input"]["png"]))
        np.testing.assert_array_equal(shown, images[1])
        assert (items[1]["reconstruction"]["width"], items[1]["reconstruction"]["height"]) == (
            images.shape[2],
            images.shape[1],
        )
    np.testing.assert_allclose(means[1], means[0], atol=1e-4)
    np.testing.assert_allclose(means[2], means[0], atol=1e-4)


def test_lists_of_another_shape_are_refused_with_the_one_that_is_taken(
    api: httpx.Client, engine: Engine, refused: Refused
) -> None:
    wrong: Any = np.zeros((engine.image.width, engine.image.height + 1)).tolist()
    detail = refused(api.post("encode", json={"images": [wrong]}), 422)
    assert f"{engine.image.height} lists of {engine.image.width}" in detail


def test_a_picture_of_any_size_is_brought_to_the_shape(api: httpx.Client, engine: Engine) -> None:
    picture = np.zeros((90, 100, 3), np.uint8)
    picture[30:60, 40:70] = (250, 40, 40)
    png = io.BytesIO()
    Image.fromarray(picture).save(png, "PNG")
    answer = api.post("encode", content=png.getvalue(), headers={"Content-Type": "image/png"})
    (item,) = answer.raise_for_status().json()["items"]
    shown = opened(base64.b64decode(item["input"]["png"]))
    assert shown.shape == engine.image.axes
    if engine.image.is_colour:
        assert item["steps"][-1]["name"] == "cropped"
        middle = shown[engine.image.height // 2, engine.image.width // 2]
        assert middle[0] > 200 > 100 > middle[1]


def test_the_inference_protocol_names_the_shape(
    client: httpx.Client, name: str, decoded: np.ndarray
) -> None:
    metadata = client.get(f"/v2/models/{name}-model.decoder").json()
    assert metadata["outputs"][0]["shape"] == [-1, *decoded.shape[1:]]
    latents = {"name": "latents", "datatype": "FP32", "shape": [3, 2], "data": np.ravel(Z).tolist()}
    answer = client.post(f"/v2/models/{name}-model.decoder/infer", json={"inputs": [latents]})
    (output,) = answer.raise_for_status().json()["outputs"]
    assert output["shape"] == [*decoded.shape]
    assert output["data"] == decoded.ravel().tolist()
    encoder = client.get(f"/v2/models/{name}-model.encoder").json()
    assert encoder["inputs"][0]["shape"] == [-1, *decoded.shape[1:]]


def test_sheets_and_images_of_the_data_set_have_the_shape(client: httpx.Client, name: str) -> None:
    images = shaped.tests_of(name).images
    one = opened(client.get(f"/api/v1/datasets/{name}/images/5.png").content)
    np.testing.assert_array_equal(one, images[5])
    sheet = opened(client.get(f"/api/v1/datasets/{name}/sprites/0.png").content)
    height, width = images.shape[1:3]
    assert sheet.shape == (32 * height, 32 * width, *images.shape[3:])
    np.testing.assert_array_equal(sheet[:height, 2 * width : 3 * width], images[2])


def test_the_picture_of_a_link_can_be_drawn(api: httpx.Client) -> None:
    answer = api.get("preview.png", params={"z": "0.3,-0.4"}).raise_for_status()
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (1200, 630)
