"""The networks between images and latents.

Shapes: B batch, I inputs, O outputs, H hidden width, D latent dimensions, F frequencies, P numbers
of an image, C channels.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.image_shape import MNIST_SHAPE, ImageShape
from model.recipes.tables import Network

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU}


class FourierFeatures(nn.Module):
    """z -> (z, cos(z W), sin(z W)) with fixed random frequencies W.

    A network on raw coordinates learns smooth functions of them; the waves let it learn sharp ones.

    Args:
        latent_dim: D.
        features: How many frequencies F.
        scale: Standard deviation of W, in radians per latent unit: larger is wigglier.

    Source: Tancik et al. 2020, arXiv:2006.10739.
    """

    def __init__(self, latent_dim: int, features: int, scale: float) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", scale * torch.randn(latent_dim, features))
        self.outputs = latent_dim + 2 * features

    def forward(self, z_BD: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch features"]:
        phase_BF = z_BD @ self.frequencies
        return torch.cat([z_BD, phase_BF.cos(), phase_BF.sin()], dim=-1)


class ResidualBlock(nn.Module):
    """h -> h + W2 f(W1 norm(h)), f the activation.

    Source: He et al. 2016, arXiv:1603.05027 (pre-activation), with LayerNorm for batch norm.
    """

    def __init__(self, width: int, activation: str) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, width)
        self.activation = ACTIVATIONS[activation]()
        self.project = nn.Linear(width, width)

    def forward(self, h_BH: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch hidden"]:
        out_BH: Tensor = self.project(self.activation(self.widen(self.norm(h_BH))))
        return h_BH + out_BH


class ToChannels(nn.Module):
    """Turns a row of numbers into an image as convolutions take it: (B, P) -> (B, C, H, W)."""

    def __init__(self, image: ImageShape) -> None:
        super().__init__()
        self.image = image
        self.sizes = image.channels, image.height, image.width

    def forward(self, image_BP: Float[Tensor, "batch pixels"]) -> Tensor:
        image_BNC = image_BP.reshape(len(image_BP), -1, self.image.channels)
        return image_BNC.mT.reshape(-1, *self.sizes)


class FromChannels(nn.Module):
    """Turns what convolutions return into a row of numbers, without what exceeds the image.

    A network that doubles its grid ends beyond sides that are no multiple of it.
    """

    def __init__(self, image: ImageShape) -> None:
        super().__init__()
        self.image = image

    def forward(self, image_BCHW: Tensor) -> Float[Tensor, "batch pixels"]:
        cut_BCHW = image_BCHW[:, :, : self.image.height, : self.image.width]
        return cut_BCHW.flatten(2).mT.flatten(1)


class RecurrentEncoder(nn.Module):
    """Reads an image row by row from the top, and gives its output after the last row.

    Source: Cho et al. 2014, arXiv:1406.1078 (the GRU, and encoding a sequence by its last state).
    """

    def __init__(self, width: int, outputs: int, image: ImageShape = MNIST_SHAPE) -> None:
        super().__init__()
        self.count = image.height
        self.rows = nn.GRU(image.width * image.channels, width, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch outputs"]:
        _, last_1BH = self.rows(image_BP.reshape(len(image_BP), self.count, -1))
        output_BO: Tensor = self.head(last_1BH[0])
        return output_BO


class RecurrentDecoder(nn.Module):
    """Writes an image row by row from the top; the code sets the first state and is read each row.

    Source: Cho et al. 2014, arXiv:1406.1078.
    """

    def __init__(self, latent_dim: int, width: int, image: ImageShape = MNIST_SHAPE) -> None:
        super().__init__()
        self.count = image.height
        self.opening = nn.Linear(latent_dim, width)
        self.rows = nn.GRU(latent_dim, width, batch_first=True)
        self.head = nn.Linear(width, image.width * image.channels)

    def forward(self, z_BD: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        first_1BH = self.opening(z_BD).tanh().unsqueeze(0)
        state_BRH, _ = self.rows(z_BD.unsqueeze(1).expand(-1, self.count, -1), first_1BH)
        output_BP: Tensor = self.head(state_BRH).flatten(1)
        return output_BP


def build_encoder(network: Network, outputs: int, image: ImageShape = MNIST_SHAPE) -> nn.Module:
    """Build a network from images to `outputs` numbers, with weights from torch's generator.

    `mlp` has linear layers of the `hidden` widths with the activation between them. `residual` has
    a linear layer to `hidden[0]`, one residual block for each entry, a norm and a linear layer.
    `conv` halves the image by each of its layers and then has the `hidden` linear layers; without
    them its outputs are numbers at each place of the last grid. `recurrent` reads the rows as a
    sequence.
    """
    if network.kind == "recurrent":
        return RecurrentEncoder(network.hidden[0], outputs, image)
    if network.kind == "conv":
        return nn.Sequential(*_convolutions(network, outputs, image))
    return _build_dense(network, image.numbers, outputs)


def build_decoder(network: Network, latent_dim: int, image: ImageShape = MNIST_SHAPE) -> nn.Module:
    """Build a network from latents to images, the mirror of `build_encoder`."""
    if network.kind == "recurrent":
        return RecurrentDecoder(latent_dim, network.hidden[0], image)
    if network.kind == "conv":
        return nn.Sequential(*_transposed(network, latent_dim, image))
    return _build_dense(network, latent_dim, image.numbers)


def grid_of(network: Network, image: ImageShape) -> tuple[int, int]:
    """Return the height and the width of the coarsest grid of a convolutional network."""
    height, width = image.height, image.width
    for _ in network.channels:
        height, width = -(-height // 2), -(-width // 2)
    return height, width


def _build_dense(network: Network, inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    width = inputs
    if network.fourier_features:
        waves = FourierFeatures(inputs, network.fourier_features, network.fourier_scale)
        layers.append(waves)
        width = waves.outputs
    if network.kind == "residual":
        layers.append(nn.Linear(width, network.hidden[0]))
        layers += [ResidualBlock(h, network.activation) for h in network.hidden]
        layers.append(nn.LayerNorm(network.hidden[-1]))
        width = network.hidden[-1]
    else:
        layers += _hidden(network, width)
        width = network.hidden[-1]
    layers.append(nn.Linear(width, outputs))
    return nn.Sequential(*layers, *_ending(network))


def _hidden(network: Network, inputs: int) -> list[nn.Module]:
    """Return the hidden linear layers, each with its activation and its dropout, if any."""
    layers: list[nn.Module] = []
    for width in network.hidden:
        layers += [nn.Linear(inputs, width), ACTIVATIONS[network.activation]()]
        if network.dropout:
            layers.append(nn.Dropout(network.dropout))
        inputs = width
    return layers


def _ending(network: Network) -> list[nn.Module]:
    return [nn.ReLU()] if network.output == "relu" else []


def _convolutions(network: Network, outputs: int, image: ImageShape) -> list[nn.Module]:
    layers: list[nn.Module] = [ToChannels(image)]
    width, places = image.channels, math.prod(grid_of(network, image))
    for channels in network.channels:
        layers += [nn.Conv2d(width, channels, 3, 2, 1), ACTIVATIONS[network.activation]()]
        width = channels
    if not network.hidden:
        return [*layers, nn.Conv2d(width, outputs // places, 1), nn.Flatten()]
    layers += [nn.Flatten(), *_hidden(network, width * places)]
    return [*layers, nn.Linear(network.hidden[-1], outputs), *_ending(network)]


def _transposed(network: Network, latent_dim: int, image: ImageShape) -> list[nn.Module]:
    activation = ACTIVATIONS[network.activation]
    grid = grid_of(network, image)
    width, *others = network.channels
    layers: list[nn.Module] = []
    if network.hidden:
        numbers = width * math.prod(grid)
        layers += [*_hidden(network, latent_dim), nn.Linear(network.hidden[-1], numbers)]
        layers.append(nn.Unflatten(1, (width, *grid)))
    else:
        channels = latent_dim // math.prod(grid)
        layers += [nn.Unflatten(1, (channels, *grid)), nn.Conv2d(channels, width, 3, padding=1)]
    for channels in (*others, image.channels):
        layers += [activation(), nn.ConvTranspose2d(width, channels, 4, 2, 1)]
        width = channels
    return [*layers, FromChannels(image)]


@torch.no_grad()
def bound_norms(network: nn.Module, longest: float) -> None:
    """Shorten the incoming weights of each hidden unit to a norm of at most `longest`.

    Source: Srebro & Shraibman 2005; with dropout, Srivastava et al. 2014, JMLR 15, section 5.1.
    """
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for layer in linear[:-1]:
        layer.weight.copy_(torch.renorm(layer.weight, p=2, dim=0, maxnorm=longest))


def multiply_adds(network: nn.Module, inputs: int) -> int:
    """Count the multiply-adds of matrix products and convolutions for one input of that width."""
    from torch.utils.flop_counter import FlopCounterMode  # heavy, and used in training alone

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, inputs, device=next(network.parameters()).device))
    return int(counter.get_total_flops()) // 2
