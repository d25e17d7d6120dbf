"""Second sources: the public checker of ONNX files, and PyTorch for what they compute."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from model.inference import onnx_session
from model.inference.onnx_autoencoder import drawing
from model.inference.onnx_graph import Graph, Port
from model.inference.onnx_networks import layer, log_prob_of, mean_of
from model.recipes.tables import Network
from model.vae.autoencoder import Autoencoder
from model.vae.likelihood import LIKELIHOODS
from model.vae.networks import build_decoder, build_encoder

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


def checked(graph: Graph, result: Port) -> onnx_session.Run:
    """Ready to run, and sound by the public checker once the weights lie in the file."""
    file = onnx.load_from_string(graph.to_bytes(result))
    for tensor in file.graph.initializer:
        if tensor.name in graph.weights:
            whole = onnx.numpy_helper.from_array(graph.weights[tensor.name], tensor.name)
            assert (whole.dims, whole.data_type) == (tensor.dims, tensor.data_type)
            tensor.CopyFrom(whole)
    onnx.checker.check_model(file, full_check=True)
    return onnx_session.Run(graph, result)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_kind_of_decoder_is_written_down(network: str, likelihood: str) -> None:
    made = autoencoder(NETWORKS[network], likelihood)
    graph = Graph(latents=3)
    mean = mean_of(made.likelihood, graph, layer(made.decoder, graph, "latents"))
    z_ND = 3 * torch.randn(50, 3)
    expected = made.likelihood.mean(made.decode(z_ND)).numpy()
    found = checked(graph, Port(mean, (784,)))(z_ND.numpy())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    drawn = drawing(made, 3)(z_ND.numpy())
    assert drawn.dtype == np.uint8
    assert np.abs(drawn.reshape(50, 784) - 255 * expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("network", sorted(NETWORKS.keys() - {"waves"}))
def test_every_kind_of_encoder_is_written_down(network: str) -> None:
    torch.manual_seed(0)
    made = build_encoder(NETWORKS[network], 5).requires_grad_(False).eval()
    graph = Graph(images=784)
    run = checked(graph, Port(layer(made, graph, "images"), (5,)))
    image_NP = torch.rand(50, 784)
    np.testing.assert_allclose(run(image_NP.numpy()), made(image_NP), atol=1e-5)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_likelihood_of_an_image_is_written_down(likelihood: str) -> None:
    torch.manual_seed(0)
    made = LIKELIHOODS[likelihood]().requires_grad_(False)
    output_NKP = torch.linspace(-40, 40, 784) * torch.randn(5, 7, 1)  # with many near 0
    graph = Graph(images=784)
    found = log_prob_of(made, graph, "images", graph.weight(output_NKP.numpy()), 784)
    image_NP = torch.rand(5, 784)
    repeated_NKP = image_NP[:, None].expand(5, 7, 784)
    expected = made.log_prob(repeated_NKP.flatten(0, 1), output_NKP.flatten(0, 1)).view(5, 7)
    run = checked(graph, Port(found, (7,)))
    np.testing.assert_allclose(run(image_NP.numpy()), expected, rtol=1e-5)


def test_a_layer_that_nobody_has_written_down_is_named() -> None:
    with pytest.raises(NotImplementedError, match="GELU"):
        drawing(Autoencoder(nn.Identity(), nn.Sequential(nn.GELU())), 3)


def test_the_public_reader_finds_what_was_written() -> None:
    graph = Graph(latents=3)
    weight = np.arange(300, dtype=np.float32).reshape(3, 100)
    outside = graph.weight(weight)
    result = graph("Gemm", "latents", graph.constant(weight), alpha=-0.5, transB=0, axes=[-1, 300])
    model = onnx.load_from_string(graph.to_bytes(Port(result, (100,))))
    (node,) = model.graph.node
    found = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    assert found == {"alpha": -0.5, "transB": 0, "axes": [-1, 300]}
    far, near = model.graph.initializer
    assert (far.name, list(far.dims), far.data_location) == (outside, [3, 100], far.EXTERNAL)
    assert np.array_equal(onnx.numpy_helper.to_array(near), weight)
