"""The seam of a model, as its card has it: its neighbours by a plain search, and its confidence."""

import numpy as np
import pytest
import torch

from model.checkpoint import CHECKPOINTS, read_checkpoint
from model.data import datasets
from model.evaluation import places
from model.evaluation.classifier import load_classifier
from model.evaluation.places import measure_places
from model.evaluation.space import mean_images

EXAMPLES = datasets.test_set("mnist")
CLASSIFIER = load_classifier("mnist")


@pytest.mark.parametrize("name", ["mnist-vae-2d", "mnist-vae-2d-beta-1"])
def test_a_seam_lies_between_two_labels_of_which_the_classifier_is_not_sure(name: str) -> None:
    checkpoint = read_checkpoint(CHECKPOINTS / name)
    seam = checkpoint.card.metrics["places"]["seam"]
    place = torch.tensor([seam["latent"]], dtype=torch.float64)
    shares = CLASSIFIER.probabilities(mean_images(checkpoint.autoencoder, place))[0]
    assert float(shares.max()) == pytest.approx(seam["confidence"], abs=0.02)
    assert seam["confidence"] < 0.6
    assert float(shares[[4, 9]].sum()) > 0.75
    away = np.linalg.norm(checkpoint.atlas.codes - np.array(seam["latent"]), axis=1)
    assert set(np.argsort(away)[:8]) == set(seam["images"])
    labels = EXAMPLES.labels[seam["images"]]
    assert set(labels) == {4, 9}
    assert min((labels == 4).sum(), (labels == 9).sum()) >= 3


def test_a_decoder_that_ignores_its_code_has_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CELLS", 40)
    collapsed = read_checkpoint(CHECKPOINTS / "mnist-vae-2d-beta-64").autoencoder
    assert measure_places(collapsed, EXAMPLES, CLASSIFIER) is None
