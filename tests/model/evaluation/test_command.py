"""`python -m model evaluate` and `list`, over the checkpoints that `train` wrote."""

import json
import shutil
from pathlib import Path

import pytest

from model.__main__ import main
from model.card import Card


def figures(output: str, name: str, protocol: str) -> list[str]:
    """The last columns of a model's row in the printed table."""
    rows = [line.split() for line in output.splitlines()]
    return next(row[-3:] for row in rows if row[:2] == [name, protocol])


def test_evaluating_a_checkpoint_gives_the_figures_of_its_card(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--checkpoints", str(trained), "--device", "cpu"]
    assert main(["evaluate", "small-vae", *place]) == 0
    printed = capsys.readouterr().out
    for protocol, measure in Card.load(trained / "small-vae").metrics.items():
        expected = [f"{measure[name]:.2f}" for name in ("elbo", "reconstruction", "kl")]
        assert figures(printed, "small-vae", protocol) == expected


def test_a_list_shows_every_checkpoint_with_its_figures(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--checkpoints", str(trained)]) == 0
    printed = capsys.readouterr().out
    grey = Card.load(trained / "small-ae").metrics["grey"]
    assert figures(printed, "small-ae", "grey") == ["-", f"{grey['reconstruction']:.2f}", "-"]
    assert "small-vae" in printed


def test_measuring_anew_may_be_written_into_the_card(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(trained / "small-ae", tmp_path / "small-ae"))
    path = folder / "card.json"
    right = json.loads(path.read_text(encoding="utf-8"))
    wrong = {**right, "metrics": {"grey": {**right["metrics"]["grey"], "reconstruction": -1.0}}}
    path.write_text(json.dumps(wrong), encoding="utf-8")
    place = ["--checkpoints", str(tmp_path), "--device", "cpu"]
    assert main(["evaluate", "small-ae", "--write", *place]) == 0
    written = json.loads(path.read_text(encoding="utf-8"))
    for protocol, measure in right["metrics"].items():
        found = written["metrics"][protocol]
        assert found["reconstruction"] == pytest.approx(measure["reconstruction"], abs=0.01)
    assert {**written, "metrics": None} == {**right, "metrics": None}


def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "mnist", "--checkpoints", str(trained)]) == 2
    assert 'no "mnist"' in (error := capsys.readouterr().err)
    assert "small-ae, small-vae" in error


def test_a_damaged_checkpoint_is_refused_by_name(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(trained / "small-ae", tmp_path / "small-ae"))
    (folder / "model.safetensors").write_bytes(b"")
    assert main(["evaluate", "small-ae", "--checkpoints", str(tmp_path)]) == 2
    assert "small-ae/model.safetensors does not match" in capsys.readouterr().err


def test_an_empty_folder_of_checkpoints_is_listed_without_ado(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--checkpoints", str(tmp_path)]) == 0


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main([])
    assert refusal.value.code == 2
    assert "usage: python -m model" in capsys.readouterr().err
