"""The networks between images and latents.

Shapes: B batch, I inputs, O outputs, H hidden width, D latent dimensions, F frequencies.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.recipe import Network

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU}


class FourierFeatures(nn.Module):
    """z -> (z, cos(z W), sin(z W)) with fixed random frequencies W.

    A network on raw coordinates draws smooth pictures of them; the waves let it draw sharp ones.

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


def build_network(network: Network, inputs: int, outputs: int) -> nn.Sequential:
    """Build what a recipe describes, its weights drawn from torch's generator.

    `mlp` is linear layers of the `hidden` widths with the activation between them. `residual` is a
    linear layer to `hidden[0]`, one residual block for each entry, a norm and a linear layer.
    """
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
        for hidden in network.hidden:
            layers += [nn.Linear(width, hidden), ACTIVATIONS[network.activation]()]
            width = hidden
    layers.append(nn.Linear(width, outputs))
    return nn.Sequential(*layers)


def multiply_adds(network: nn.Module) -> int:
    """Count the multiply-adds of the matrix products for one input; the rest is negligible."""
    count = 0
    for module in network.modules():
        if isinstance(module, nn.Linear):
            count += module.weight.numel()
        elif isinstance(module, FourierFeatures):
            count += module.frequencies.numel()
    return count
