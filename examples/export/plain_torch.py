"""A VAE of your own in plain PyTorch: trained on a folder of images, and written as two ONNX files.

    python examples/export/plain_torch.py --images shapes --to my-vae

Only `Encoder`, `Decoder` and `two_files.py` have to do with the explorer. docs/own-model.md leads
through it.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from two_files import write

SIDE, LATENTS = 32, 3


class Vae(nn.Module):
    """A network as one writes it: images from -1 to 1 go in, and come out again."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(3, 8, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * (SIDE // 4) ** 2, 64),
            nn.ReLU(),
        )
        self.mean, self.log_variance = nn.Linear(64, LATENTS), nn.Linear(64, LATENTS)
        self.up = nn.Sequential(
            nn.Linear(LATENTS, 64),
            nn.ReLU(),
            nn.Linear(64, 16 * (SIDE // 4) ** 2),
            nn.ReLU(),
            nn.Unflatten(1, (16, SIDE // 4, SIDE // 4)),
            nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the posterior of each image."""
        found = self.down(image)
        return self.mean(found), self.log_variance(found)

    def loss(self, image: Tensor) -> Tensor:
        """Return minus the ELBO, up to a constant, of Gaussian pixels."""
        mean, log_variance = self.encode(image)
        latent = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        squares = (self.up(latent) - image).square().flatten(1).sum(1)
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)
        return (10 * squares + kl).mean()


class Encoder(nn.Module):
    """What the explorer asks for: images from 0 to 1 -> mean and log-variance."""

    def __init__(self, vae: Vae) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Bring images from 0 to 1 to the range of the network."""
        return self.vae.encode(2 * image - 1)


class Decoder(nn.Module):
    """What the explorer asks for: latents -> images from 0 to 1."""

    def __init__(self, vae: Vae) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, latent: Tensor) -> Tensor:
        """Bring images back to 0 to 1."""
        image: Tensor = (self.vae.up(latent) + 1) / 2
        return image


def read(folder: Path) -> Tensor:
    """Return all pictures of a folder as images from -1 to 1."""
    images = []
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as picture:
            images.append(np.asarray(picture.convert("RGB").resize((SIDE, SIDE)), np.float32))
    return torch.from_numpy(np.stack(images) / 127.5 - 1).permute(0, 3, 1, 2).contiguous()


def main() -> None:
    """Train the network, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="a folder of PNG files")
    parser.add_argument("--to", type=Path, required=True, help="where the two files are written")
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)  # of a network as small as this, one is quickest
    images, vae = read(arguments.images), Vae()
    optimiser = torch.optim.Adam(vae.parameters(), lr=2e-3)
    for epoch in range(arguments.epochs):
        for batch in torch.split(images[torch.randperm(len(images))], 32):
            loss = vae.loss(batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1}: {loss.item():.1f}", flush=True)
    image, latent = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1, LATENTS)
    write(Encoder(vae), Decoder(vae), image, latent, arguments.to)


if __name__ == "__main__":
    main()
