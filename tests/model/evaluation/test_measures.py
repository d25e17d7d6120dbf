"""The table of measures against the cards that ship, and against what a table must be."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from model.checkpoint import CARD_FILE, CHECKPOINTS
from model.measures import MEASURES

CARDS = sorted(CHECKPOINTS.glob(f"*/{CARD_FILE}"))


def numbers(block: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of all single numbers in it that are measures of their own."""
    for name, value in block.items():
        if isinstance(value, dict) and name not in {"floor", "places", "mig_of", "stays_of"}:
            yield from numbers(value, (*path, name))
        elif isinstance(value, int | float):
            yield ".".join((*path, name))


@pytest.mark.parametrize("path", CARDS, ids=[path.parent.name for path in CARDS])
def test_every_number_in_a_shipped_card_is_explained(path: Path) -> None:
    card = json.loads(path.read_text(encoding="utf-8"))
    assert set(numbers(card["metrics"])) <= {measure.key for measure in MEASURES}


def test_no_measure_stands_twice_and_those_of_a_block_stand_together() -> None:
    keys = [measure.key for measure in MEASURES]
    assert len(set(keys)) == len(keys)
    blocks = [key.split(".")[0] for key in keys]
    assert len(set(blocks)) == 1 + sum(a != b for a, b in pairwise(blocks))


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.key)
def test_an_explanation_is_a_line_of_whole_sentences(measure: Any) -> None:
    assert 30 <= len(measure.about) <= 160
    assert measure.about.endswith(".")
    assert "  " not in measure.about
    assert measure.title[0].isupper()
