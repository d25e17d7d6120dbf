"""Codes of which one knows beforehand what can be read off them."""

import numpy as np
import pytest
import torch

from model.data import datasets
from model.data.datasets import LabelledImages
from model.evaluation.codes import measure_codes
from model.image_shape import MNIST_SHAPE
from model.vae.autoencoder import Autoencoder
from tests.model.evaluation import linear

DICE = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 60)


def test_codes_that_lie_by_class_give_every_class_away() -> None:
    centres = np.array([[60, 60], [60, 190], [190, 60], [190, 190]])
    codes = centres[LABELS] + DICE.normal(0, 9, (len(LABELS), 2))
    measured = measure_codes(linear.autoencoder(), linear.corner_images(codes, LABELS))
    assert measured["knn_accuracy"] == 1
    assert measured["linear_accuracy"] == 1


def test_codes_that_know_nothing_of_the_class_are_guessed_by_chance() -> None:
    codes = DICE.uniform(0, 255, (len(LABELS), 2))
    measured = measure_codes(linear.autoencoder(), linear.corner_images(codes, LABELS))
    margin = 4 * (0.25 * 0.75 / len(LABELS)) ** 0.5
    assert measured["knn_accuracy"] == pytest.approx(0.25, abs=margin)
    assert measured["linear_accuracy"] == pytest.approx(0.25, abs=margin)


def test_a_line_cannot_tell_rings_apart_but_neighbours_can() -> None:
    rings = LABELS % 2
    angle, radius = DICE.uniform(0, 2 * np.pi, len(rings)), 20 + 90 * rings
    codes = 127 + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    measured = measure_codes(linear.autoencoder(), linear.corner_images(codes, rings))
    assert measured["knn_accuracy"] > 0.95
    assert measured["linear_accuracy"] < 0.7


def test_accuracy_is_read_off_codes_that_the_reader_has_not_seen() -> None:
    """Every code alone, so that only its own label could tell: 15 others never do."""
    codes = np.stack(np.meshgrid(np.arange(0, 255, 16), np.arange(0, 255, 17)), -1).reshape(-1, 2)
    labels = codes.sum(1) % 2
    measured = measure_codes(linear.autoencoder(), linear.corner_images(codes, labels))
    assert measured["knn_accuracy"] < 0.7


def test_neighbours_among_images_are_trusted_if_they_are_neighbours_among_codes() -> None:
    shipped = datasets.test_set("mnist")
    # Two classes: a line between more of them takes long to find in as many dimensions.
    examples = LabelledImages(shipped.images[:200], shipped.labels[:200] % 2)
    whole = Autoencoder(
        linear.Affine(torch.eye(MNIST_SHAPE.numbers)), linear.Affine(torch.eye(MNIST_SHAPE.numbers))
    )
    assert measure_codes(whole, examples)["trustworthiness"] == 1
    jumbled = linear.corner_images(DICE.uniform(0, 255, (200, 2)), LABELS[:200])
    jumbled.images.reshape(200, -1)[:, 2:] = shipped.images[:200].reshape(200, -1)[:, 2:]
    trust = measure_codes(linear.autoencoder(), jumbled)["trustworthiness"]
    assert trust == pytest.approx(0.5, abs=0.1)


def test_the_protocol_counts_what_was_measured() -> None:
    measured = measure_codes(linear.autoencoder(), linear.cloud(300))
    assert "300 test codes, 10 stratified folds" in measured["protocol"]
