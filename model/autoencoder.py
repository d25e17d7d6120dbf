"""An encoder and a decoder as one: the plain autoencoder and the variational one.

Shapes: B batch, P pixels, D latent dimensions.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.networks import build_network
from model.posterior import CholeskyPosterior, DiagonalPosterior, Posterior
from model.recipe import Network, Recipe

SIDE = 28
PIXELS = SIDE * SIDE


class Autoencoder(nn.Module):
    """Image -> code -> image. The code is a point, and nothing says where points should lie.

    Source: Kramer 1991, "Nonlinear principal component analysis using autoassociative networks".
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def code(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch latent"]:
        """The point of latent space that stands for each image."""
        code_BD: Tensor = self.encoder(image_BP)
        return code_BD

    def decode(self, z_BD: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """The logits of p(x|z)."""
        logits_BP: Tensor = self.decoder(z_BD)
        return logits_BP


class VariationalAutoencoder(Autoencoder):
    """Image -> posterior -> sample -> image. The code is the posterior's mean.

    Source: Kingma & Welling 2014, arXiv:1312.6114.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, latent_dim: int, *, correlated: bool
    ) -> None:
        super().__init__(encoder, decoder)
        self.latent_dim = latent_dim
        self.correlated = correlated

    def posterior(self, image_BP: Float[Tensor, "batch pixels"]) -> Posterior:
        """q(z|x): of full covariance if `correlated`, else diagonal."""
        D = self.latent_dim
        output_BO = self.encoder(image_BP)
        mean_BD, log_scale_BD = output_BO[:, :D], output_BO[:, D : 2 * D]
        if self.correlated:
            return CholeskyPosterior(mean_BD, log_scale_BD, output_BO[:, 2 * D :])
        return DiagonalPosterior(mean_BD, log_scale_BD)

    def code(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch latent"]:
        """The posterior mean of each image."""
        return self.posterior(image_BP).mean


def build_autoencoder(recipe: Recipe, decoder: Network) -> Autoencoder:
    """Build the recipe's family around one of its decoders, with fresh weights."""
    D = recipe.latent_dim
    correlated = recipe.posterior == "cholesky"
    outputs = {"point": D, "diagonal": 2 * D, "cholesky": 2 * D + D * (D - 1) // 2}
    encoder = build_network(recipe.encoder, PIXELS, outputs[recipe.posterior])
    network = build_network(decoder, D, PIXELS)
    if recipe.family == "ae":
        return Autoencoder(encoder, network)
    if recipe.encoder.kind == "residual":
        _start_near(encoder)
    if correlated:
        _start_narrow(encoder, D)
    return VariationalAutoencoder(encoder, network, D, correlated=correlated)


def _start_near(encoder: nn.Sequential) -> None:
    """Let codes begin near the origin and move slowly.

    A residual network ends in 512 normalised features; at full gain, Adam's first steps throw the
    codes ten units out, and the decoder spends ten epochs to recover (docs/adr/0008).
    """
    norm = encoder[-2]
    assert isinstance(norm, nn.LayerNorm)
    nn.init.constant_(norm.weight, 0.1)


@torch.no_grad()
def _start_narrow(encoder: nn.Sequential, latent_dim: int) -> None:
    """Let every posterior begin as N(mean, (e^-2)^2 I), so that a sample says which image it is."""
    head = encoder[-1]
    assert isinstance(head, nn.Linear)
    head.weight[latent_dim:] = 0
    head.bias[latent_dim:] = 0
    head.bias[latent_dim : 2 * latent_dim] = -2.0
