"""ONNX Runtime in PyTorch's place: the same posteriors, bounds and pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from model.checkpoint import Checkpoint, read_checkpoint
from model.data import datasets
from model.inference import onnx_session
from model.inference.decoding import torch_renderer
from model.inference.encoding import Encoder, Encoding, onnx_encoder, torch_encoder
from model.inference.onnx_autoencoder import drawing
from model.inference.onnx_graph import Graph, Port
from model.vae.autoencoder import VariationalAutoencoder

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"
IMAGES = datasets.test_set("mnist").images[:40].reshape(40, 784).astype(np.float32) / 255


def both(checkpoint: Checkpoint, images: np.ndarray) -> tuple[Encoding, Encoding]:
    autoencoder, D = checkpoint.autoencoder, checkpoint.card.latent_dim
    quick = onnx_encoder(autoencoder, D, drawing(autoencoder, D))
    reference = torch_encoder(autoencoder, D, torch_renderer(autoencoder, "cpu"))
    return quick.encode(images), reference.encode(images)


def assert_alike(found: Encoding, expected: Encoding) -> None:
    assert found.mean is not None
    assert expected.mean is not None
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.reconstruction, expected.reconstruction, rtol=1e-4, atol=1e-3)
    away = found.reconstruction_image.astype(int) - expected.reconstruction_image
    assert np.abs(away).max() <= 1
    if expected.covariance is None or expected.kl_per_dimension is None:
        assert found.covariance is found.kl_per_dimension is None
        return
    assert found.covariance is not None
    assert found.kl_per_dimension is not None
    np.testing.assert_allclose(found.kl_per_dimension, expected.kl_per_dimension, atol=1e-3)
    assert_same_ellipses(found.covariance, expected.covariance)


def assert_same_ellipses(found: np.ndarray, expected: np.ndarray) -> None:
    variances = np.einsum("ndd->nd", expected)
    widths = np.sqrt(variances[:, :, None] * variances[:, None])
    np.testing.assert_allclose(found / widths, expected / widths, atol=1e-3)


def test_every_model_encodes_as_pytorch_does(checkpoint: Checkpoint) -> None:
    images = datasets.test_set(checkpoint.card.dataset).images[:100].reshape(100, 784)
    assert_alike(*both(checkpoint, images.astype(np.float32) / 255))


@pytest.mark.parametrize("name", ["small-gaussian", "small-continuous-bernoulli", "small-taught"])
def test_every_kind_encodes_as_pytorch_does(relatives: Path, name: str) -> None:
    assert_alike(*both(read_checkpoint(relatives / name), IMAGES))


@pytest.mark.parametrize("fill", [0.0, 0.5, 1.0])
def test_an_image_that_is_no_digit_is_encoded_alike_too(
    checkpoint: Checkpoint, fill: float
) -> None:
    assert_alike(*both(checkpoint, np.full((1, 784), fill, np.float32)))


@pytest.mark.parametrize("with_onnx", [True, False])
@pytest.mark.parametrize(("name", "refinements"), [("mnist-vae-20d", 0), ("mnist-vae-2d", 2)])
def test_covariances_alone_are_those_of_the_posteriors(
    name: str, refinements: int, with_onnx: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = read_checkpoint(CHECKPOINTS / name).autoencoder
    assert isinstance(vae, VariationalAutoencoder)
    assert vae.refinements == refinements
    expected = vae.posterior(torch.from_numpy(IMAGES)).scale_tril.double()
    if not with_onnx:
        monkeypatch.setattr(onnx_session, "onnxruntime", None)
    encoder = Encoder(vae, vae.latent_dim, lambda z: np.zeros((len(z), 28, 28), np.uint8))
    found = encoder.code(IMAGES.reshape(40, 28, 28)).covariance
    assert found is not None
    assert_same_ellipses(found, (expected @ expected.mT).numpy())


def test_weights_may_be_overwritten_once_onnx_runtime_has_made_itself_ready(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engines count on it, and let PyTorch's encoder go."""
    graphs = []

    class Watched(onnx_session.Run):
        def __init__(self, graph: Graph, port: Port, *, keeps: bool = False) -> None:
            graphs.append(graph)
            super().__init__(graph, port, keeps=keeps)

    monkeypatch.setattr(onnx_session, "Run", Watched)
    checkpoint = read_checkpoint(folder)
    autoencoder, D = checkpoint.autoencoder, checkpoint.card.latent_dim
    encode = onnx_encoder(autoencoder, D, drawing(autoencoder, D)).encode
    before = asdict(encode(IMAGES))
    assert len(graphs) == 3
    for array in [array for graph in graphs for array in graph.weights.values()]:
        array.fill(np.nan)
    for parameter in autoencoder.parameters():
        parameter.fill_(torch.nan)
    for name, after in asdict(encode(IMAGES)).items():
        np.testing.assert_array_equal(after, before[name])


def test_onnx_runtime_encodes_where_it_is_installed(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passes_of_pytorch() -> int:
        passes = 0

        def count(*_: object) -> None:
            nonlocal passes
            passes += 1

        D = checkpoint.card.latent_dim
        encoder = Encoder(checkpoint.autoencoder, D, lambda z: np.zeros((len(z), 28, 28), np.uint8))
        with checkpoint.autoencoder.encoder.register_forward_hook(count):
            encoder.encode(IMAGES[:2].reshape(2, 28, 28))
        return passes

    assert passes_of_pytorch() == 0
    monkeypatch.setattr(onnx_session, "onnxruntime", None)
    assert passes_of_pytorch() > 0
