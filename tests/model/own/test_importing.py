"""Importing over a name, and what becomes of the checkpoints that were trained on it."""

import json
from pathlib import Path

import pytest

from model.__main__ import main
from model.checkpoint import read_checkpoint
from model.engine import Engine
from model.errors import CheckpointError
from tests.app import untrained
from tests.model.own.conftest import write_files


def test_a_model_of_other_images_is_refused_with_the_reason() -> None:
    folder = Path("models/of-mine")
    for load in (read_checkpoint, Engine.load):
        with pytest.raises(CheckpointError, match=r"of-mine was trained on other images than"):
            load(folder)


def test_a_card_that_names_training_files_alone_is_compared_by_them(tmp_path: Path) -> None:
    """As the cards of older versions do."""
    path = Path("models/of-mine/card.json")
    card = json.loads(path.read_text(encoding="utf-8"))
    old = {name: value for name, value in card["data_sha256"].items() if name.startswith("train")}
    path.write_text(json.dumps({**card, "data_sha256": old}), encoding="utf-8")
    try:
        with pytest.raises(CheckpointError, match="train-images-idx3-ubyte had the SHA-256"):
            read_checkpoint(path.parent)
    finally:
        path.write_text(json.dumps(card), encoding="utf-8")


def test_evaluating_a_model_of_other_images_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "of-mine", "--checkpoints", "models", "--only", "bound"]) == 2
    assert "was trained on other images" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("--replace",)])
def test_importing_over_a_name_says_which_checkpoints_it_orphans(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["data", "--name", "import-me", "--from", "new", *options])
    said = capsys.readouterr()
    assert "models/of-mine was trained on the import-me that is there" in said.out
    assert status == (0 if options else 2)
    assert ("add --replace" in said.err) == (not options)


def test_a_name_that_is_forgotten_leaves_no_empty_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pictures").mkdir()
    target = tmp_path / "data"
    command = ["data", "--from", str(tmp_path / "pictures"), "--to", str(target)]
    assert main(command) == 2
    assert "name them: --name NAME" in capsys.readouterr().err
    assert not target.exists()


def test_the_name_of_a_published_data_set_is_refused_without_telling_to_delete_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "--from", "new", "--name", "mnist"]) == 2
    error = capsys.readouterr().err
    assert "mnist is the name of a published data set" in error
    assert "elete" not in error


def test_images_of_one_label_are_evaluated_without_measures_of_labels(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "--name", "alike", "--from", str(write_files(Path("alike"), 30, 40))]) == 0
    untrained.write(Path("models"), "of-alike", dataset="alike")
    command = ["evaluate", "of-alike", "--checkpoints", "models", "--only", "bound", "codes"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "ELBO" in said
    assert "neighbours" not in said
