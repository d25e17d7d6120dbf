"""What a renderer does, from latents to grey levels, as operations of ONNX: each layer by its kind.

PyTorch's own exporter says the same in a thousand modules more. See docs/adr/0014.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np
from torch import Tensor, nn

from model.autoencoder import PIXELS, SIDE, Autoencoder
from model.likelihood import Bernoulli, ContinuousBernoulli, Gaussian, Likelihood
from model.networks import FourierFeatures, RecurrentDecoder, ResidualBlock
from model.onnx_graph import Graph

INPUT = "latents"


def written_down(autoencoder: Autoencoder, latent_dim: int) -> bytes:
    """An ONNX file that takes `latents`, (N, D) float32, and answers (N, 784) uint8."""
    graph = Graph(INPUT, latent_dim)
    output = layer(autoencoder.decoder, graph, INPUT)
    mean = mean_of(autoencoder.likelihood, graph, output)
    scaled = graph("Add", graph("Mul", mean, graph.scalar(255)), graph.scalar(0.5))
    return graph.to_bytes(graph("Cast", scaled, to=2), PIXELS, np.uint8)


@singledispatch
def layer(network: nn.Module, graph: Graph, x: str) -> str:
    """Add a network that is applied to the tensor `x`; gives the name of what comes out."""
    raise NotImplementedError(f"{type(network).__name__} has not been written down for ONNX")


@layer.register
def _(network: nn.Sequential, graph: Graph, x: str) -> str:
    for part in network:
        x = layer(part, graph, x)
    return x


@layer.register
def _(network: nn.Linear, graph: Graph, x: str) -> str:
    return graph("Gemm", x, _held(graph, network.weight), _held(graph, network.bias), transB=1)


@layer.register
def _(network: nn.ReLU, graph: Graph, x: str) -> str:
    return graph("Relu", x)


@layer.register
def _(network: nn.SiLU, graph: Graph, x: str) -> str:
    return graph("Mul", x, graph("Sigmoid", x))


@layer.register
def _(network: nn.Dropout, graph: Graph, x: str) -> str:
    return x  # it drops in training alone


@layer.register
def _(network: nn.LayerNorm, graph: Graph, x: str) -> str:
    weights = _held(graph, network.weight), _held(graph, network.bias)
    return graph("LayerNormalization", x, *weights, axis=-1, epsilon=network.eps)


@layer.register
def _(network: nn.Unflatten, graph: Graph, x: str) -> str:
    sizes = [int(size) for size in network.unflattened_size]
    return graph("Reshape", x, graph.shape(0, *sizes))  # 0: as many images as there are


@layer.register
def _(network: nn.Flatten, graph: Graph, x: str) -> str:
    return graph("Flatten", x, axis=1)


@layer.register(nn.Conv2d)
@layer.register(nn.ConvTranspose2d)
def _(network: nn.Conv2d | nn.ConvTranspose2d, graph: Graph, x: str) -> str:
    assert network.bias is not None
    operator = "ConvTranspose" if isinstance(network, nn.ConvTranspose2d) else "Conv"
    weights = _held(graph, network.weight), _held(graph, network.bias)
    padding = [int(size) for size in network.padding]
    return graph(operator, x, *weights, strides=network.stride, pads=2 * padding)


@layer.register
def _(network: FourierFeatures, graph: Graph, x: str) -> str:
    phase = graph("MatMul", x, _held(graph, network.frequencies))
    return graph("Concat", x, graph("Cos", phase), graph("Sin", phase), axis=-1)


@layer.register
def _(network: ResidualBlock, graph: Graph, x: str) -> str:
    out = x
    for part in (network.norm, network.widen, network.activation, network.project):
        out = layer(part, graph, out)
    return graph("Add", x, out)


@layer.register
def _(network: RecurrentDecoder, graph: Graph, x: str) -> str:
    """Rows first here, images first in PyTorch; the gates stand in another order as well."""
    rows, axis = network.rows, graph.shape(0)
    first = graph("Unsqueeze", graph("Tanh", layer(network.opening, graph, x)), axis)
    read = graph("Expand", graph("Unsqueeze", x, axis), graph.shape(SIDE, 1, 1))
    of_input, of_state, *biases = map(_gates, rows.parameters())
    weights = (of_input, of_state, np.concatenate(biases))
    names = [graph.constant(array[np.newaxis]) for array in weights]
    options = {"hidden_size": rows.hidden_size, "linear_before_reset": 1}
    states = graph("GRU", read, *names, "", first, **options)
    state = graph("Transpose", graph("Squeeze", states, graph.shape(1)), perm=[1, 0, 2])
    drawn = graph("MatMul", state, graph.constant(_array(network.head.weight).T))
    return graph("Flatten", graph("Add", drawn, _held(graph, network.head.bias)), axis=1)


def _gates(weight: Tensor) -> np.ndarray:
    """PyTorch's reset, update, new as ONNX's update, reset, new."""
    reset, update, new = np.split(_array(weight), 3)
    return np.concatenate([update, reset, new])


@singledispatch
def mean_of(likelihood: Likelihood, graph: Graph, x: str) -> str:
    """Add the mean of p(x|z), in [0, 1], from the decoder's output `x`."""
    raise NotImplementedError(f"{type(likelihood).__name__} has not been written down for ONNX")


@mean_of.register
def _(likelihood: Bernoulli, graph: Graph, x: str) -> str:
    return graph("Sigmoid", x)


@mean_of.register
def _(likelihood: Gaussian, graph: Graph, x: str) -> str:
    return graph("Clip", x, graph.scalar(0), graph.scalar(1))


@mean_of.register
def _(likelihood: ContinuousBernoulli, graph: Graph, x: str) -> str:
    flat = graph("Less", graph("Abs", x), graph.scalar(0.05))
    logit = graph("Where", flat, graph.scalar(1), x)
    tanh = graph("Tanh", graph("Mul", logit, graph.scalar(0.5)))
    exact = graph("Div", graph("Sigmoid", logit), tanh)
    exact = graph("Sub", exact, graph("Reciprocal", logit))
    series = graph("Add", graph("Div", x, graph.scalar(12)), graph.scalar(0.5))
    mean = graph("Where", flat, series, exact)
    return graph("Clip", mean, graph.scalar(0), graph.scalar(1))


def _held(graph: Graph, weight: Tensor) -> str:
    return graph.constant(_array(weight))


def _array(weight: Tensor) -> np.ndarray:
    return weight.detach().cpu().numpy()
