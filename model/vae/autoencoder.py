"""An encoder and a decoder as one: plain, variational, and with a codebook.

Shapes: B batch, P numbers of an image, D latent dimensions, E entries of a codebook, C their
dimensions, L = 49 places of its grid.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from model.errors import RecipeError
from model.image_shape import MNIST_SHAPE, ImageShape
from model.recipes.recipe import Recipe
from model.vae.likelihood import LIKELIHOODS, Bernoulli, Likelihood
from model.vae.networks import build_decoder, build_encoder, grid_of
from model.vae.posterior import CholeskyPosterior, DiagonalPosterior, Posterior
from model.vae.refinement import refine

CELLS = 7
"""Places on a side of a codebook's grid."""


class Autoencoder(nn.Module):
    """Image -> code -> image. The code is a point, and nothing determines where points lie.

    Attributes:
        image: The shape of its images; each is a row of so many numbers here.

    Source: Kramer 1991, "Nonlinear principal component analysis using autoassociative networks".
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood | None = None,
        image: ImageShape = MNIST_SHAPE,
    ) -> None:
        super().__init__()
        self.image = image
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood or Bernoulli()

    @property
    def device(self) -> torch.device:
        """Where the networks lie; those that are not PyTorch's take what lies on the CPU."""
        return next((one.device for one in self.parameters()), torch.device("cpu"))

    def code(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch latent"]:
        """Return the latent of each image."""
        code_BD: Tensor = self.encoder(image_BP)
        return code_BD

    def decode(self, z_BD: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return the parameters of p(x|z); for Bernoulli pixels, their logits."""
        output_BP: Tensor = self.decoder(z_BD)
        return output_BP

    def reconstruct(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return the decoder's output at the code of each image."""
        return self.decode(self.code(image_BP))

    def embed(self, z_BD: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixels"]:
        """Return p(x|z) of each latent in the coordinates of `Likelihood.embed`."""
        return self.likelihood.embed(self.decode(z_BD))


class VariationalAutoencoder(Autoencoder):
    """Image -> posterior -> sample -> image. The code is the posterior's mean.

    Attributes:
        refinements: Rounds in which the trained decoder corrects the encoder; 0 in training.

    Source: Kingma & Welling 2014, arXiv:1312.6114.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        *,
        correlated: bool,
        likelihood: Likelihood | None = None,
        image: ImageShape = MNIST_SHAPE,
    ) -> None:
        super().__init__(encoder, decoder, likelihood, image)
        self.latent_dim = latent_dim
        self.refinements = 0
        self.correlated = correlated

    def posterior(self, image_BP: Float[Tensor, "batch pixels"]) -> Posterior:
        """Return q(z|x), with full covariance if `correlated`, else diagonal."""
        return self.corrected(self.guess(image_BP), image_BP)

    def corrected(self, posterior: Posterior, image_BP: Float[Tensor, "batch pixels"]) -> Posterior:
        """Return the encoder's guess after the decoder has corrected it `refinements` times."""
        for _ in range(self.refinements):
            posterior = refine(posterior, image_BP, self._log_prob)
        return posterior

    def guess(self, image_BP: Float[Tensor, "batch pixels"]) -> Posterior:
        """Return q(z|x) as the encoder alone estimates it."""
        D = self.latent_dim
        output_BO = self.encoder(image_BP)
        mean_BD, log_scale_BD = output_BO[:, :D], output_BO[:, D : 2 * D]
        if self.correlated:
            return CholeskyPosterior(mean_BD, log_scale_BD, output_BO[:, 2 * D :])
        return DiagonalPosterior(mean_BD, log_scale_BD)

    def _log_prob(self, image_BP: Tensor, z_BD: Tensor) -> Float[Tensor, " batch"]:
        return self.likelihood.log_prob(image_BP, self.decode(z_BD))

    def code(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch latent"]:
        """Return the posterior mean of each image."""
        return self.posterior(image_BP).mean


class VectorQuantisedAutoencoder(Autoencoder):
    """Image -> 7 x 7 vectors -> the nearest entry of a codebook for each -> image.

    Its latents are a grid of whole numbers, so it has no plane and decodes no vectors.

    Source: van den Oord et al. 2017, arXiv:1711.00937.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        entries: int,
        dimensions: int,
        likelihood: Likelihood | None = None,
        image: ImageShape = MNIST_SHAPE,
    ) -> None:
        super().__init__(encoder, decoder, likelihood, image)
        self.codebook_EC = nn.Parameter(torch.randn(entries, dimensions))

    def vectors(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch 49 entry"]:
        """Return the encoder's vector at each place, the top row first."""
        output_BO: Tensor = self.encoder(image_BP)
        return output_BO.reshape(len(output_BO), -1, CELLS**2).mT.contiguous()

    def nearest(self, vector_BLC: Float[Tensor, "batch 49 entry"]) -> Int[Tensor, "batch 49"]:
        """Return the number of the codebook's entry nearest to each vector."""
        dot_BLE = vector_BLC @ self.codebook_EC.T
        return (self.codebook_EC.square().sum(-1) - 2 * dot_BLE).min(-1).indices

    def indices(self, image_BP: Float[Tensor, "batch pixels"]) -> Int[Tensor, "batch 49"]:
        """Return the latents of each image: an entry's number at each place, the top row first."""
        return self.nearest(self.vectors(image_BP))

    def draw(self, vector_BLC: Float[Tensor, "batch 49 entry"]) -> Float[Tensor, "batch pixels"]:
        """Return the decoder's output for vectors at the 49 places."""
        output_BP: Tensor = self.decoder(vector_BLC.mT.flatten(1))
        return output_BP

    def reconstruct(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return the decoder's output for the entries nearest to each image."""
        return self.draw(self.codebook_EC[self.indices(image_BP)])


def build_autoencoder(recipe: Recipe, image: ImageShape = MNIST_SHAPE) -> Autoencoder:
    """Build the recipe's family for images of a shape, with fresh weights from torch's generator.

    Raises:
        RecipeError: The recipe has a codebook, and its grid on such images is not 7 x 7.
    """
    D = recipe.latent_dim
    likelihood = LIKELIHOODS[recipe.likelihood]()
    if table := recipe.codebook:
        if grid_of(recipe.encoder, image) != (CELLS, CELLS):
            raise RecipeError(
                f"{recipe.id} has a codebook, whose grid is {CELLS} x {CELLS}; images of {image} "
                "pixels give another. Take another family for them."
            )
        width = CELLS**2 * table.dimensions
        encoder, decoder = (
            build_encoder(recipe.encoder, width, image),
            build_decoder(recipe.decoder, width, image),
        )
        return VectorQuantisedAutoencoder(
            encoder, decoder, table.entries, table.dimensions, likelihood, image
        )
    correlated = recipe.posterior == "cholesky"
    outputs = {"point": D, "diagonal": 2 * D, "cholesky": 2 * D + D * (D - 1) // 2}
    encoder = build_encoder(recipe.encoder, outputs[recipe.posterior], image)
    decoder = build_decoder(recipe.decoder, D, image)
    if recipe.family == "ae":
        if recipe.encoder.output == "relu":
            _start_above_zero(encoder)
        return Autoencoder(encoder, decoder, likelihood, image)
    if recipe.encoder.kind == "residual":
        _start_near(encoder)
    if correlated:
        _start_narrow(encoder, D)
    return VariationalAutoencoder(
        encoder, decoder, D, correlated=correlated, likelihood=likelihood, image=image
    )


@torch.no_grad()
def _start_above_zero(encoder: nn.Module) -> None:
    """Let every number of a sparse code start above 0, where it has a gradient.

    If they started around 0, half of twenty numbers would be switched off before the decoder has
    learned to use them, and a number that is off for every image never returns.
    """
    head = [module for module in encoder.modules() if isinstance(module, nn.Linear)][-1]
    head.bias.add_(1.0)


def _start_near(encoder: nn.Module) -> None:
    """Let codes start near the origin and move slowly.

    A residual network ends in 512 normalised features. At full gain, Adam's first steps move the
    codes ten units out, and the decoder takes ten epochs to recover (docs/adr/0008).
    """
    assert isinstance(encoder, nn.Sequential)
    norm = encoder[-2]
    assert isinstance(norm, nn.LayerNorm)
    nn.init.constant_(norm.weight, 0.1)


@torch.no_grad()
def _start_narrow(encoder: nn.Module, latent_dim: int) -> None:
    """Let every posterior start as N(mean, (e^-2)^2 I), narrow enough to identify its image."""
    head = [module for module in encoder.modules() if isinstance(module, nn.Linear)][-1]
    head.weight[latent_dim:] = 0
    head.bias[latent_dim:] = 0
    head.bias[latent_dim : 2 * latent_dim] = -2.0
