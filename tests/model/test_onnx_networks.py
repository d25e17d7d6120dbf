"""Second sources: the public checker of ONNX files, and PyTorch for what they compute."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from model.autoencoder import Autoencoder
from model.likelihood import LIKELIHOODS
from model.networks import build_decoder, build_encoder
from model.onnx_decoder import written_down
from model.onnx_graph import Graph
from model.recipe_tables import Network

NETWORKS = {
    "relu": Network(kind="mlp", hidden=(16, 12), activation="relu"),
    "dropout": Network(kind="mlp", hidden=(16,), activation="relu", dropout=0.5),
    "waves": Network(kind="mlp", hidden=(16,), fourier_features=5, fourier_scale=1.5),
    "residual": Network(kind="residual", hidden=(16, 16), activation="silu"),
    "convolutional": Network(kind="conv", hidden=(10,), channels=(4, 6)),
    "recurrent": Network(kind="recurrent", hidden=(8,)),
}


def autoencoder(network: Network, likelihood: str) -> Autoencoder:
    torch.manual_seed(0)
    encoder = build_encoder(NETWORKS["relu"], 3)
    made = Autoencoder(encoder, build_decoder(network, 3), LIKELIHOODS[likelihood]())
    return made.requires_grad_(False).eval()


def run(content: bytes, latents: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"latents": latents})[0])


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_kind_of_decoder_is_written_down(network: str, likelihood: str) -> None:
    made = autoencoder(NETWORKS[network], likelihood)
    content = written_down(made, 3)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    z_ND = 3 * torch.randn(50, 3)
    drawn = run(content, z_ND.numpy())
    expected = 255 * made.likelihood.mean(made.decode(z_ND)).numpy()
    assert drawn.dtype == np.uint8
    assert np.abs(drawn - expected).max() <= 0.5 + 1e-3


def test_a_layer_that_nobody_has_written_down_is_named() -> None:
    with pytest.raises(NotImplementedError, match="GELU"):
        written_down(Autoencoder(nn.Identity(), nn.Sequential(nn.GELU())), 3)


def test_the_public_reader_finds_what_was_written() -> None:
    graph = Graph("latents", 3)
    weight = np.arange(300, dtype=np.float32).reshape(3, 100)
    result = graph("Gemm", "latents", graph.constant(weight), alpha=-0.5, transB=0, axes=[-1, 300])
    model = onnx.load_from_string(graph.to_bytes(result, 100, np.float32))
    (node,) = model.graph.node
    found = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    assert found == {"alpha": -0.5, "transB": 0, "axes": [-1, 300]}
    assert np.array_equal(onnx.numpy_helper.to_array(model.graph.initializer[0]), weight)
