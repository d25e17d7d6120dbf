"""The networks between images and latents.

Shapes: B batch, I inputs, O outputs, H hidden width, D latent dimensions, F frequencies, P pixels.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.data.datasets import IMAGE_SIDE
from model.recipes.tables import Network

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU}
PIXELS = IMAGE_SIDE * IMAGE_SIDE
CELLS = 7
"""Places on a side of a convolutional network's coarsest grid."""


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


class RecurrentEncoder(nn.Module):
    """Reads an image row by row from the top, and gives its output after the last row.

    Source: Cho et al. 2014, arXiv:1406.1078 (the GRU, and encoding a sequence by its last state).
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.rows = nn.GRU(IMAGE_SIDE, width, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch outputs"]:
        _, last_1BH = self.rows(image_BP.reshape(-1, IMAGE_SIDE, IMAGE_SIDE))
        output_BO: Tensor = self.head(last_1BH[0])
        return output_BO


class RecurrentDecoder(nn.Module):
    """Writes an image row by row from the top; the code sets the first state and is read each row.

    Source: Cho et al. 2014, arXiv:1406.1078.
    """

    def __init__(self, latent_dim: int, width: int) -> None:
        super().__init__()
        self.opening = nn.Linear(latent_dim, width)
        self.rows = nn.GRU(latent_dim, width, batch_first=True)
        self.head = nn.Linear(width, IMAGE_SIDE)

    def forward(self, z_BD: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        first_1BH = self.opening(z_BD).tanh().unsqueeze(0)
        state_BRH, _ = self.rows(z_BD.unsqueeze(1).expand(-1, IMAGE_SIDE, -1), first_1BH)
        output_BP: Tensor = self.head(state_BRH).flatten(1)
        return output_BP


def build_encoder(network: Network, outputs: int) -> nn.Module:
    """Build a network from images to `outputs` numbers, with weights from torch's generator.

    `mlp` has linear layers of the `hidden` widths with the activation between them. `residual` has
    a linear layer to `hidden[0]`, one residual block for each entry, a norm and a linear layer.
    `conv` halves the image twice and then has the `hidden` linear layers; without them its outputs
    are numbers at each of 7 x 7 places. `recurrent` reads the rows as a sequence.
    """
    if network.kind == "recurrent":
        return RecurrentEncoder(network.hidden[0], outputs)
    if network.kind == "conv":
        return nn.Sequential(*_convolutions(network, outputs))
    return _build_dense(network, PIXELS, outputs)


def build_decoder(network: Network, latent_dim: int) -> nn.Module:
    """Build a network from latents to images, the mirror of `build_encoder`."""
    if network.kind == "recurrent":
        return RecurrentDecoder(latent_dim, network.hidden[0])
    if network.kind == "conv":
        return nn.Sequential(*_transposed(network, latent_dim))
    return _build_dense(network, latent_dim, PIXELS)


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


def _convolutions(network: Network, outputs: int) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Unflatten(1, (1, IMAGE_SIDE, IMAGE_SIDE))]
    width = 1
    for channels in network.channels:
        layers += [nn.Conv2d(width, channels, 3, 2, 1), ACTIVATIONS[network.activation]()]
        width = channels
    if not network.hidden:
        return [*layers, nn.Conv2d(width, outputs // CELLS**2, 1), nn.Flatten()]
    layers += [nn.Flatten(), *_hidden(network, width * CELLS**2)]
    return [*layers, nn.Linear(network.hidden[-1], outputs), *_ending(network)]


def _transposed(network: Network, latent_dim: int) -> list[nn.Module]:
    activation = ACTIVATIONS[network.activation]
    first, second = network.channels
    layers: list[nn.Module] = []
    if network.hidden:
        layers += [*_hidden(network, latent_dim), nn.Linear(network.hidden[-1], first * CELLS**2)]
        layers.append(nn.Unflatten(1, (first, CELLS, CELLS)))
    else:
        width = latent_dim // CELLS**2
        layers += [nn.Unflatten(1, (width, CELLS, CELLS)), nn.Conv2d(width, first, 3, padding=1)]
    layers += [activation(), nn.ConvTranspose2d(first, second, 4, 2, 1), activation()]
    return [*layers, nn.ConvTranspose2d(second, 1, 4, 2, 1), nn.Flatten()]


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
