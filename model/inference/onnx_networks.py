"""Networks and likelihoods as ONNX operations: one function for each kind of layer.

PyTorch's own exporter does the same with a thousand more modules. See docs/adr/0014.

Shapes: N images, K latents for each of them, P numbers of an image.
"""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np
from torch import Tensor, nn

from model.inference.onnx_graph import Graph
from model.vae.likelihood import (
    FARTHEST,
    HALF_LEVEL,
    NEAR_ZERO,
    Bernoulli,
    ContinuousBernoulli,
    DiscretisedLogistic,
    Gaussian,
    Likelihood,
)
from model.vae.networks import (
    FourierFeatures,
    FromChannels,
    RecurrentDecoder,
    RecurrentEncoder,
    ResidualBlock,
    ToChannels,
)

MOST_FACTORS = 98
"""Most sigmoids multiplied together: each is at least a half, so float32 holds their product."""


@singledispatch
def layer(network: nn.Module, graph: Graph, x: str) -> str:
    """Add a network that is applied to the tensor `x`; return the name of its output."""
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
    return x  # it drops values only in training


@layer.register
def _(network: nn.LayerNorm, graph: Graph, x: str) -> str:
    weights = _held(graph, network.weight), _held(graph, network.bias)
    return graph("LayerNormalization", x, *weights, axis=-1, epsilon=network.eps)


@layer.register
def _(network: ToChannels, graph: Graph, x: str) -> str:
    pixels = graph("Reshape", x, graph.shape(0, -1, network.image.channels))  # 0 keeps the number
    turned = graph("Transpose", pixels, perm=[0, 2, 1])
    return graph("Reshape", turned, graph.shape(0, *network.sizes))


@layer.register
def _(network: FromChannels, graph: Graph, x: str) -> str:
    ends = graph.shape(network.image.height, network.image.width)
    cut = graph("Slice", x, graph.shape(0, 0), ends, graph.shape(2, 3))
    pixels = graph("Reshape", cut, graph.shape(0, network.image.channels, -1))
    return graph("Flatten", graph("Transpose", pixels, perm=[0, 2, 1]), axis=1)


@layer.register
def _(network: nn.Unflatten, graph: Graph, x: str) -> str:
    sizes = [int(size) for size in network.unflattened_size]
    return graph("Reshape", x, graph.shape(0, *sizes))  # 0 keeps the number of images


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
def _(network: RecurrentEncoder, graph: Graph, x: str) -> str:
    """ONNX puts rows first where PyTorch puts images first; it also orders the gates otherwise."""
    images = graph("Reshape", x, graph.shape(0, network.count, -1))
    rows = graph("Transpose", images, perm=[1, 0, 2])
    states = graph("GRU", rows, *_recurrence(graph, network.rows), **_options(network.rows))
    states = graph("Squeeze", states, graph.shape(1))
    last = graph("Gather", states, graph.index(network.count - 1), axis=0)
    return layer(network.head, graph, last)


@layer.register
def _(network: RecurrentDecoder, graph: Graph, x: str) -> str:
    axis = graph.shape(0)
    first = graph("Unsqueeze", graph("Tanh", layer(network.opening, graph, x)), axis)
    read = graph("Expand", graph("Unsqueeze", x, axis), graph.shape(network.count, 1, 1))
    recurrence = _recurrence(graph, network.rows)
    states = graph("GRU", read, *recurrence, "", first, **_options(network.rows))
    state = graph("Transpose", graph("Squeeze", states, graph.shape(1)), perm=[1, 0, 2])
    drawn = graph("MatMul", state, graph.weight(_array(network.head.weight).T))
    return graph("Flatten", graph("Add", drawn, _held(graph, network.head.bias)), axis=1)


def _recurrence(graph: Graph, rows: nn.GRU) -> list[str]:
    of_input, of_state, *biases = map(_gates, rows.parameters())
    weights = (of_input, of_state, np.concatenate(biases))
    return [graph.weight(array[np.newaxis]) for array in weights]


def _options(rows: nn.GRU) -> dict[str, int]:
    return {"hidden_size": rows.hidden_size, "linear_before_reset": 1}


def _gates(weight: Tensor) -> np.ndarray:
    """Reorder PyTorch's gates (reset, update, new) as ONNX's (update, reset, new)."""
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
    flat, logit = _near_zero(graph, x)
    exact = graph("Div", graph("Sigmoid", logit), _half_tanh(graph, logit))
    exact = graph("Sub", exact, graph("Reciprocal", logit))
    series = graph("Add", graph("Div", x, graph.scalar(12)), graph.scalar(0.5))
    mean = graph("Where", flat, series, exact)
    return graph("Clip", mean, graph.scalar(0), graph.scalar(1))


@mean_of.register
def _(likelihood: DiscretisedLogistic, graph: Graph, x: str) -> str:
    scale = math.exp(float(likelihood.log_scale))
    ends = graph.scalar(-FARTHEST * scale), graph.scalar(1 + FARTHEST * scale)
    near = graph("Clip", x, *ends)
    size = graph.scalar(scale)
    upper = graph("Softplus", graph("Div", near, size))
    lower = graph("Softplus", graph("Div", graph("Sub", near, graph.scalar(1)), size))
    mean = graph("Mul", graph("Sub", upper, lower), size)
    return graph("Clip", mean, graph.scalar(0), graph.scalar(1))


@singledispatch
def log_prob_of(likelihood: Likelihood, graph: Graph, image: str, x: str, numbers: int) -> str:
    """Add log p(x|z) in nats, (N, K), for K latents of each image.

    Args:
        likelihood: The distribution of the pixels.
        graph: The graph to extend.
        image: Intensities, (N, P).
        x: The decoder's output, (N, K, P).
        numbers: P.
    """
    raise NotImplementedError(f"{type(likelihood).__name__} has not been written down for ONNX")


@log_prob_of.register
def _(likelihood: Bernoulli, graph: Graph, image: str, x: str, numbers: int) -> str:
    """The sum of x l - softplus(l), where softplus(l) = relu(l) - log sigmoid |l|.

    Logarithms are slow, so each is of a product of sigmoids.
    """
    seen = graph("MatMul", x, graph("Unsqueeze", image, graph.shape(2)))
    linear = graph("Sub", graph("Squeeze", seen, graph.shape(2)), total(graph, graph("Relu", x)))
    factors = max(count for count in range(1, MOST_FACTORS + 1) if numbers % count == 0)
    sizes = graph.shape(0, 0, -1, factors)  # 0 keeps a size
    sigmoids = graph("Reshape", graph("Sigmoid", graph("Abs", x)), sizes)
    products = graph("ReduceProd", sigmoids, axes=[-1], keepdims=0)
    return graph("Add", linear, total(graph, graph("Log", products)))


@log_prob_of.register
def _(likelihood: Gaussian, graph: Graph, image: str, x: str, numbers: int) -> str:
    log_sigma = float(likelihood.log_sigma)
    error = graph("Sub", x, graph("Unsqueeze", image, graph.shape(1)))
    scaled = graph(
        "Mul",
        total(graph, graph("Mul", error, error)),
        graph.scalar(-0.5 * math.exp(-2 * log_sigma)),
    )
    constant = numbers * (log_sigma + 0.5 * math.log(2 * math.pi))
    return graph("Sub", scaled, graph.scalar(constant))


@log_prob_of.register
def _(likelihood: ContinuousBernoulli, graph: Graph, image: str, x: str, numbers: int) -> str:
    flat, logit = _near_zero(graph, x)
    exact = graph("Log", graph("Div", logit, _half_tanh(graph, logit)))
    series = graph("Div", graph("Mul", x, x), graph.scalar(12))
    series = graph("Add", series, graph.scalar(math.log(2)))
    normaliser = total(graph, graph("Where", flat, series, exact))
    return graph("Add", log_prob_of(Bernoulli(), graph, image, x, numbers), normaliser)


@log_prob_of.register
def _(likelihood: DiscretisedLogistic, graph: Graph, image: str, x: str, numbers: int) -> str:
    """log sigmoid(y) is -softplus(-y)."""
    scale = math.exp(float(likelihood.log_scale))
    half, size = graph.scalar(HALF_LEVEL), graph.scalar(scale)
    seen = graph("Unsqueeze", image, graph.shape(1))
    offset = graph("Sub", seen, x)
    ends = graph("Add", offset, half), graph("Sub", half, offset)
    below, above = (
        graph("Neg", graph("Softplus", graph("Neg", graph("Div", end, size)))) for end in ends
    )
    width = math.log(-math.expm1(-2 * HALF_LEVEL / scale))
    inner = graph("Add", graph("Add", below, above), graph.scalar(width))
    is_highest = graph("Greater", seen, graph.scalar(1 - HALF_LEVEL))
    upper = graph("Where", is_highest, above, inner)
    return total(graph, graph("Where", graph("Less", seen, half), below, upper))


def total(graph: Graph, x: str) -> str:
    """Add the sum over the last axis."""
    return graph("ReduceSum", x, graph.shape(-1), keepdims=0)


def _near_zero(graph: Graph, x: str) -> tuple[str, str]:
    """Add what `_near_zero` of `model.vae.likelihood` returns."""
    flat = graph("Less", graph("Abs", x), graph.scalar(NEAR_ZERO))
    return flat, graph("Where", flat, graph.scalar(1), x)


def _half_tanh(graph: Graph, logit: str) -> str:
    return graph("Tanh", graph("Mul", logit, graph.scalar(0.5)))


def _held(graph: Graph, weight: Tensor) -> str:
    return graph.weight(_array(weight))


def _array(weight: Tensor) -> np.ndarray:
    return weight.detach().cpu().numpy()
