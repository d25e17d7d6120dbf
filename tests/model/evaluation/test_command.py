"""`python -m model evaluate`, `report` and `list`, over the checkpoints that `train` wrote."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model.__main__ import main
from model.card import Card
from model.checkpoint import CHECKPOINTS
from model.data.datasets import LabelledImages
from model.evaluation import (
    all_measures,
    completeness,
    continuity,
    gaps,
    likelihood,
    places,
    samples,
)
from model.evaluation.command import worded
from model.measures import BLOCKS, MEASURES


@pytest.fixture
def checkpoints(trained: Path, tmp_path: Path) -> Path:
    """A copy, which may be written to."""
    return Path(shutil.copytree(trained, tmp_path / "checkpoints"))


@pytest.fixture(autouse=True)
def measured_on_few(few: LabelledImages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure on the images that `trained` was measured on."""
    monkeypatch.setattr(all_measures, "test_set", lambda dataset: few)


@pytest.fixture
def rough(few: LabelledImages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw and compare little: that the figures are right, each measure's own test says."""
    fewer = replace(few, images=few.images[:300], labels=few.labels[:300])
    monkeypatch.setattr(all_measures, "test_set", lambda dataset: fewer)
    monkeypatch.setattr(likelihood, "STEP", 0.25)
    monkeypatch.setattr(likelihood, "MOST_CELLS", 10_000)
    monkeypatch.setattr(likelihood, "CHECKED_IMAGES", 50)
    monkeypatch.setattr(gaps, "FINEST", 0.25)
    monkeypatch.setattr(gaps, "STEPS", 5)
    monkeypatch.setattr(samples, "DRAWS", 300)
    monkeypatch.setattr(samples, "SUBSET_SIZE", 100)
    monkeypatch.setattr(completeness, "DRAWS", 1000)
    monkeypatch.setattr(completeness, "GRID", 32)
    monkeypatch.setattr(continuity, "LINES", 100)
    monkeypatch.setattr(places, "CELLS", 32)


def evaluate(checkpoints: Path, name: str, *options: str) -> int:
    return main(["evaluate", name, "--checkpoints", str(checkpoints), "--device", "cpu", *options])


def printed_figures(output: str) -> dict[str, float]:
    """By title, of one model."""
    titles = [row.title for row in MEASURES]
    lines = [line.strip() for line in output.splitlines()[1:]]
    title_of = {line: max((t for t in titles if line.startswith(t)), key=len) for line in lines}
    return {title: float(line.removeprefix(title).split()[0]) for line, title in title_of.items()}


def row(output: str, name: str, protocol: str) -> list[str]:
    """The last columns of a model's row in the printed list."""
    rows = [line.split() for line in output.splitlines()]
    return next(row[-3:] for row in rows if row[:2] == [name, protocol])


def test_evaluating_a_checkpoint_gives_the_figures_of_its_card(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(trained, "small-vae", "--only", "bound") == 0
    found = printed_figures(capsys.readouterr().out)
    card = Card.load(trained / "small-vae")
    for measure in MEASURES:
        block, name = measure.key.split(".")
        if block in ("grey", "binarised"):
            assert found.pop(measure.title) == pytest.approx(card.metrics[block][name], abs=0.006)
    assert not found


@pytest.mark.usefixtures("rough")
def test_all_measures_of_a_vae_are_taken_and_written(
    checkpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Card.load(checkpoints / "small-vae")
    assert evaluate(checkpoints, "small-vae", "--write") == 0
    after = Card.load(checkpoints / "small-vae")
    assert set(after.metrics) == {"grey", "binarised", *BLOCKS} - {"bound"}
    assert replace(after, metrics=before.metrics) == before
    found = printed_figures(capsys.readouterr().out)
    assert after.metrics["factors"] is None, "only portraits have them"
    measures = [measure for measure in MEASURES if not measure.key.startswith("factors.")]
    assert set(found) == {measure.title for measure in measures}
    for measure in measures:
        block, name = measure.key.split(".")
        margin = 0.51 * 10**-measure.digits
        assert found[measure.title] == pytest.approx(after.metrics[block][name], abs=margin)


def test_what_an_autoencoder_lacks_is_none_and_what_was_not_asked_for_stays(
    checkpoints: Path,
) -> None:
    path = checkpoints / "small-ae" / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["metrics"]["codes"] = {"knn_accuracy": 0.5, "protocol": "another"}
    path.write_text(json.dumps(card), encoding="utf-8")
    assert evaluate(checkpoints, "small-ae", "--write", "--only", "likelihood", "latents") == 0
    written = json.loads(path.read_text(encoding="utf-8"))
    expected = {**card["metrics"], "likelihood": None, "latents": None}
    assert written == {**card, "metrics": expected}


def test_nothing_is_written_unless_asked(checkpoints: Path) -> None:
    before = (checkpoints / "small-ae" / "card.json").read_bytes()
    assert evaluate(checkpoints, "small-ae", "--only", "bound") == 0
    assert (checkpoints / "small-ae" / "card.json").read_bytes() == before


def test_a_list_shows_every_checkpoint_with_its_figures(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--checkpoints", str(trained)]) == 0
    printed = capsys.readouterr().out
    grey = Card.load(trained / "small-ae").metrics["grey"]
    assert row(printed, "small-ae", "grey") == ["-", f"{grey['reconstruction']:.2f}", "-"]
    assert "small-vae" in printed


def test_a_checkpoint_that_is_not_there_is_refused_with_those_that_are(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(trained, "mnist") == 2
    assert 'no "mnist"' in (error := capsys.readouterr().err)
    assert "small-ae, small-vae" in error


def test_a_damaged_checkpoint_is_refused_by_name(
    checkpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkpoints / "small-ae" / "model.safetensors").write_bytes(b"")
    assert evaluate(checkpoints, "small-ae") == 2
    assert "small-ae/model.safetensors does not match" in capsys.readouterr().err


def test_a_measure_that_does_not_exist_is_refused_with_those_that_do(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        evaluate(trained, "small-ae", "--only", "beauty")
    assert "completeness" in capsys.readouterr().err


def test_an_empty_folder_of_checkpoints_is_listed_without_ado(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--checkpoints", str(tmp_path)]) == 0


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main([])
    assert refusal.value.code == 2
    assert "usage: python -m model" in capsys.readouterr().err


def test_a_card_takes_the_words_of_its_recipe_and_nothing_else() -> None:
    card = Card.load(CHECKPOINTS / "mnist-ae-2d")
    old = replace(card, summary="Old.", recipe={**card.recipe, "summary": "Old."})
    assert worded(old) == card
    foreign = replace(old, id="somebodys-own")
    assert worded(foreign) == foreign
    of_their_images = replace(old, dataset="somebodys-own")
    assert worded(of_their_images) == of_their_images
