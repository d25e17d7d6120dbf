"""A stage: the plane starts as a map on which similar images are neighbours.

Shapes: N images, B batch, P pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from model.recipes.recipe import Recipe
from model.training.stages import FOLLOW_SEED, Images, Stage
from model.vae.autoencoder import VariationalAutoencoder

COMPONENTS = 30
PERPLEXITY = 30.0
NARROW = 0.135
"""Standard deviation of a sample about its place, and of the encoder's errors in the loss."""


class Layout(Stage):
    """The encoder and the decoder learn places that t-SNE has found for the images.

    The ELBO rewards a plane whose neighbours look alike, but cannot unfold one that started folded:
    a digit that starts in several islands stays in them. t-SNE does not see labels either.

    Source: van der Maaten & Hinton 2008, "Visualizing data using t-SNE", JMLR 9; for a network
    that learns the places, van der Maaten 2009, "Learning a parametric embedding".
    """

    name = "layout"
    ema = 0.0

    def __init__(self, vae: VariationalAutoencoder, images: Images, recipe: Recipe) -> None:
        assert recipe.layout
        self.vae, self.images = vae, images
        self.trained: nn.Module = vae
        self.batch_size = recipe.training.batch_size
        self.epochs, self.learning_rate = recipe.layout.epochs, recipe.layout.learning_rate
        self.steps_per_epoch = len(images.train_NP) // self.batch_size
        places = lay_out(images.train_NP.cpu().numpy(), recipe.layout.images, recipe.seed)
        self.place_N2 = torch.from_numpy(places).to(images.train_NP.device)

    def losses(self, epoch: int) -> Iterator[Tensor]:
        order_N = torch.randperm(len(self.images.train_NP), device=self.place_N2.device)
        for start in range(0, self.steps_per_epoch * self.batch_size, self.batch_size):
            yield self._loss(order_N[start : start + self.batch_size])

    def _loss(self, pick_B: Tensor) -> Float[Tensor, ""]:
        image_BP = self.images.intensities(self.images.train_NP[pick_B])
        place_B2 = self.place_N2[pick_B]
        error_B = ((self.vae.code(image_BP) - place_B2) / NARROW).square().sum(-1)
        output_BP = self.vae.decode(place_B2 + NARROW * torch.randn_like(place_B2))
        return (0.5 * error_B - self.vae.likelihood.log_prob(image_BP, output_BP)).mean()

    @torch.inference_mode()
    def follow(self) -> dict[str, float]:
        """Measure how far codes lie from their places, and how well the places decode."""
        torch.manual_seed(FOLLOW_SEED)
        pick_B = torch.arange(min(2000, len(self.images.train_NP)), device=self.place_N2.device)
        image_BP = self.images.intensities(self.images.train_NP[pick_B])
        away_B2 = self.vae.code(image_BP) - self.place_N2[pick_B]
        log_prob_B = self.vae.likelihood.log_prob(image_BP, self.vae.decode(self.place_N2[pick_B]))
        return {
            "distance": away_B2.norm(dim=-1).mean().item(),
            "reconstruction": log_prob_B.mean().item(),
        }


def lay_out(
    images: UInt8[np.ndarray, "images pixels"], mapped: int, seed: int
) -> Float[np.ndarray, "images 2"]:
    """Return places for images, whose distances from the centre are distributed as in N(0, I).

    t-SNE maps the first `mapped`. Every other image takes a place of the five most similar mapped
    images: the one nearest to the other four.
    """
    from sklearn.decomposition import PCA  # heavy, and used in this stage alone
    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors

    intensities = images.astype(np.float32) / 255
    components = PCA(COMPONENTS, svd_solver="randomized", random_state=seed)
    components.fit(intensities[:mapped])
    reduced = components.transform(intensities)
    tsne = TSNE(2, perplexity=PERPLEXITY, init="pca", max_iter=500, random_state=seed, n_jobs=1)
    places = tsne.fit_transform(reduced[:mapped]).astype(np.float64)
    search = NearestNeighbors(n_neighbors=5, algorithm="brute", n_jobs=1).fit(reduced[:mapped])
    near_N52 = places[search.kneighbors(reduced[mapped:], return_distance=False)]
    apart_N55 = np.linalg.norm(near_N52[:, :, None] - near_N52[:, None], axis=-1)
    middle_N = apart_N55.sum(-1).argmin(-1)
    places = np.concatenate([places, near_N52[np.arange(len(near_N52)), middle_N]])
    places -= places.mean(axis=0)
    radius = np.linalg.norm(places, axis=1)
    share = (radius.argsort().argsort() + 0.5) / len(radius)
    gaussian = np.sqrt(-2 * np.log1p(-share))
    return np.asarray(places * (gaussian / radius)[:, None], np.float32)
