"""A stage: the decoder learns from the true posterior, and the encoder follows it.

Shapes: K samples, B batch, P pixels, D latent dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from model.recipes.recipe import Recipe
from model.training.stages import Fit, Images
from model.vae.autoencoder import VariationalAutoencoder

FOLLOWED_SAMPLES = 16


class ImportanceWeighted(Fit):
    """Maximise log p(x) itself, instead of the ELBO, which the encoder's errors hold down.

    Of K latents drawn from q(z|x), one is kept with odds p(x, z) / q(z|x). As K grows, it becomes a
    sample of p(z|x). There the gradient of log p(x, z) is that of log p(x), and the gradient of
    log q(z|x) spreads the encoder over the whole posterior instead of one of its modes.

    Source: Bornschein & Bengio 2015, arXiv:1406.2751 (the wake phases of reweighted wake-sleep).
    They average over the latents; keeping one costs K forward passes but only one backward pass.
    """

    name = "importance"

    def __init__(self, autoencoder: VariationalAutoencoder, images: Images, recipe: Recipe) -> None:
        super().__init__(autoencoder, images, recipe)
        assert recipe.importance
        self.vae, self.samples = autoencoder, recipe.importance.samples
        self.epochs, self.learning_rate = recipe.importance.epochs, recipe.importance.learning_rate

    def losses(self, epoch: int) -> Iterator[Tensor]:
        for image_BP in self.images.batches(self.batch_size):
            posterior = self.vae.posterior(image_BP)
            with torch.no_grad():
                z_KBD, log_weight_KB = weighted_samples(self.vae, image_BP, self.samples)
                kept_B = torch.multinomial(log_weight_KB.softmax(0).T, 1)[:, 0]
                z_BD = z_KBD[kept_B, torch.arange(len(kept_B), device=kept_B.device)]
            log_prob_B = self.vae.likelihood.log_prob(image_BP, self.vae.decode(z_BD))
            log_q_B = posterior.log_prob(z_BD.unsqueeze(0))[0]
            yield -(log_prob_B + log_q_B).mean()

    @torch.inference_mode()
    def follow(self) -> dict[str, float]:
        followed = super().follow()
        sums, count = 0.0, min(2000, len(self.images.followed_NP))
        for grey_BP in torch.split(self.images.followed_NP[:count], 250):
            image_BP = self.images.intensities(grey_BP)
            _, log_weight_KB = weighted_samples(self.vae, image_BP, FOLLOWED_SAMPLES)
            sums += (log_weight_KB.logsumexp(0) - math.log(FOLLOWED_SAMPLES)).sum().item()
        return {**followed, f"log_likelihood_{FOLLOWED_SAMPLES}": sums / count}


def weighted_samples(
    vae: VariationalAutoencoder, image_BP: Float[Tensor, "batch pixels"], samples: int
) -> tuple[Float[Tensor, "samples batch latent"], Float[Tensor, "samples batch"]]:
    """Return latents of q(z|x) and their log-weights log p(x|z) + log p(z) - log q(z|x), in nats.

    The mean over many samples of the weights, not of their logarithms, is p(x).

    Source: Burda et al. 2016, arXiv:1509.00519, equation 8.
    """
    posterior = vae.posterior(image_BP)
    noise_KBD = torch.randn(samples, *posterior.mean.shape, device=image_BP.device)
    z_KBD = torch.stack([posterior.reparameterise(noise_BD) for noise_BD in noise_KBD])
    output_RP = vae.decode(z_KBD.flatten(0, 1))
    repeated_RP = image_BP.repeat(samples, 1)
    log_prob_KB = vae.likelihood.log_prob(repeated_RP, output_RP).reshape(samples, -1)
    log_prior_KB = -0.5 * (z_KBD.square() + math.log(2 * math.pi)).sum(-1)
    return z_KBD, log_prob_KB + log_prior_KB - posterior.log_prob(z_KBD)
