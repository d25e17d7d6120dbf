"""Portraits: what a factor changes, and that nothing else does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.data.faces import FACTORS, HAIR_COLOURS, HAIR_STYLES, Face, faces, portrait

OTHER = Face(
    skin=0.9,
    hair_colour=HAIR_COLOURS.index("blond"),
    hair_style=HAIR_STYLES.index("long"),
    face_width=0.0,
    eyes=0.0,
    glasses=1,
    moustache=1,
    beard=1,
    mouth=-1.0,
    turn=0.8,
    background=0.1,
)


def changed(factor: str, face: Face) -> np.ndarray:
    """Return which pixels differ when one factor takes the other face's value."""
    other = replace(face, **{factor: getattr(OTHER, factor)})
    return np.asarray((portrait(face) != portrait(other)).any(axis=2))


@pytest.mark.parametrize("factor", FACTORS)
def test_each_factor_is_seen(factor: str) -> None:
    assert changed(factor, Face()).sum() > 12


def test_the_same_seed_gives_the_same_portraits_and_another_seed_others() -> None:
    images, factors = faces(20, 7)
    again, factors_again = faces(20, 7)
    assert (images == again).all()
    assert (factors == factors_again).all()
    assert (faces(20, 8)[0] != images).any(axis=(1, 2, 3)).all()


def test_the_factors_of_a_portrait_are_all_that_it_needs() -> None:
    images, factors = faces(5, 3)
    for image, row in zip(images, factors, strict=True):
        whole = {"hair_colour", "hair_style", "glasses", "moustache", "beard"}
        named: dict[str, Any] = {
            name: int(value) if name in whole else float(value)
            for name, value in zip(FACTORS, row, strict=True)
        }
        assert (portrait(Face(**named)) == image).all()


def test_a_moustache_lies_between_nose_and_mouth_and_changes_nothing_else() -> None:
    where = changed("moustache", Face())
    rows, columns = np.nonzero(where)
    assert rows.min() > 32
    assert rows.max() < 52
    assert 20 < columns.min() < columns.max() < 43


def test_a_background_changes_what_no_head_covers() -> None:
    where = changed("background", Face())
    assert where[:6, :6].all()
    assert not where[20:50, 24:40].any()


def test_a_head_that_turns_the_other_way_is_its_mirror_image() -> None:
    parted = HAIR_STYLES.index("parted")
    for style in set(range(len(HAIR_STYLES))) - {parted}:
        face = Face(hair_style=style, turn=0.7, glasses=1, beard=1)
        mirrored = portrait(replace(face, turn=-0.7))[:, ::-1]
        difference = np.abs(portrait(face).astype(int) - mirrored)
        assert np.mean(difference) < 3, HAIR_STYLES[style]


def test_factors_are_drawn_over_their_whole_range_and_on_their_own() -> None:
    _, factors = faces(400, 11)
    by_name = dict(zip(FACTORS, factors.T, strict=True))
    assert set(by_name["hair_style"]) == set(range(len(HAIR_STYLES)))
    assert set(by_name["hair_colour"]) == set(range(len(HAIR_COLOURS)))
    for name in ("mouth", "turn"):
        assert by_name[name].min() < -0.95
        assert by_name[name].max() > 0.95
    for name in ("glasses", "moustache", "beard"):
        assert 0.25 < by_name[name].mean() < 0.42
    correlation = np.corrcoef(factors.T) - np.eye(len(FACTORS))
    assert np.abs(correlation).max() < 0.2
