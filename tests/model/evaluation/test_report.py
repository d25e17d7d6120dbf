"""docs/models.md: the page is a view of the cards, and the cards are its second source."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from model.__main__ import main
from model.checkpoint import CHECKPOINTS
from model.evaluation.report import FIGURES, REFERENCE, load_cards, report
from model.measures import MEASURES, Measure

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
CARDS = load_cards(CHECKPOINTS)


def test_the_page_in_the_repository_is_that_of_the_cards(tmp_path: Path) -> None:
    assert main(["report", "--to", str(tmp_path)]) == 0
    written = (tmp_path / "models.md").read_text(encoding="utf-8")
    assert written == PAGE.read_text(encoding="utf-8"), "run `python -m model report`"


def test_every_model_stands_there_with_what_to_look_for() -> None:
    page = report(CARDS)
    for card in CARDS:
        assert f"| `{card.id}` | {card.summary} |" in page


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.key)
def test_a_figure_stands_in_the_row_of_its_model_and_below_its_name(measure: Measure) -> None:
    block, name = measure.key.split(".")
    tables = re.findall(r"^\| Model .*(?:\n\|.*)+", report(CARDS), re.MULTILINE)
    tables = [table.splitlines() for table in tables]
    title = measure.title
    for card in CARDS:
        value = (card.metrics.get(block) or {}).get(name)
        if block == "binarised" or value is None:
            continue  # the page shows grey levels; the cards have both
        cells = [
            line.split(" | ")[column]
            for table in tables
            for column, head in enumerate(table[0].split(" | "))
            for line in table[2:]
            if head.strip(" |↑↓") == title and line.startswith(f"| `{card.id}` ")
        ]
        digits = measure.digits
        assert f"{value:,.{digits}f}" in [cell.strip(" |") for cell in cells]


def test_a_model_without_a_measure_has_no_row_or_a_dash() -> None:
    bare = [replace(card, metrics={"grey": card.metrics["grey"]}) for card in CARDS]
    page = report(bare)
    assert "None" not in page
    assert "nan" not in page


def test_every_figure_is_there_and_has_words_for_those_who_do_not_see_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for words, path in re.findall(r"!\[(.+)\]\((.+)\)", page):
        assert (PAGE.parent / path).is_file()
        assert len(words) > 20
    assert page.count("![") == len(FIGURES)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference is not trained yet")
def test_the_reference_network_stands_beside_ours() -> None:
    facts = json.loads(REFERENCE.read_text(encoding="utf-8"))
    page = report(CARDS)
    for seed in facts["seeds"].values():
        assert f"{seed['exact']:.2f}" in page
    assert f"{facts['published']['importance_weighted']:.2f}" in page
