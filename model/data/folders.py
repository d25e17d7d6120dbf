"""Find the pictures of a data set of one's own in a folder, and what each of them is for.

photos/cat/1.png         one folder for each label: every sixth image of each is for testing
photos/cat/day 1/1.png   folders below that of a label make no difference
photos/train/cat/1.png   or the halves already separate, as train/ and test/ or val/
photos/test/cat/1.png
photos/1.png             or no labels: all are of one label, which has the folder's name
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from model.errors import DataError

Item = TypeVar("Item")

TEST_EVERY = 6
HALVES = {"train": "training", "t10k": "testing"}
"""The halves: how their files begin, and what they are for."""
TRAINING, TESTING = ("train", "training"), ("test", "testing")
VALIDATION = ("val", "valid", "validation")
"""Names of the folders of halves. Images for validation are for testing where there are no others,
else for training, which holds some out itself."""
NO_PICTURES = ("thumbs.db", "desktop.ini", "__macosx")
"""What systems leave in folders, besides names that start with a dot."""


@dataclass(frozen=True)
class Label:
    """The files of one label, by half; those of `either` are not assigned to one."""

    name: str
    either: tuple[Path, ...] = ()
    train: tuple[Path, ...] = ()
    t10k: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A file or a folder that is left out."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Found:
    """What was found in a folder: the labels in the order of their names, and what is left out."""

    labels: list[Label] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def find_pictures(source: Path) -> Found:
    """Return the files of each label in a folder; whether they are pictures is not looked at.

    Raises:
        DataError: There is no such folder, or it holds no file.
    """
    if not source.is_dir():
        raise DataError(f"{source} is no folder. Give one with images in it.")
    root = _unwrapped(source)
    halves = _halves(root)
    parents = [parent for folders in halves.values() for parent in folders] or [root]
    names = sorted({folder.name for parent in parents for folder in _folders(parent)})
    found = Found()
    if not names:
        found.labels.append(_label(root.resolve().name, halves, root, below=False))
    for name in names:
        label = _label(name, halves, root, below=True)
        if label.either or label.train or label.t10k:
            found.labels.append(label)
        else:
            places = " and ".join(str(parent / name) for parent in parents)
            found.skipped.append(Skipped(parents[0] / name, f"no file in {places}"))
    beside = {*parents, root} if names else ({root} if halves else set())
    for place in sorted(beside):
        for file in _files(place):
            found.skipped.append(Skipped(file, "it lies beside the folders of the labels"))
    if not any(label.either or label.train or label.t10k for label in found.labels):
        raise DataError(
            f"{source} has neither IDX files nor images, nor folders of them; see "
            "docs/own-checkpoint.md."
        )
    return found


def split(items: list[Item]) -> tuple[list[Item], list[Item]]:
    """Return what is for training and for testing: every sixth, and of two or more at least one."""
    tests = range(TEST_EVERY - 1, len(items), TEST_EVERY) or range(1, len(items))[-1:]
    return (
        [item for place, item in enumerate(items) if place not in tests],
        [items[place] for place in tests],
    )


def _label(name: str, halves: dict[str, list[Path]], root: Path, *, below: bool) -> Label:
    """Return the files of a label: in folders of its name, or where these would lie."""

    def files(parents: list[Path]) -> tuple[Path, ...]:
        if below:
            return tuple(file for parent in parents for file in _files_below(parent / name))
        return tuple(file for parent in parents for file in _files(parent))

    if not halves:
        return Label(name, either=files([root]))
    return Label(name, train=files(halves["train"]), t10k=files(halves["t10k"]))


def _unwrapped(source: Path) -> Path:
    """Return the folder with the labels: unzippers like to put another around it."""
    inside = _folders(source)
    while len(inside) == 1 and not _files(source) and _folders(inside[0]):
        source, inside = inside[0], _folders(inside[0])
    return source


def _halves(root: Path) -> dict[str, list[Path]]:
    """Return the folders of each half; none if `root` has the labels' folders itself."""
    folders = {folder.name.lower(): folder for folder in _folders(root)}
    training, testing, validation = (
        [folders[name] for name in names if name in folders]
        for names in (TRAINING, TESTING, VALIDATION)
    )
    if training and testing:
        return {"train": training + validation, "t10k": testing}
    return {"train": training, "t10k": validation} if training and validation else {}


def _folders(parent: Path) -> list[Path]:
    return sorted(entry for entry in _entries(parent) if entry.is_dir())


def _files(folder: Path) -> list[Path]:
    return sorted(entry for entry in _entries(folder) if entry.is_file())


def _files_below(folder: Path) -> Iterator[Path]:
    yield from _files(folder)
    for inside in _folders(folder):
        yield from _files_below(inside)


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what a folder holds, without what systems leave in it."""
    for entry in folder.glob("*"):
        if not entry.name.startswith(".") and entry.name.lower() not in NO_PICTURES:
            yield entry
