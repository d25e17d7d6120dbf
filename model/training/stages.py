"""The stages of a training run: fit, distil, refit. Each yields losses and follows its progress.

All randomness comes from torch's global generator, which the run seeds anew for every epoch; so an
epoch is a function of the weights at its start, and a resumed run repeats an unbroken one.

Shapes: B batch, N images, P pixels, D latent dimensions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from model.autoencoder import Autoencoder, VariationalAutoencoder
from model.likelihood import bernoulli_mean
from model.objective import reconstruction, sampled_elbo
from model.recipe import Distillation, Recipe

FOLLOW_SEED = 2014


@dataclass(frozen=True)
class Images:
    """Training images and those on which progress is followed, as grey levels on the device."""

    train_NP: UInt8[Tensor, "images pixels"]
    followed_NP: UInt8[Tensor, "followed pixels"]
    binarise: bool

    def batches(self, size: int) -> Iterator[Float[Tensor, "batch pixels"]]:
        """One pass in random order; the last, incomplete batch is left to the next pass's luck."""
        order_N = torch.randperm(len(self.train_NP), device=self.train_NP.device)
        for start in range(0, len(order_N) - size + 1, size):
            yield self.intensities(self.train_NP.index_select(0, order_N[start : start + size]))

    def intensities(self, grey_BP: UInt8[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Grey levels as intensities in [0, 1], or as pixels drawn 0 or 1 with those odds."""
        image_BP = grey_BP.float() / 255
        if self.binarise:
            return (torch.rand_like(image_BP) < image_BP).float()
        return image_BP


class Stage(ABC):
    """A stretch of a run with its own parameters, objective and learning-rate schedule."""

    name: str
    epochs: int
    steps_per_epoch: int
    learning_rate: float
    decay: str
    warmup: float
    ema: float
    trained: nn.Module

    @abstractmethod
    def losses(self, epoch: int) -> Iterator[Tensor]:
        """One scalar loss for each step of an epoch, in nats per image."""

    @abstractmethod
    def follow(self) -> dict[str, float]:
        """Measure the current weights on images or latents that no gradient has seen."""


class Fit(Stage):
    """Encoder and decoder learn from the images: the ELBO, or for an autoencoder reconstruction."""

    name = "fit"

    def __init__(self, autoencoder: Autoencoder, images: Images, recipe: Recipe) -> None:
        training = recipe.training
        self.autoencoder, self.images, self.beta = autoencoder, images, recipe.beta
        self.batch_size, self.kl_warmup = training.batch_size, training.kl_warmup
        self.epochs, self.steps_per_epoch = training.epochs, _batches(images, training.batch_size)
        self.learning_rate, self.decay = training.learning_rate, training.decay
        self.warmup, self.ema = training.warmup, training.ema
        self.trained: nn.Module = autoencoder

    def losses(self, epoch: int) -> Iterator[Tensor]:
        for i, image_BP in enumerate(self.images.batches(self.batch_size)):
            if not isinstance(self.autoencoder, VariationalAutoencoder):
                yield -reconstruction(self.autoencoder, image_BP).mean()
                continue
            noise_BD = _noise(self.autoencoder, image_BP)
            beta = self.beta * self._kl_weight(epoch * self.steps_per_epoch + i)
            yield -sampled_elbo(self.autoencoder, image_BP, noise_BD, beta=beta).total.mean()

    def _kl_weight(self, step: int) -> float:
        """From a tenth to 1, so that the latents are put to use before the KL prices them."""
        steps = self.kl_warmup * self.epochs * self.steps_per_epoch
        return min(1.0, 0.1 + 0.9 * step / steps) if steps else 1.0

    @torch.inference_mode()
    def follow(self) -> dict[str, float]:
        torch.manual_seed(FOLLOW_SEED)
        sums = torch.zeros(2, dtype=torch.float64)
        for grey_BP in torch.split(self.images.followed_NP, 1000):
            image_BP = self.images.intensities(grey_BP)
            if isinstance(self.autoencoder, VariationalAutoencoder):
                noise_BD = _noise(self.autoencoder, image_BP)
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
    """The encoder alone learns, against the decoder that will be shipped."""

    name = "refit"

    def __init__(self, autoencoder: Autoencoder, images: Images, recipe: Recipe) -> None:
        super().__init__(autoencoder, images, recipe)
        assert recipe.distillation is not None
        self.epochs, self.kl_warmup = recipe.distillation.refit_epochs, 0.0
        self.learning_rate = recipe.distillation.refit_learning_rate
        self.trained = autoencoder.encoder


class Distil(Stage):
    """A student decoder learns the teacher's mean images, at latents where people will look.

    Source: Hinton et al. 2015, arXiv:1503.02531; here with the cross-entropy of each pixel.
    """

    name = "distil"
    steps_per_epoch = 500
    decay = "cosine"
    warmup = 0.02
    ema = 0.999

    def __init__(
        self,
        teacher: VariationalAutoencoder,
        student: nn.Module,
        images: Images,
        distillation: Distillation,
    ) -> None:
        self.teacher, self.trained = teacher, student
        self.batch_size, self.epochs = distillation.batch_size, distillation.epochs
        self.learning_rate = distillation.learning_rate
        self.scale, self.prior_share = distillation.posterior_scale, distillation.prior_share
        self.latents = LatentSource(teacher, images, images.train_NP, distillation)
        self.followed = LatentSource(teacher, images, images.followed_NP, distillation)

    def losses(self, epoch: int) -> Iterator[Tensor]:
        for _ in range(self.steps_per_epoch):
            yield self._cross_entropy(self.latents.draw(self.batch_size)).mean()

    @torch.inference_mode()
    def follow(self) -> dict[str, float]:
        torch.manual_seed(FOLLOW_SEED)
        z_BD = self.followed.draw(5000)
        entropy_B = _entropy(self.teacher.decode(z_BD))
        return {"kl_to_teacher": (self._cross_entropy(z_BD) - entropy_B).mean().item()}

    def _cross_entropy(self, z_BD: Tensor) -> Float[Tensor, " batch"]:
        with torch.no_grad():
            mean_BP = bernoulli_mean(self.teacher.decode(z_BD))
        loss_BP = F.binary_cross_entropy_with_logits(self.trained(z_BD), mean_BP, reduction="none")
        return loss_BP.sum(-1)


class LatentSource:
    """Latents where people will look: in the widened posteriors of images, and wide of them."""

    @torch.inference_mode()
    def __init__(
        self,
        vae: VariationalAutoencoder,
        images: Images,
        grey_NP: UInt8[Tensor, "images pixels"],
        distillation: Distillation,
    ) -> None:
        torch.manual_seed(FOLLOW_SEED)
        posteriors = [
            vae.posterior(images.intensities(grey_BP)) for grey_BP in torch.split(grey_NP, 1000)
        ]
        self.mean_ND = torch.cat([p.mean for p in posteriors])
        scale_tril_NDD = torch.cat([p.scale_tril for p in posteriors])
        self.scale_tril_NDD = distillation.posterior_scale * scale_tril_NDD
        self.prior_share = distillation.prior_share

    def draw(self, count: int) -> Float[Tensor, "count latent"]:
        pick_B = torch.randint(len(self.mean_ND), (count,), device=self.mean_ND.device)
        noise_BD1 = torch.randn_like(self.mean_ND[pick_B]).unsqueeze(-1)
        z_BD = self.mean_ND[pick_B] + (self.scale_tril_NDD[pick_B] @ noise_BD1).squeeze(-1)
        wide = round(self.prior_share * count)
        z_BD[:wide] = 2 * torch.randn_like(z_BD[:wide])
        return z_BD


def _entropy(logits_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, " batch"]:
    mean_BP = bernoulli_mean(logits_BP)
    return F.binary_cross_entropy_with_logits(logits_BP, mean_BP, reduction="none").sum(-1)


def _noise(
    vae: VariationalAutoencoder, image_BP: Float[Tensor, "batch pixels"]
) -> Float[Tensor, "batch latent"]:
    return torch.randn(len(image_BP), vae.latent_dim, device=image_BP.device)


def _batches(images: Images, size: int) -> int:
    return len(images.train_NP) // size
