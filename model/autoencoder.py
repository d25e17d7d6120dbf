"""An encoder and a decoder as one: the plain autoencoder and the variational one.

Shapes: B batch, P pixels, D latent dimensions.
"""

from __future__ import annotations

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
    network = build_network(decoder, inputs=D, outputs=PIXELS)
    if recipe.family == "ae":
        return Autoencoder(build_network(recipe.encoder, inputs=PIXELS, outputs=D), network)
    correlated = recipe.posterior == "cholesky"
    outputs = 2 * D + (D * (D - 1) // 2 if correlated else 0)
    encoder = build_network(recipe.encoder, inputs=PIXELS, outputs=outputs)
    return VariationalAutoencoder(encoder, network, D, correlated=correlated)
