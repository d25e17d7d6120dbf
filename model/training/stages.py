"""The base class of training stages, and the stages that learn from images: fit and refit.

All randomness comes from torch's global generator, which the run seeds for every epoch. So an epoch
is a function of the weights at its start, and a resumed run repeats an uninterrupted one.

Shapes: B batch, N images, P pixels, D latent dimensions, L places of a codebook's grid.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from model.recipes.recipe import Recipe
from model.recipes.tables import Network
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder, VectorQuantisedAutoencoder
from model.vae.networks import bound_norms
from model.vae.objective import reconstruction, sampled_elbo

FOLLOW_SEED = 2014


@dataclass(frozen=True)
class Images:
    """Training images and those on which progress is followed, as grey levels on the device."""

    train_NP: UInt8[Tensor, "images pixels"]
    followed_NP: UInt8[Tensor, "followed pixels"]
    binarise: bool

    def batches(self, size: int) -> Iterator[Float[Tensor, "batch pixels"]]:
        """Yield one pass in random order, without the last, incomplete batch."""
        order_N = torch.randperm(len(self.train_NP), device=self.train_NP.device)
        for start in range(0, len(order_N) - size + 1, size):
            yield self.intensities(self.train_NP.index_select(0, order_N[start : start + size]))

    def intensities(self, grey_BP: UInt8[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return grey levels as intensities in [0, 1], or as pixels drawn 0 or 1 with such odds."""
        image_BP = grey_BP.float() / 255
        if self.binarise:
            return (torch.rand_like(image_BP) < image_BP).float()
        return image_BP


class Stage(ABC):
    """A part of a run with its own parameters, objective and learning-rate schedule."""

    name: str
    epochs: int
    steps_per_epoch: int
    learning_rate: float
    decay: str = "cosine"
    warmup: float = 0.02
    ema: float = 0.0
    encoder_pace: float = 1.0
    trained: nn.Module

    @abstractmethod
    def losses(self, epoch: int) -> Iterator[Tensor]:
        """Yield a scalar loss for each step of an epoch, in nats per image."""

    @abstractmethod
    def follow(self) -> dict[str, float]:
        """Measure the current weights on images or latents that no gradient has seen."""

    def constrain(self) -> None:  # noqa: B027  few stages bound their weights
        """Restore the weights' bounds after a step."""


class Fit(Stage):
    """The encoder and the decoder maximise the ELBO, or an autoencoder's reconstruction."""

    name = "fit"

    def __init__(self, autoencoder: Autoencoder, images: Images, recipe: Recipe) -> None:
        training = recipe.training
        self.autoencoder, self.images, self.recipe = autoencoder, images, recipe
        self.batch_size = training.batch_size
        self.kl_warmup, self.sparsity_warmup = training.kl_warmup, training.sparsity_warmup
        self.epochs = training.epochs
        self.steps_per_epoch = len(images.train_NP) // training.batch_size
        self.learning_rate, self.decay = training.learning_rate, training.decay
        self.warmup, self.ema = training.warmup, training.ema
        self.encoder_pace = training.encoder_pace
        self.trained: nn.Module = autoencoder

    def losses(self, epoch: int) -> Iterator[Tensor]:
        first = epoch * self.steps_per_epoch
        for step, image_BP in enumerate(self.images.batches(self.batch_size), first):
            if isinstance(self.autoencoder, VariationalAutoencoder):
                noise_BD = gaussian_noise(self.autoencoder, image_BP)
                beta = self.recipe.beta * (0.1 + 0.9 * self._risen(step, self.kl_warmup))
                yield -sampled_elbo(self.autoencoder, image_BP, noise_BD, beta=beta).total.mean()
            elif isinstance(self.autoencoder, VectorQuantisedAutoencoder):
                yield self._quantised(self.autoencoder, image_BP)
            else:
                price = self.recipe.training.sparsity * self._risen(step, self.sparsity_warmup)
                yield self._copied(self.autoencoder, image_BP, price)

    def _copied(
        self, autoencoder: Autoencoder, image_BP: Float[Tensor, "batch pixels"], price: float
    ) -> Float[Tensor, ""]:
        """Return nats of the clean image given the code of the noisy one, plus the code's price."""
        noise = self.recipe.training.noise
        seen_BP = image_BP
        if noise:
            sigma_B1 = noise * torch.rand_like(image_BP[:, :1])
            seen_BP = (image_BP + sigma_B1 * torch.randn_like(image_BP)).clamp(0, 1)
        code_BD = autoencoder.code(seen_BP)
        log_prob_B = autoencoder.likelihood.log_prob(image_BP, autoencoder.decode(code_BD))
        return (price * code_BD.abs().sum(-1) - log_prob_B).mean()

    def _quantised(
        self, autoencoder: VectorQuantisedAutoencoder, image_BP: Float[Tensor, "batch pixels"]
    ) -> Float[Tensor, ""]:
        """Return nats of reconstruction plus the distances between the codebook and the encoder.

        `argmin` has no gradient, so the encoder takes the decoder's gradient unchanged.

        Source: van den Oord et al. 2017, arXiv:1711.00937, equation 3.
        """
        assert self.recipe.codebook
        vector_BLC = autoencoder.vectors(image_BP)
        entry_BLC = autoencoder.codebook_EC[autoencoder.nearest(vector_BLC)]
        straight_BLC = vector_BLC + (entry_BLC - vector_BLC).detach()
        log_prob_B = autoencoder.likelihood.log_prob(image_BP, autoencoder.draw(straight_BLC))
        pull = F.mse_loss(entry_BLC, vector_BLC.detach(), reduction="sum")
        commitment = F.mse_loss(vector_BLC, entry_BLC.detach(), reduction="sum")
        distance = pull + self.recipe.codebook.commitment * commitment
        return distance / len(image_BP) - log_prob_B.mean()

    def _risen(self, step: int, warmup: float) -> float:
        """Rise from 0 to 1 over a share of the steps: latents must be useful before they cost."""
        steps = warmup * self.epochs * self.steps_per_epoch
        return min(1.0, step / steps) if steps else 1.0

    def constrain(self) -> None:
        for name in ("encoder", "decoder"):
            table: Network = getattr(self.recipe, name)
            if table.max_norm:
                bound_norms(getattr(self.autoencoder, name), table.max_norm)

    @torch.inference_mode()
    def follow(self) -> dict[str, float]:
        torch.manual_seed(FOLLOW_SEED)
        sums = torch.zeros(2, dtype=torch.float64)
        for grey_BP in torch.split(self.images.followed_NP, 1000):
            image_BP = self.images.intensities(grey_BP)
            if isinstance(self.autoencoder, VariationalAutoencoder):
                noise_BD = gaussian_noise(self.autoencoder, image_BP)
                bound = sampled_elbo(self.autoencoder, image_BP, noise_BD)
                parts = [bound.reconstruction.sum(), bound.kl.sum()]
            else:
                parts = [reconstruction(self.autoencoder, image_BP).sum(), torch.zeros(())]
            sums += torch.stack([p.double().cpu() for p in parts])
        likelihood, kl = (sums / len(self.images.followed_NP)).tolist()
        if not isinstance(self.autoencoder, VariationalAutoencoder):
            return {"reconstruction": likelihood}
        return {"reconstruction": likelihood, "kl": kl, "elbo": likelihood - kl}


class Refit(Fit):
    """The encoder alone learns, with the final decoder."""

    name = "refit"

    def __init__(self, autoencoder: Autoencoder, images: Images, recipe: Recipe) -> None:
        super().__init__(autoencoder, images, recipe)
        assert recipe.refit
        self.epochs, self.learning_rate = recipe.refit.epochs, recipe.refit.learning_rate
        self.kl_warmup, self.sparsity_warmup, self.encoder_pace = 0.0, 0.0, 1.0
        self.trained = autoencoder.encoder

    def constrain(self) -> None:
        if self.recipe.encoder.max_norm:
            bound_norms(self.autoencoder.encoder, self.recipe.encoder.max_norm)


def gaussian_noise(
    vae: VariationalAutoencoder, image_BP: Float[Tensor, "batch pixels"]
) -> Float[Tensor, "batch latent"]:
    """Return standard normal noise for one posterior sample of each image."""
    return torch.randn(len(image_BP), vae.latent_dim, device=image_BP.device)
