"""Portraits: what a factor changes, and that nothing else does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.data import datasets
from model.data.datasets import FACES, SHIPPED_FOLDER, find_file
from model.data.download import install
from model.data.faces import (
    FACTORS,
    HAIR_COLOURS,
    HAIR_STYLES,
    RANGES,
    Face,
    face_of,
    random_levels,
)
from model.data.portraits import drawn_file, portrait
from model.errors import DataError

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


def test_the_shipped_portraits_are_drawn_again_to_the_pixel_from_their_factors() -> None:
    shipped, folder = datasets.test_set(FACES.id), SHIPPED_FOLDER / FACES.id
    levels, labels = drawn_file("t10k-factors-idx2-ubyte"), drawn_file("t10k-labels-idx1-ubyte")
    stored = find_file(folder, "t10k-factors-idx2-ubyte")
    assert stored
    assert (FACES.read(stored, "t10k-factors-idx2-ubyte") == levels).all()
    assert (shipped.labels == labels).all()
    for index in range(0, len(levels), 50):
        assert (portrait(face_of(levels[index])) == shipped.images[index]).all()


def test_portraits_to_train_with_have_other_factors() -> None:
    train, test = (
        {row.tobytes() for row in drawn_file(f"{half}-factors-idx2-ubyte")}
        for half in ("train", "t10k")
    )
    assert (len(train), len(test)) == (24_000, 2_000)
    assert not train & test


def test_the_least_and_the_greatest_level_are_the_ends_of_a_range() -> None:
    least = face_of(np.zeros(len(FACTORS), np.uint8))
    greatest = face_of(np.full(len(FACTORS), 255, np.uint8))
    for name, ends in RANGES.items():
        assert (getattr(least, name), getattr(greatest, name)) == ends


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
    levels = random_levels(2000, 11)
    by_name = dict(zip(FACTORS, levels.T, strict=True))
    assert set(by_name["hair_style"]) == set(range(len(HAIR_STYLES)))
    assert set(by_name["hair_colour"]) == set(range(len(HAIR_COLOURS)))
    for name in RANGES:
        assert by_name[name].min() < 5
        assert by_name[name].max() > 250
    for name in ("glasses", "moustache", "beard"):
        assert 0.28 < by_name[name].mean() < 0.39
    correlation = np.corrcoef(levels.T) - np.eye(len(FACTORS))
    assert np.abs(correlation).max() < 0.1


SMALL_FILES = [name for name in FACES.sha256 if "images" not in name]


def test_what_no_mirror_has_is_drawn_and_verified(tmp_path: Path) -> None:
    small = replace(FACES, sha256={name: FACES.sha256[name] for name in SMALL_FILES})
    install(small, tmp_path)
    for name in SMALL_FILES:
        path = find_file(tmp_path / FACES.id, name)
        assert path
        assert len(small.read(path, name)) == (24_000 if name.startswith("train") else 2_000)


def test_what_is_drawn_otherwise_is_refused_with_the_remedy(tmp_path: Path) -> None:
    name = "t10k-factors-idx2-ubyte"
    with pytest.raises(DataError, match=r"drawn otherwise.*constraints\.txt"):
        install(replace(FACES, sha256={name: "0" * 64}), tmp_path)
    assert not list((tmp_path / FACES.id).iterdir())
