"""Models from elsewhere behind a real server: each route answers of them as of any other model."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from app.settings import Settings
from model.__main__ import main
from model.engine import test_set as shipped
from model.image_shape import MNIST_SHAPE, ImageShape
from tests.app.conftest import Refused
from tests.app.live_server import Serving, serving
from tests.model import foreign

COLOUR = ImageShape(32, 32, 3)
NPY = {"Accept": "application/x-npy"}


MODELS = {
    "one": (1, "noise-in-grey", MNIST_SHAPE),
    "two": (2, "noise-in-grey", MNIST_SHAPE),
    "five": (5, "noise-in-grey", MNIST_SHAPE),
    "colour": (3, "noise-in-colour", COLOUR),
}
"""Dimensions, data set and shape of each; `five` is an autoencoder, the others are VAEs."""


def pictures(folder: Path) -> Path:
    """Write a folder of noise in colour, of two labels."""
    rng = np.random.default_rng(3)
    for label in ("calm", "wild"):
        (folder / label).mkdir(parents=True)
        for n in range(60):
            levels = rng.integers(0, 256, (4, 4, 3), np.uint8)
            picture = Image.fromarray(levels).resize((40, 40), Image.Resampling.BICUBIC)
            picture.save(folder / label / f"{n:02}.png")
    return folder


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("elsewhere")
    data = f"data --from {pictures(folder / 'pictures')} --name noise-in"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(f"{data}-grey --size 28x28".split()) == 0
        assert main(f"{data}-colour --size 32x32 --preprocessing photo".split()) == 0
        for name, (dimensions, dataset, image) in MODELS.items():
            encoder = foreign.encoder_file(dimensions, image)
            if name == "five":
                encoder = foreign.exported(foreign.encoder(5, None), foreign.IMAGE, "mean")
            Path("enc.onnx").write_bytes(encoder)
            Path("dec.onnx").write_bytes(foreign.decoder_file(dimensions, image))
            networks = "--encoder enc.onnx --decoder dec.onnx"
            words = f"import {networks} --name {name} --data {dataset} --to models"
            assert main(words.split()) == 0
        settings = Settings(checkpoints=folder / "models", default_model="two", device="cpu")
        with serving(settings) as running:
            yield running


@pytest.fixture(scope="module")
def api(elsewhere: Serving) -> Iterator[httpx.Client]:
    with elsewhere.client() as client:
        client.base_url = client.base_url.join("/api/v1/models/")
        yield client


def array(answer: httpx.Response) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(answer.raise_for_status().content)))


def test_their_cards_stand_in_the_list_under_a_heading_of_their_own(api: httpx.Client) -> None:
    answer = api.get(str(api.base_url).rstrip("/")).json()
    assert answer["default"] == "two"
    (group,) = answer["groups"]
    assert group["title"] == "Models from elsewhere"
    assert group["models"] == ["two", "five", "one", "colour"]
    cards = {card["id"]: card for card in answer["models"]}
    families = {name: (card["family"], card["latent_dim"]) for name, card in cards.items()}
    assert families == {
        "one": ("vae", 2),
        "two": ("vae", 2),
        "five": ("ae", 5),
        "colour": ("vae", 3),
    }
    assert cards["colour"]["image"] == {"height": 32, "width": 32, "channels": 3}


@pytest.mark.parametrize(("name", "dimensions"), [("one", 1), ("two", 2), ("five", 5)])
def test_latents_decode_as_their_own_network_does(
    api: httpx.Client, name: str, dimensions: int
) -> None:
    latents = 3 * np.random.default_rng(0).standard_normal((20, max(2, dimensions)))
    drawn = array(api.post(f"{name}/decode", json={"latents": latents.tolist()}, headers=NPY))
    z_ND = torch.from_numpy(latents[:, :dimensions].astype(np.float32))
    expected = 255 * foreign.decoder(dimensions)(z_ND).squeeze(1).numpy()
    assert drawn.shape == (20, 28, 28)
    assert np.abs(drawn - expected).max() <= 0.5 + 1e-2


def test_a_stream_sends_the_image_of_each_latent(elsewhere: Serving, api: httpx.Client) -> None:
    latent = (0.5, -1.0, 2.0)
    with elsewhere.stream("colour") as stream:
        stream.send(struct.pack("<I3f", 7, *latent))
        frame = stream.recv()
    assert isinstance(frame, bytes)
    assert struct.unpack_from("<I", frame) == (7,)
    image = array(api.post("colour/decode", json={"latents": [latent]}, headers=NPY))
    assert image.shape == (1, 32, 32, 3)
    assert frame[4:] == image.tobytes()


def test_an_upload_is_encoded_as_its_own_network_does(api: httpx.Client) -> None:
    grey = shipped("mnist").images[:5]
    items = api.post("two/encode", json={"images": (grey / 255).tolist()}).json()["items"]
    image_NCHW = torch.from_numpy(grey.astype(np.float32) / 255)[:, None]
    mean_ND, log_variance_ND = foreign.encoder(2)(image_NCHW)
    for item, mean, log_variance in zip(items, mean_ND, log_variance_ND, strict=True):
        np.testing.assert_allclose(item["mean"], mean, atol=1e-4)
        np.testing.assert_allclose(item["covariance"], np.diag(log_variance.exp()), atol=1e-4)
        assert item["elbo"]["total"] < 0


def test_a_photograph_is_encoded_by_a_model_of_colour_images(api: httpx.Client) -> None:
    file = io.BytesIO()
    levels = np.random.default_rng(1).integers(0, 256, (90, 60, 3), np.uint8)
    Image.fromarray(levels).save(file, "PNG")
    (item,) = api.post("colour/encode", files={"file": file.getvalue()}).json()["items"]
    assert len(item["mean"]) == 3


@pytest.mark.parametrize(
    ("name", "plane", "kind"),
    [
        ("two", "latent", "density"),
        ("two", "latent", "magnification"),
        ("five", "pca-0-1", "density"),
        ("five", "digits-0-1", "entropy"),
        ("five", "dims-1-4", "label"),
        ("colour", "pca-0-2", "density"),
    ],
)
def test_every_field_is_computed(api: httpx.Client, name: str, plane: str, kind: str) -> None:
    answer = api.get(f"{name}/planes/{plane}/fields/{kind}.png").raise_for_status()
    with Image.open(io.BytesIO(answer.content)) as field:
        assert field.size == (128, 128)


def test_a_tile_shows_the_decodes_at_its_cells(api: httpx.Client) -> None:
    answer = api.get("two/planes/latent/tiles/0/0/0.png").raise_for_status()
    (plane,) = api.get("two/planes").json()
    (u0, v0), (u1, v1) = plane["extent"]
    corner = torch.tensor([[u0 + (u1 - u0) / 16, v1 - (v1 - v0) / 16]])
    expected = 255 * foreign.decoder(2)(corner)[0, 0].numpy()
    with Image.open(io.BytesIO(answer.content)) as tile:
        assert tile.size == (8 * 28, 8 * 28)
        shown = np.asarray(tile)[:28, :28].astype(float)
    assert abs(shown - expected).max() <= 1


@pytest.mark.parametrize("name", ["one", "two", "five", "colour"])
@pytest.mark.parametrize("path", ["linear", "spherical", "geodesic"])
def test_every_path_leads_from_one_latent_to_another(
    api: httpx.Client, name: str, path: str
) -> None:
    dimensions = {"five": 5, "colour": 3}.get(name, 2)
    start, end = [1.0] + [0.5] * (dimensions - 1), [-2.0] + [1.0] * (dimensions - 1)
    asked = {"start": {"latent": start}, "end": {"latent": end}, "steps": 9, "path": path}
    found = api.post(f"{name}/interpolate", json=asked).raise_for_status().json()
    assert found["latents"][0] == start
    assert found["latents"][-1] == end


def test_a_geodesic_is_no_longer_than_the_straight_path(api: httpx.Client) -> None:
    for name, dimensions in (("two", 2), ("five", 5)):
        ends = {"start": {"latent": [3.0] * dimensions}, "end": {"latent": [-3.0] * dimensions}}
        asked = {**ends, "path": "geodesic", "steps": 20}
        found = api.post(f"{name}/interpolate", json=asked).raise_for_status().json()
        assert sum(found["step_lengths"]) <= found["straight_length"] * (1 + 1e-3)


def test_distances_are_measured_on_a_plane(api: httpx.Client, refused: Refused) -> None:
    assert api.get("two/distances?z=0,0").json()["cells"] == 96
    assert "has 5 dimensions" in refused(api.get("five/distances?z=0,0,0,0,0"), 404)


def test_the_other_routes_answer_too(api: httpx.Client) -> None:
    for name, z in (("two", "0,0"), ("five", "0,0,0,0,0")):
        for path in (
            f"{name}/codes",
            f"{name}/history?projected=true",
            f"{name}/neighbours?z={z}&k=5",
            f"{name}/decode.png?z={z}",
        ):
            assert api.get(path).status_code == 200, path
        asked = {"count": 4, "seed": 1}
        assert api.post(f"{name}/sample", json=asked).status_code == 200


def test_the_inference_protocol_runs_both_halves(elsewhere: Serving) -> None:
    with elsewhere.client() as client:
        told = client.get("/v2/models/colour.decoder").json()
        assert told["outputs"][0]["shape"] == [-1, 32, 32, 3]
        tensor = {"name": "latents", "datatype": "FP32", "shape": [1, 3], "data": [0, 0, 0]}
        (image,) = client.post("/v2/models/colour.decoder/infer", json={"inputs": [tensor]}).json()[
            "outputs"
        ]
        assert len(image["data"]) == 32 * 32 * 3


def test_the_hash_of_both_files_stands_on_every_answer(api: httpx.Client) -> None:
    card = api.get("two").json()
    answer = api.get("two/planes")
    assert answer.headers["Explorer-Model-Hash"] == card["sha256"]
