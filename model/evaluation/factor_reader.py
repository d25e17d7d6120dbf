"""A network that reads the factors of a portrait: it judges what a model draws.

Shapes: N images, B batch, F factors, O outputs of the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from model.data.datasets import FACES
from model.data.faces import CHOICES, FACTORS, RANGES
from model.evaluation.classifier import CLASSIFIERS, read_verified

FEATURES = 128
CHUNK = 250
OUTPUTS = {name: len(CHOICES.get(name, " ")) for name in FACTORS}
"""How many outputs each factor has: a logit for each choice, or one number in 0..1 of its range."""


class ReaderNetwork(nn.Module):
    """Four 3 x 3 convolutions and a hidden layer: portrait -> the outputs of all factors."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(FACES.image.channels, 24),
            *_convolution(24, 32),
            *_convolution(32, 48),
            *_convolution(48, 64),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, FEATURES),
            nn.ReLU(),
        )
        self.head = nn.Linear(FEATURES, sum(OUTPUTS.values()))

    def forward(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch outputs"]:
        """Return the outputs of all factors, in the order of `FACTORS`."""
        image_BHWC = image_BP.reshape(-1, *FACES.image.axes)
        outputs_BO: Tensor = self.head(self.body(image_BHWC.permute(0, 3, 1, 2)))
        return outputs_BO


def _convolution(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


@dataclass(frozen=True)
class FactorReader:
    """A trained network with the facts about it."""

    network: ReaderNetwork
    facts: dict[str, Any]
    """Its JSON: how well it reads the test images, how it was trained."""

    @torch.inference_mode()
    def read(self, image_NP: Float[Tensor, "images pixels"]) -> Float[np.ndarray, "images factors"]:
        """Return the factors of portraits, in the order of `FACTORS`: numbers, or indices."""
        output_NO = torch.cat([self.network(part) for part in torch.split(image_NP, CHUNK)])
        columns = []
        parts = torch.split(output_NO, list(OUTPUTS.values()), dim=1)
        for name, part in zip(FACTORS, parts, strict=True):
            if name in CHOICES:
                columns.append(part.argmax(1).double())
            else:
                low, high = RANGES[name]
                columns.append(low + (high - low) * part[:, 0].double().clamp(0, 1))
        return torch.stack(columns, dim=1).numpy()


@cache
def load_reader(folder: Path = CLASSIFIERS) -> FactorReader:
    """Read and verify the network; it runs on the CPU.

    Raises:
        CheckpointError: A file is missing, or the weights do not match.
    """
    facts, content = read_verified(folder, FACES.id, "factor_reader_training")
    network = ReaderNetwork()
    network.load_state_dict(load_tensors(content))
    network.requires_grad_(False).eval()
    return FactorReader(network, facts)
