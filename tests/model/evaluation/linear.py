"""Autoencoders without training, whose every number follows from a matrix."""

import numpy as np
import torch
from torch import Tensor, nn

from model.data.datasets import LabelledImages
from model.image_shape import MNIST_SHAPE
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.likelihood import Gaussian


class Affine(nn.Module):
    """x -> x A + b."""

    def __init__(self, matrix: Tensor, offset: Tensor | float = 0.0) -> None:
        super().__init__()
        self.matrix = nn.Parameter(matrix.float(), requires_grad=False)
        self.offset = nn.Parameter(torch.as_tensor(offset).float(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.matrix + self.offset


def corner_images(codes: np.ndarray, labels: np.ndarray) -> LabelledImages:
    """Images that carry their code in the first pixels, in 255ths."""
    images = np.zeros((len(codes), MNIST_SHAPE.numbers), np.uint8)
    images[:, : codes.shape[1]] = codes
    return LabelledImages(images.reshape(-1, 28, 28), labels.astype(np.uint8))


def corner_encoder(latent_dim: int, scale: float = 1.0, offset: float = 0.0) -> Affine:
    """Reads such a code, from 0 to `scale`."""
    return Affine(scale * torch.eye(MNIST_SHAPE.numbers, latent_dim), offset)


def autoencoder(
    latent_dim: int = 2, scale: float = 1.0, offset: float = 0.0, contrast: float = 4.0
) -> Autoencoder:
    """Draws smooth pictures of codes; `scale` and `offset` change latent space and nothing else."""
    rng = torch.Generator().manual_seed(1)
    drawing = contrast * torch.randn(latent_dim, MNIST_SHAPE.numbers, generator=rng)
    decoder = Affine(drawing / scale, -(torch.full((latent_dim,), offset) / scale) @ drawing)
    return Autoencoder(corner_encoder(latent_dim, scale, offset), decoder)


def fading(latent_dim: int = 2) -> Autoencoder:
    """Its mean image is a linear function of the code, so that decoded lines are straight."""
    rng = torch.Generator().manual_seed(2)
    drawing = 0.1 * torch.rand(latent_dim, MNIST_SHAPE.numbers, generator=rng)
    return Autoencoder(corner_encoder(latent_dim), Affine(drawing, 0.3), Gaussian())


def deaf(latent_dim: int = 2) -> Autoencoder:
    """Its decoder has collapsed: it draws the same noise whatever the code."""
    noise = 4 * torch.randn(MNIST_SHAPE.numbers, generator=torch.Generator().manual_seed(3))
    return Autoencoder(
        corner_encoder(latent_dim), Affine(torch.zeros(latent_dim, MNIST_SHAPE.numbers), noise)
    )


def prior_vae(latent_dim: int = 2) -> VariationalAutoencoder:
    """Every posterior is N(0, I)."""
    encoder = Affine(torch.zeros(MNIST_SHAPE.numbers, 2 * latent_dim))
    decoder = autoencoder(latent_dim).decoder
    return VariationalAutoencoder(encoder, decoder, latent_dim, correlated=False)


def cloud(count: int, latent_dim: int = 2, seed: int = 0) -> LabelledImages:
    """Images whose codes are spread normally about the middle, their labels by chance."""
    rng = np.random.default_rng(seed)
    codes = (127 + 30 * rng.standard_normal((count, latent_dim))).clip(0, 255).astype(np.uint8)
    return corner_images(codes, rng.integers(0, 10, count))
