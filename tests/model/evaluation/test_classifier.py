"""The classifiers that ship: as good as their facts say, and in doubt where they should be."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from model.data import datasets
from model.errors import CheckpointError
from model.evaluation.classifier import (
    CLASSIFIERS,
    FEATURES,
    RECOGNISED,
    load_classifier,
)
from model.evaluation.classifier_training import PLANS
from model.evaluation.space import intensities

each_dataset = pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])


@each_dataset
def test_its_accuracy_and_its_confidence_are_those_of_its_facts(dataset: str) -> None:
    classifier, examples = load_classifier(dataset), datasets.test_set(dataset)
    confidence, answer = classifier.probabilities(intensities(examples.images)).max(-1)
    right = answer == torch.from_numpy(examples.labels.copy())
    sure = confidence >= RECOGNISED
    facts = classifier.facts["test"]
    assert right.double().mean().item() == pytest.approx(facts["accuracy"], abs=3e-4)
    assert sure.double().mean().item() == pytest.approx(facts["recognised"], abs=3e-4)
    assert right[sure].double().mean().item() >= RECOGNISED, "confidence must not boast"
    assert confidence.mean().item() == pytest.approx(facts["accuracy"], abs=0.02)


@pytest.mark.parametrize(("dataset", "accuracy"), [("mnist", 0.992), ("fashion-mnist", 0.91)])
def test_it_is_good_enough_to_judge_others(dataset: str, accuracy: float) -> None:
    assert load_classifier(dataset).facts["test"]["accuracy"] >= accuracy


@each_dataset
def test_it_recognises_neither_noise_nor_nothing(dataset: str) -> None:
    torch.manual_seed(0)
    noise, grey = torch.rand(200, 784), torch.linspace(0, 1, 11)[:, None].expand(-1, 784)
    confidence = load_classifier(dataset).probabilities(torch.cat([noise, grey])).amax(-1)
    assert (confidence >= RECOGNISED).double().mean() < 0.02


def test_two_digits_on_top_of_each_other_are_seldom_recognised() -> None:
    shipped = datasets.test_set("mnist")
    labels = torch.from_numpy(shipped.labels[:1000].copy())
    images = intensities(shipped.images[:1000])
    differ = labels != labels.roll(1)
    blends = (images[differ] + images.roll(1, dims=0)[differ]) / 2
    confidence = load_classifier("mnist").probabilities(blends).amax(-1)
    assert (confidence >= RECOGNISED).double().mean() < 0.1


@each_dataset
def test_an_image_gets_the_same_answer_in_whatever_batch(dataset: str) -> None:
    classifier = load_classifier(dataset)
    images = intensities(datasets.test_set(dataset).images[:600])
    alone = torch.cat([classifier.probabilities(images[i : i + 1]) for i in (0, 7, 599)])
    torch.testing.assert_close(classifier.probabilities(images)[[0, 7, 599]], alone)
    assert classifier.features(images).shape == (600, FEATURES)


@each_dataset
def test_its_weights_take_less_than_400_kilobytes(dataset: str) -> None:
    assert (CLASSIFIERS / f"{dataset}.safetensors").stat().st_size < 400_000


def test_weights_that_are_not_those_of_the_facts_are_refused(tmp_path: Path) -> None:
    for name in ("mnist.json", "mnist.safetensors"):
        shutil.copy(CLASSIFIERS / name, tmp_path)
    content = bytearray((tmp_path / "mnist.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "mnist.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"mnist\.safetensors does not match the hash"):
        load_classifier("mnist", tmp_path)


def test_a_missing_classifier_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\.evaluation\.classifier_training mnist"):
        load_classifier("mnist", tmp_path)


@each_dataset
def test_its_facts_say_how_it_was_trained(dataset: str) -> None:
    facts = json.loads((CLASSIFIERS / f"{dataset}.json").read_text(encoding="utf-8"))
    assert {"seed", "images", "data_sha256", "seconds"} <= facts["training"].keys()
    assert asdict(PLANS[dataset]).items() <= facts["training"].items(), "train it again"
