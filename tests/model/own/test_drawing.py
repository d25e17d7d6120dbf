"""A map and a loss as text."""

import numpy as np

from model.own.drawing import COLUMNS, ROWS, curve, legend, scatter


def test_each_place_shows_the_label_that_most_codes_there_have() -> None:
    points = np.array([[0, 0], [0, 0], [0, 0], [1, 1], [1, 0]], float)
    lines = scatter(points, np.array([2, 2, 5, 7, 1]), coloured=False)
    assert (len(lines), {len(line) for line in lines}) == (ROWS, {COLUMNS})
    assert lines[0] == " " * (COLUMNS - 1) + "7", "y goes up"
    assert lines[-1] == "2" + " " * (COLUMNS - 2) + "1"
    assert "".join(lines[1:-1]).strip() == ""


def test_codes_that_are_all_alike_are_drawn_too() -> None:
    lines = scatter(np.zeros((9, 2)), np.full(9, 3), coloured=False)
    assert "".join(lines).strip() == "3"


def test_colours_are_for_terminals() -> None:
    assert legend(("cat", "dog"), coloured=False) == "0 cat  1 dog"
    assert "\x1b[" in legend(("cat", "dog"), coloured=True)


def test_a_curve_has_its_longest_bar_at_the_highest_value() -> None:
    assert curve([8, 1, 4.5]) == "█▁▅"
    assert curve([3, 3]) == "▁▁"
    assert curve([]) == ""
    assert len(curve(np.arange(1000.0).tolist())) <= COLUMNS
