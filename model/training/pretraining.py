"""A stage: the layers of a stacked denoising autoencoder learn one at a time.

Shapes: B batch, P pixels, H width of a layer.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.recipes.recipe import Recipe
from model.training.stages import FOLLOW_SEED, Images, Stage
from model.vae.autoencoder import Autoencoder


class Pretrain(Stage):
    """Each layer in turn, from the pixels inwards, learns to undo noise on its input.

    Encoder layer i and its mirror image in the decoder are a shallow autoencoder. Its inputs are
    the outputs of the layers below for the clean image; those layers no longer learn.

    Source: Vincent et al. 2010, "Stacked denoising autoencoders", JMLR 11, section 3.
    """

    name = "pretrain"
    decay = "none"

    def __init__(self, autoencoder: Autoencoder, images: Images, recipe: Recipe) -> None:
        assert recipe.pretraining
        self.autoencoder, self.images, self.table = autoencoder, images, recipe.pretraining
        self.trained: nn.Module = autoencoder
        self.batch_size = recipe.training.batch_size
        self.steps_per_epoch = len(images.train_NP) // self.batch_size
        self.encoder, self.decoder = _layers(autoencoder.encoder), _layers(autoencoder.decoder)
        assert len(self.encoder) == len(self.decoder)
        self.epochs = self.table.epochs * len(self.encoder)
        self.learning_rate = self.table.learning_rate

    def losses(self, epoch: int) -> Iterator[Tensor]:
        layer = epoch // self.table.epochs
        for image_BP in self.images.batches(self.batch_size):
            yield self._loss(layer, image_BP)

    def _loss(self, layer: int, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, ""]:
        """Return nats for pixels, or the squared error for hidden layers."""
        with torch.no_grad():
            clean_BH = self.encoder[:layer](image_BP)
        kept_BH = torch.rand_like(clean_BH) >= self.table.noise
        hidden_BH = self.encoder[layer](clean_BH * kept_BH)
        output_BH: Tensor = self.decoder[-1 - layer](hidden_BH)
        if layer == 0:
            return -self.autoencoder.likelihood.log_prob(image_BP, output_BH).mean()
        error_B: Tensor = (output_BH - clean_BH).square().sum(-1)
        return error_B.mean()

    @torch.inference_mode()
    def follow(self) -> dict[str, float]:
        torch.manual_seed(FOLLOW_SEED)
        image_BP = self.images.intensities(self.images.followed_NP[:2000])
        losses = [self._loss(layer, image_BP).item() for layer in range(len(self.encoder))]
        return {f"loss_of_layer_{layer + 1}": loss for layer, loss in enumerate(losses)}


def _layers(network: nn.Module) -> nn.Sequential:
    """Return the linear layers of an mlp, each with the activation that follows it."""
    layers: list[nn.Module] = []
    for module in network.children():
        if isinstance(module, nn.Linear):
            layers.append(nn.Sequential(module))
        else:
            group = layers[-1]
            assert isinstance(group, nn.Sequential)
            group.append(module)
    return nn.Sequential(*layers)
