"""All measures of a checkpoint: the blocks of a card's `metrics`.

`bound` needs only the packages that training needs; the other blocks need the group `evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from model.checkpoint import Checkpoint
from model.data.datasets import FACES, MNIST, LabelledImages, test_set
from model.evaluation.classifier import has_classifier, load_classifier
from model.evaluation.codes import FOLDS, TRUSTED_NEIGHBOURS, measure_codes
from model.evaluation.completeness import measure_completeness
from model.evaluation.continuity import measure_continuity
from model.evaluation.factor_reader import load_reader
from model.evaluation.gaps import measure_gaps
from model.evaluation.latents import measure_latents
from model.evaluation.likelihood import measure_likelihood
from model.evaluation.places import measure_places
from model.evaluation.samples import measure_samples
from model.evaluation.transfer import measure_factors
from model.measures import BLOCKS
from model.vae.autoencoder import VariationalAutoencoder, VectorQuantisedAutoencoder
from model.vae.dataset_elbo import measure_bound


def measure(checkpoint: Checkpoint, wanted: tuple[str, ...] = BLOCKS) -> dict[str, Any]:
    """Take the wanted measures on the test images, with the stored weights.

    A block is None where a model has nothing to measure: a codebook has no plane, an autoencoder
    has no likelihood of images. Portraits and data sets of one's own have no classifier, and the
    latter may have too few images to measure their codes.
    """
    autoencoder, examples = checkpoint.autoencoder, test_set(checkpoint.card.dataset)
    takers = _takers(checkpoint, examples)
    metrics: dict[str, Any] = {}
    for name in wanted:
        if name == "bound":
            metrics |= measure_bound(autoencoder, examples.images)
        elif name in takers and not isinstance(autoencoder, VectorQuantisedAutoencoder):
            metrics[name] = takers[name]()
        else:
            metrics[name] = None
    return metrics


def _takers(
    checkpoint: Checkpoint, examples: LabelledImages
) -> dict[str, Callable[[], dict[str, Any] | None]]:
    autoencoder, images = checkpoint.autoencoder, examples.images
    takers: dict[str, Callable[[], dict[str, Any] | None]] = {}
    counts = np.unique(examples.labels, return_counts=True)[1]
    if len(counts) > 1 and counts.min() >= FOLDS and len(images) > 2 * TRUSTED_NEIGHBOURS:
        takers["codes"] = lambda: measure_codes(autoencoder, examples)
    if has_classifier(checkpoint.card.dataset):
        classifier = load_classifier(checkpoint.card.dataset)
        takers |= {
            "continuity": lambda: measure_continuity(autoencoder, examples, classifier),
            "completeness": lambda: measure_completeness(autoencoder, images, classifier),
            "samples": lambda: measure_samples(autoencoder, images, classifier),
        }
        if checkpoint.card.dataset == MNIST.id:
            takers["places"] = lambda: measure_places(autoencoder, examples, classifier)
    if checkpoint.card.dataset == FACES.id:
        takers["factors"] = lambda: measure_factors(autoencoder, examples, load_reader())
    if isinstance(autoencoder, VariationalAutoencoder):
        takers["likelihood"] = lambda: measure_likelihood(autoencoder, images)
        takers["gaps"] = lambda: measure_gaps(autoencoder, images)
        takers["latents"] = lambda: measure_latents(autoencoder, images)
    return takers
