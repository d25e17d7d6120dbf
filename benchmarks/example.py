"""The public way to train 784-400-20, in our own words: a peer for `benchmarks.training`.

It does what the VAE example of PyTorch (github.com/pytorch/examples, vae/main.py) does, one
statement for one of its own: a `DataLoader` of 128 in random order, without workers; linear layers
with a sigmoid at the end; binary cross-entropy of probabilities and KL, each summed over the batch;
Adam at 1e-3 as it comes; the loss read out as a number at each step.

What stands in for what: `Digits` for torchvision's `datasets.MNIST`, and `to_tensor` for its
`transforms.ToTensor`, which torchvision is not needed for. They take the same way: an image of
Pillow from the array, an array from it, a float tensor from that.

Shapes: B batch, P pixels, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from model.data.datasets import LabelledImages

PIXELS, HIDDEN, LATENT_DIM = 784, 400, 20
BATCH = 128


def to_tensor(image: Image.Image) -> Tensor:
    """A grey image as a tensor of floats from 0 to 1, a channel first."""
    pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
    pixels = pixels.view(image.size[1], image.size[0], len(image.getbands()))
    return pixels.permute(2, 0, 1).contiguous().to(torch.get_default_dtype()).div(255)


class Digits(Dataset[tuple[Tensor, int]]):
    """Images and labels, each made into a tensor when it is asked for."""

    def __init__(self, half: LabelledImages) -> None:
        self._images = torch.from_numpy(half.images.copy())
        self._labels = torch.from_numpy(half.labels.copy())

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self._images[index].numpy(), "L")
        return to_tensor(image), int(self._labels[index])

    def __len__(self) -> int:
        return len(self._images)


class Network(nn.Module):
    """Image -> mean and log-variance -> sample -> probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.widen = nn.Linear(PIXELS, HIDDEN)
        self.mean, self.log_variance = nn.Linear(HIDDEN, LATENT_DIM), nn.Linear(HIDDEN, LATENT_DIM)
        self.open, self.draw = nn.Linear(LATENT_DIM, HIDDEN), nn.Linear(HIDDEN, PIXELS)

    def forward(self, image_BP: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = F.relu(self.widen(image_BP))
        mean_BD, log_variance_BD = self.mean(hidden), self.log_variance(hidden)
        deviation_BD = torch.exp(0.5 * log_variance_BD)
        z_BD = mean_BD + torch.randn_like(deviation_BD) * deviation_BD
        return torch.sigmoid(self.draw(F.relu(self.open(z_BD)))), mean_BD, log_variance_BD


def losses(half: LabelledImages) -> Iterator[float]:
    """Train without end; each item is a step that was taken, and its loss in nats."""
    loader = DataLoader(Digits(half), batch_size=BATCH, shuffle=True)
    network = Network()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    while True:
        for image_BCHW, _ in loader:
            optimiser.zero_grad()
            image_BP = image_BCHW.view(-1, PIXELS)
            drawn_BP, mean_BD, log_variance_BD = network(image_BP)
            entropy = F.binary_cross_entropy(drawn_BP, image_BP, reduction="sum")
            kl = -0.5 * torch.sum(1 + log_variance_BD - mean_BD.pow(2) - log_variance_BD.exp())
            loss = entropy + kl
            torch.autograd.backward(loss)
            optimiser.step()
            yield loss.item()
