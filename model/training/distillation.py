"""A stage: a small decoder learns the images of a large one.

Shapes: B batch, N images, P pixels, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from model.recipes.tables import Distillation
from model.training.stages import FOLLOW_SEED, Images, Stage
from model.vae.autoencoder import VariationalAutoencoder
from model.vae.likelihood import bernoulli_mean


class Distil(Stage):
    """A student decoder learns the teacher's mean images, at latents that users will visit.

    Source: Hinton et al. 2015, arXiv:1503.02531; here with the cross-entropy of each pixel.
    """

    name = "distil"
    steps_per_epoch = 500
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
    """Draws latents that users will visit: from the widened posteriors of images, and beyond."""

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
