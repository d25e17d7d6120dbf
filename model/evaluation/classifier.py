"""A small convolutional network that classifies images, to judge decoded ones.

`classifiers/` has one for each data set, trained by `model.evaluation.classifier_training`. The
JSON beside its weights has its accuracy and the calibration of its confidence.

Shapes: B batch, N images, P pixels, C classes, F features.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from model.checkpoint import sha256
from model.data.datasets import FASHION_MNIST, MNIST
from model.errors import CheckpointError
from model.image_shape import MNIST_SHAPE

CLASSIFIERS = Path(__file__).parent / "classifiers"
CLASSES = 10
FEATURES = 96
RECOGNISED = 0.9
"""Confidence from which an image counts as recognised."""
CHUNK = 500


class ClassifierNetwork(nn.Module):
    """Four 3 x 3 convolutions and a hidden layer, 160,000 weights: image -> features -> logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(1, 16),
            nn.MaxPool2d(2),
            *_convolution(16, 32),
            nn.MaxPool2d(2),
            *_convolution(32, 64),
            *_convolution(64, 64, stride=2),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, FEATURES),
            nn.ReLU(),
        )
        self.head = nn.Linear(FEATURES, CLASSES)

    def features(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch features"]:
        """Return the last hidden layer's output for each image, at least 0."""
        image_B1HW = image_BP.reshape(-1, 1, *MNIST_SHAPE.axes)
        features_BF: Tensor = self.body(image_B1HW.to(memory_format=torch.channels_last))
        return features_BF

    def forward(self, image_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch classes"]:
        """Return the logits of the classes."""
        logits_BC: Tensor = self.head(self.features(image_BP))
        return logits_BC


def _convolution(inputs: int, outputs: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


@dataclass(frozen=True)
class Classifier:
    """A trained network with the facts about it."""

    dataset: str
    network: ClassifierNetwork
    facts: dict[str, Any]
    """Its JSON: accuracy and calibration on the test images, how it was trained, the floors."""

    @torch.inference_mode()
    def probabilities(
        self, image_NP: Float[Tensor, "images pixels"]
    ) -> Float[Tensor, "images classes"]:
        """Return p(class | image), calibrated by a temperature that is part of the weights."""
        return torch.cat([self.network(part).softmax(-1) for part in torch.split(image_NP, CHUNK)])

    @torch.inference_mode()
    def features(self, image_NP: Float[Tensor, "images pixels"]) -> Float[Tensor, "images 96"]:
        """Return the last hidden layer's output, which is similar for similar images."""
        return torch.cat([self.network.features(part) for part in torch.split(image_NP, CHUNK)])


def read_verified(folder: Path, name: str, training: str) -> tuple[dict[str, Any], bytes]:
    """Return the facts and the weights of a network that judges images.

    Args:
        folder: It has `<name>.json` and `<name>.safetensors`.
        name: Of the data set.
        training: The module that trains the network, and its arguments.

    Raises:
        CheckpointError: A file is missing, or the weights do not match.
    """
    facts_path, weights_path = folder / f"{name}.json", folder / f"{name}.safetensors"
    try:
        facts = json.loads(facts_path.read_text(encoding="utf-8"))
        content = weights_path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{error.filename} cannot be read: {error.strerror}. Restore it, or train it: "
            f"`python -m model.evaluation.{training}`."
        ) from error
    if sha256(content) != facts["sha256"]:
        raise CheckpointError(
            f"{weights_path} does not match the hash in {facts_path.name}; restore both files."
        )
    return facts, content


def has_classifier(dataset: str) -> bool:
    """Return whether a classifier was trained for a data set: for digits and for clothes."""
    return dataset in (MNIST.id, FASHION_MNIST.id)


@cache
def load_classifier(dataset: str, folder: Path = CLASSIFIERS) -> Classifier:
    """Read and verify the classifier of a data set; it runs on the CPU.

    Raises:
        CheckpointError: There is no classifier for this data set, or its weights do not match.
    """
    facts, content = read_verified(folder, dataset, f"classifier_training {dataset}")
    network = ClassifierNetwork()
    network.load_state_dict(
        {name: tensor.float() for name, tensor in load_tensors(content).items()}
    )
    network.requires_grad_(False).eval()
    return Classifier(dataset, network, facts)
