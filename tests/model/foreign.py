"""Networks that nobody here has trained, as two ONNX files: PyTorch writes them, or `onnx` does."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from model.image_shape import MNIST_SHAPE, ImageShape

Node = onnx.NodeProto


class Encoder(nn.Module):
    """A convolution, then a mean and a second output."""

    def __init__(
        self, dimensions: int, spread: Callable[[Tensor], Tensor] | None, image: ImageShape
    ) -> None:
        super().__init__()
        places = image.height // 2 * (image.width // 2)
        self.body = nn.Sequential(
            nn.Conv2d(image.channels, 4, 4, stride=2, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(4 * places, 16),
            nn.Tanh(),
        )
        self.mean, self.second = nn.Linear(16, dimensions), nn.Linear(16, dimensions)
        self.spread = spread

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        h = self.body(image)
        mean: Tensor = 4 * self.mean(h)
        return mean if self.spread is None else (mean, self.spread(self.second(h)))


class Decoder(nn.Module):
    """A layer, then a transposed convolution."""

    def __init__(self, dimensions: int, pixels: nn.Module, image: ImageShape) -> None:
        super().__init__()
        rows, columns = image.height // 2, image.width // 2
        self.body = nn.Sequential(
            nn.Linear(dimensions, 4 * rows * columns),
            nn.SiLU(),
            nn.Unflatten(1, (4, rows, columns)),
            nn.ConvTranspose2d(4, image.channels, 4, stride=2, padding=1),
        )
        self.pixels = pixels

    def forward(self, latent: Tensor) -> Tensor:
        image: Tensor = self.pixels(4 * self.body(latent))
        return image


def encoder(
    dimensions: int = 2,
    spread: Callable[[Tensor], Tensor] | None = torch.tanh,
    image: ImageShape = MNIST_SHAPE,
) -> Encoder:
    """An encoder with the same weights each time; its second output is what `spread` makes."""
    torch.manual_seed(1)
    return Encoder(dimensions, spread, image).eval().requires_grad_(False)


def decoder(
    dimensions: int = 2, *, logits: bool = False, image: ImageShape = MNIST_SHAPE
) -> Decoder:
    """A decoder with the same weights each time; of means, or of logits."""
    torch.manual_seed(2)
    pixels = nn.Identity() if logits else nn.Sigmoid()
    return Decoder(dimensions, pixels, image).eval().requires_grad_(False)


def exported(network: nn.Module, example: Tensor, *outputs: str, free: bool = True) -> bytes:
    """The ONNX file of a network, by PyTorch; for any number of rows, or the example's."""
    axes = {name: {0: "N"} for name in ("input", *outputs)} if free else {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newer one needs more packages
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            network,
            (example,),
            path,
            input_names=["input"],
            output_names=list(outputs),
            dynamic_axes=axes,
            dynamo=False,
        )
        return path.read_bytes()


IMAGE = torch.zeros(1, 1, 28, 28)


@cache
def encoder_file(dimensions: int = 2, image: ImageShape = MNIST_SHAPE) -> bytes:
    """A VAE's encoder: mean and log-variance."""
    example = torch.zeros(1, image.channels, image.height, image.width)
    return exported(encoder(dimensions, image=image), example, "mean", "log_variance")


@cache
def decoder_file(dimensions: int = 2, image: ImageShape = MNIST_SHAPE) -> bytes:
    """Its decoder, of means."""
    return exported(decoder(dimensions, image=image), torch.zeros(1, dimensions), "image")


def node(operator: str, inputs: str, output: str, **attributes: Any) -> Node:
    """An operator by the names of its inputs, with spaces between."""
    return helper.make_node(operator, inputs.split(" "), [output], **attributes)


def file_of(
    nodes: Sequence[Node],
    *,
    latents: Sequence[int | str] = ("N", 2),
    constants: dict[str, np.ndarray] | None = None,
    kind: int = TensorProto.FLOAT,
    opsets: Sequence[tuple[str, int]] = (("", 17),),
) -> onnx.ModelProto:
    """A file from "input" to "output", of these operators."""
    weights = [
        onnx.numpy_helper.from_array(array, name) for name, array in (constants or {}).items()
    ]
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("input", kind, latents)],
        [helper.make_tensor_value_info("output", kind, None)],
        weights,
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid(*one) for one in opsets], ir_version=8
    )
