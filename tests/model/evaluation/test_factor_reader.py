"""The reader of portraits: what it says of itself, and what it does not see."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.data import datasets
from model.data.datasets import factors_of_tests
from model.data.faces import CHOICES, FACTORS, HAIR_COLOURS, Face
from model.data.portraits import portrait
from model.errors import CheckpointError
from model.evaluation.classifier import CLASSIFIERS
from model.evaluation.factor_reader import load_reader
from model.evaluation.factor_reader_training import accuracies, fit, write


def read(*faces: Face) -> list[dict[str, float]]:
    images = np.stack([portrait(face) for face in faces]).reshape(len(faces), -1) / np.float32(255)
    found = load_reader().read(torch.from_numpy(images))
    return [dict(zip(FACTORS, row, strict=True)) for row in found.tolist()]


def test_the_accuracy_that_it_states_is_measured_on_the_test_images() -> None:
    reader = load_reader()
    found = accuracies(reader, datasets.test_set("faces").images, factors_of_tests("faces"))
    assert found == pytest.approx(reader.facts["test"], abs=0.002)
    for name, value in found.items():
        if name in CHOICES and name != "hair_colour":
            assert value > 0.99, name
        elif name in CHOICES:
            assert value > 0.9, "it cannot be seen on who is bald and shaven"
        else:
            assert value < 0.05, name


def test_a_face_that_nobody_trained_on_is_read_factor_by_factor() -> None:
    plain = Face(skin=0.2, hair_colour=HAIR_COLOURS.index("red"), mouth=-0.8, turn=0.5)
    without, with_all = read(plain, replace(plain, moustache=1, beard=1, glasses=1))
    for name in ("moustache", "beard", "glasses"):
        assert (without[name], with_all[name]) == (0, 1)
    for found in (without, with_all):
        assert HAIR_COLOURS[int(found["hair_colour"])] == "red"
        assert found["mouth"] == pytest.approx(-0.8, abs=0.3)
        assert found["turn"] == pytest.approx(0.5, abs=0.3)
        assert found["skin"] == pytest.approx(0.2, abs=0.15)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    reader, content = load_reader(), (CLASSIFIERS / "faces.safetensors").read_bytes()
    write(reader, content[:-1] + bytes([content[-1] ^ 1]), tmp_path)
    assert json.loads((tmp_path / "faces.json").read_text()) == reader.facts
    with pytest.raises(CheckpointError, match="does not match the hash"):
        load_reader(tmp_path)
    with pytest.raises(CheckpointError, match="factor_reader_training"):
        load_reader(tmp_path / "nowhere")


def test_it_learns_from_portraits_and_their_factors(capsys: pytest.CaptureFixture[str]) -> None:
    images, factors = datasets.test_set("faces").images[:256], factors_of_tests("faces")[:256]
    fit(images, factors)
    losses = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert losses[-1] < 0.8 * losses[0]
