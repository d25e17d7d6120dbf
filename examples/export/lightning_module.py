"""A LightningModule, as its trainer saved it, as two ONNX files.

    python examples/export/lightning_module.py --checkpoint epoch=9-step=1000.ckpt --to my-vae

Put your own module in the place of `LitVae`. Without --checkpoint one is made by two steps of
training. It needs lightning and this folder.
"""

import argparse
import tempfile
from pathlib import Path

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from two_files import write

LATENTS = 4


class LitVae(lightning.LightningModule):
    """A VAE of Bernoulli pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 2 * LATENTS)
        )
        self.decoder = nn.Sequential(
            nn.Linear(LATENTS, 64), nn.ReLU(), nn.Linear(64, 784), nn.Unflatten(1, (1, 28, 28))
        )

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance."""
        mean, log_variance = self.encoder(image).chunk(2, dim=1)
        return mean, log_variance

    def training_step(self, batch: list[Tensor]) -> Tensor:
        """Return minus the ELBO of a batch."""
        (image,) = batch
        mean, log_variance = self.encode(image)
        latent = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        cross_entropy = F.binary_cross_entropy_with_logits(
            self.decoder(latent), image, reduction="sum"
        )
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum()
        return (cross_entropy + kl) / len(image)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(self.parameters())


class Encoder(nn.Module):
    """Images from 0 to 1 -> mean and log-variance."""

    def __init__(self, module: LitVae) -> None:
        super().__init__()
        self.encoder = module.encoder

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Part the output as `LitVae.encode` does."""
        mean, log_variance = self.encoder(image).chunk(2, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """Latents -> images from 0 to 1."""

    def __init__(self, module: LitVae) -> None:
        super().__init__()
        self.decoder = module.decoder

    def forward(self, latent: Tensor) -> Tensor:
        """Make means of the logits."""
        return torch.sigmoid(self.decoder(latent))


def small(folder: str) -> str:
    """Train two steps on noise and save that as Lightning does; return where."""
    trainer = lightning.Trainer(
        max_steps=2, accelerator="cpu", logger=False, enable_checkpointing=False
    )
    noise = TensorDataset(torch.rand(16, 1, 28, 28))
    trainer.fit(LitVae(), DataLoader(noise, batch_size=8))
    path = f"{folder}/last.ckpt"
    trainer.save_checkpoint(path)
    return path


def main() -> None:
    """Read the module and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", help="a .ckpt file of Lightning's")
    parser.add_argument("--to", type=Path, required=True, help="where the two files are written")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        module = LitVae.load_from_checkpoint(arguments.checkpoint or small(folder))
    image, latent = torch.zeros(1, 1, 28, 28), torch.zeros(1, LATENTS)
    write(Encoder(module.cpu()), Decoder(module), image, latent, arguments.to)


if __name__ == "__main__":
    main()
