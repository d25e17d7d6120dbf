"""A training run small enough for a test, and what is done to the weights after it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.data import datasets
from model.data.datasets import LabelledImages
from model.evaluation import classifier_training
from model.evaluation.classifier import ClassifierNetwork, load_classifier
from model.evaluation.classifier_training import Plan, calibrate, normalise_features, train

SHIPPED = datasets.test_set("mnist")


def test_the_temperature_takes_back_what_made_a_network_boast() -> None:
    torch.manual_seed(0)
    network = ClassifierNetwork().requires_grad_(False).eval()
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1500, 28, 28)))
    network.head.weight.mul_(40)
    probabilities = network(images.float().flatten(1) / 255).softmax(-1)
    labels = torch.multinomial(probabilities, 1)[:, 0].byte().numpy()
    examples = LabelledImages(images.numpy().astype(np.uint8), labels)
    network.head.weight.mul_(2)
    network.head.bias.mul_(2)
    assert calibrate(network, examples) == pytest.approx(2, rel=0.25)
    assert calibrate(network, examples) == pytest.approx(1, abs=0.03), "the weights took it up"


def test_scaled_features_have_a_mean_square_of_one_and_the_answers_stay() -> None:
    torch.manual_seed(0)
    network = ClassifierNetwork().requires_grad_(False).eval()
    examples = LabelledImages(SHIPPED.images[:200], SHIPPED.labels[:200])
    images = torch.from_numpy(examples.images.copy()).float().flatten(1) / 255
    before = network(images)
    normalise_features(network, examples)
    assert network.features(images).square().mean().item() == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(network(images), before)


def test_training_stores_a_classifier_that_learned_and_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier_training, "BATCH", 32)
    kept = LabelledImages(SHIPPED.images[:800], SHIPPED.labels[:800])
    held_out = LabelledImages(SHIPPED.images[800:1200], SHIPPED.labels[800:1200])
    plan = Plan(epochs=2, motion=1.0, mirror=False)
    facts = train("mnist", kept, held_out, plan, tmp_path)
    classifier = load_classifier("mnist", tmp_path)
    assert classifier.facts == facts
    images = torch.from_numpy(held_out.images.copy()).float().flatten(1) / 255
    answer = classifier.probabilities(images).argmax(-1).numpy()
    assert (answer == held_out.labels).mean() > 0.5
