"""Models of images of three shapes: they are stored, read, decode, encode and show tiles alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model.checkpoint import read_checkpoint
from model.data.datasets import find
from model.engine import Engine
from model.errors import CheckpointError, ImageError
from model.image_shape import ImageShape
from model.inference.decoding import torch_renderer
from model.inference.encoding import torch_encoder
from model.vae.likelihood import LIKELIHOODS
from tests import shaped
from tests.model.forgery import rewrite_card

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {},
    "conv": shaped.CONV,
    "recurrent": {
        "encoder": {"kind": "recurrent", "hidden": [8]},
        "decoder": {"kind": "recurrent", "hidden": [8]},
    },
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    shaped.forget()


@pytest.fixture(params=shaped.SHAPES)
def name(request: pytest.FixtureRequest, folder: Path) -> str:
    shaped.install(folder, request.param)
    return str(request.param)


def load(folder: Path, name: str, **differences: Any) -> Engine:
    shaped.write(folder, name, **differences)
    return Engine.load(folder / "checkpoints" / f"{name}-model", "cpu")


@pytest.mark.parametrize("network", NETWORKS)
def test_a_model_of_any_shape_decodes_encodes_and_says_its_shape(
    folder: Path, name: str, network: str
) -> None:
    engine = load(folder, name, **NETWORKS[network])
    shape = shaped.SHAPES[name]
    assert engine.image == engine.card.image == find(name).image == shape
    images = shaped.tests_of(name).images
    assert images.shape == (shaped.COUNT, *shape.axes)
    decoded = engine.decode(np.array([[0, 0], [1, -1]], np.float32))
    assert decoded.shape == (2, *shape.axes)
    assert decoded.dtype == np.uint8
    encoding = engine.encode(images.astype(np.float32) / 255)
    assert encoding.reconstruction_image.shape == images.shape
    np.testing.assert_allclose(encoding.array, engine.codes, atol=0.02)  # weights are rounded


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_onnx_runtime_draws_and_encodes_what_pytorch_does(
    folder: Path, name: str, network: str, likelihood: str
) -> None:
    engine = load(folder, name, **NETWORKS[network], likelihood=likelihood)
    autoencoder = read_checkpoint(folder / "checkpoints" / f"{name}-model").autoencoder
    z = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    drawn = torch_renderer(autoencoder, "cpu")(z).astype(int)
    assert np.abs(engine.decode(z) - drawn).max() <= 1
    images = shaped.tests_of(name).images[:5].astype(np.float32) / 255
    expected = torch_encoder(autoencoder, 2, engine.draw).encode(
        images.reshape(5, engine.image.numbers)
    )
    found = engine.encode(images)
    np.testing.assert_allclose(found.array, expected.array, atol=1e-4)
    np.testing.assert_allclose(found.reconstruction, expected.reconstruction, rtol=1e-4, atol=0.1)


def test_a_tile_has_the_decodes_at_the_centres_of_its_cells(folder: Path, name: str) -> None:
    engine = load(folder, name)
    shape, plane = engine.image, engine.planes[0]
    cells = {"grey": 8, "square": 8, "wide": 4}[name]
    tile = engine.tile("latent", 1, 1, 0)
    assert tile.shape == (cells * shape.height, cells * shape.width, *shape.axes[2:])
    (u0, _), (u1, v1) = plane.extent
    side = (u1 - u0) / 2 / cells
    row, column = 1, 2
    point = ((u0 + u1) / 2 + (column + 0.5) * side, v1 - (row + 0.5) * side)
    down, across = row * shape.height, column * shape.width
    cell = tile[down : down + shape.height, across : across + shape.width]
    np.testing.assert_array_equal(cell, engine.decode(np.array([point], np.float32))[0])


def test_an_image_of_another_shape_is_refused_with_the_one_that_is_taken(
    folder: Path, name: str
) -> None:
    engine = load(folder, name)
    allowed = ", ".join(map(str, engine.image.axes))
    for wrong in ((1, 30, 30), (1, *engine.image.axes, 3), engine.image.axes):
        with pytest.raises(ImageError, match=rf"allowed is \(N, {allowed}\)"):
            engine.encode(np.zeros(wrong, np.float32))


def test_a_convolutional_network_sees_the_channels_of_a_pixel_at_its_place(folder: Path) -> None:
    shaped.install(folder, "wide")
    encoder = read_checkpoint_of(folder, "wide").autoencoder.encoder
    image = torch.rand(1, *shaped.WIDE.axes)
    turned = encoder[0](image.flatten(1))
    assert turned.shape == (1, 3, 48, 64)
    torch.testing.assert_close(turned[0, 1, 5, 7], image[0, 5, 7, 1])


def read_checkpoint_of(folder: Path, name: str) -> Any:
    shaped.write(folder, name, **shaped.CONV)
    return read_checkpoint(folder / "checkpoints" / f"{name}-model")


def test_a_card_of_another_shape_than_its_data_set_is_refused(folder: Path) -> None:
    shaped.install(folder, "square")
    shaped.write(folder, "square")
    place = folder / "checkpoints" / "square-model"
    rewrite_card(place, lambda card: card["image"].update(height=16))
    with pytest.raises(CheckpointError, match=r"images of 32 x 16 in colour pixels; those of squ"):
        Engine.load(place, "cpu")


@pytest.mark.parametrize("image", [{"height": 28}, {"height": 4, "width": 28, "channels": 1}, 28])
def test_a_card_of_an_impossible_shape_is_refused(folder: Path, image: Any) -> None:
    shaped.install(folder, "grey")
    shaped.write(folder, "grey")
    place = folder / "checkpoints" / "grey-model"
    rewrite_card(place, lambda card: card.update(image=image))
    with pytest.raises(CheckpointError, match="is not a card"):
        Engine.load(place, "cpu")


def test_a_shape_of_a_card_is_read_back(folder: Path) -> None:
    shaped.install(folder, "wide")
    shaped.write(folder, "wide")
    checkpoint = read_checkpoint(folder / "checkpoints" / "wide-model")
    assert checkpoint.card.image == checkpoint.autoencoder.image == ImageShape(48, 64, 3)
