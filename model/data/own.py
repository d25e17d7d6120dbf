"""Put a data set of one's own into the data folder, from IDX files or from folders of images.

    photos/cat/1.png         one folder for each label: every sixth image of each is for testing
    photos/train/cat/1.png   or the halves already separate, as train/ and test/
    photos/test/cat/1.png
    idx/train-images-idx3-ubyte, and the three others of MNIST's names, zipped or not

The result has MNIST's four files, and `dataset.json`, which describes them.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.data.datasets import (
    DATASETS,
    DESCRIPTION,
    IMAGE_SIDE,
    NAME,
    Dataset,
    LabelledImages,
    find_file,
)
from model.data.idx import pack_idx, read_idx
from model.data.pictures import read_picture
from model.errors import DataError

MOST_LABELS = 10
"""The page has colours for so many labels."""
TEST_EVERY = 6
SEED = 0
HALVES = {"train": "train", "t10k": "test"}
"""The halves: how their files begin, and the names of their folders of images."""


def install_own(
    name: str,
    source: Path,
    target: Path,
    *,
    title: str = "",
    authors: str = "",
    licence: str = "",
    label_names: Sequence[str] = (),
) -> Dataset:
    """Read `source` and write `<target>/<name>/`, whole or not at all.

    Args:
        name: Its id, as recipes will name it.
        source: A folder of IDX files, or of folders of images.
        target: The folder of all data sets.
        title: Its title for people; the name if empty.
        authors: Who made it.
        licence: The licence of the images.
        label_names: Names of the labels in IDX files, in order; folders name their labels.

    Raises:
        DataError: The name is taken or invalid, or an image or a label cannot be used.
    """
    folder = target / name
    if not NAME.fullmatch(name):
        raise DataError(f"{name!r} is no name; use lower-case words and numbers joined by hyphens.")
    _require_text(title, authors, licence, *label_names)
    if name in DATASETS or folder.exists():
        raise DataError(
            f"There is a data set {name} already. Delete {folder}, or take another name."
        )
    if any(source.glob("*-idx?-ubyte*")):
        halves, names = _from_idx(source), tuple(label_names)
    elif label_names:
        raise DataError("--labels is for IDX files; folders of images are named for their labels.")
    else:
        halves, names = _from_folders(source)
    names = names or tuple(map(str, range(1 + int(halves["train"].labels.max()))))
    _require_labels(halves, names)
    files = {}
    for half, part in halves.items():
        files[f"{half}-images-idx3-ubyte"] = pack_idx(part.images)
        files[f"{half}-labels-idx1-ubyte"] = pack_idx(part.labels)
    hashes = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    made = Dataset(name, title or name, authors, licence, names, hashes, mirrors=())
    _write(folder, made, files)
    return made


def _from_idx(source: Path) -> dict[str, LabelledImages]:
    halves = {}
    for half in HALVES:
        images, labels = (
            read_idx(find_file(source, file) or source / file, dimensions=axes, sha256=None)
            for file, axes in ((f"{half}-images-idx3-ubyte", 3), (f"{half}-labels-idx1-ubyte", 1))
        )
        if images.shape[1:] != (IMAGE_SIDE, IMAGE_SIDE):
            raise DataError(
                f"The {half} images of {source} are {images.shape[2]} x {images.shape[1]} pixels; "
                f"they must be {IMAGE_SIDE} x {IMAGE_SIDE}. Folders of images are brought to that."
            )
        if len(images) != len(labels) or len(images) == 0:
            raise DataError(f"{source} has {len(images)} {half} images and {len(labels)} labels.")
        halves[half] = LabelledImages(images, labels)
    return halves


def _from_folders(source: Path) -> tuple[dict[str, LabelledImages], tuple[str, ...]]:
    is_split = all((source / half).is_dir() for half in HALVES.values())
    names = _folders(source / HALVES["train"] if is_split else source)
    if not names:
        raise DataError(
            f"{source} has neither IDX files nor a folder for each label; see "
            "docs/own-checkpoint.md."
        )
    _require_text(*names)
    pictures: dict[str, list[tuple[np.ndarray, int]]] = {half: [] for half in HALVES}
    for label, name in enumerate(names):
        if is_split:
            for half, folder in HALVES.items():
                files = _files(source / folder / name)
                pictures[half] += [(read_picture(file), label) for file in files]
            continue
        for place, file in enumerate(_files(source / name), start=1):
            half = "t10k" if place % TEST_EVERY == 0 else "train"
            pictures[half].append((read_picture(file), label))
    return {half: _shuffled(half, pictures[half], source) for half in HALVES}, names


def _folders(parent: Path) -> tuple[str, ...]:
    folders = (entry for entry in parent.glob("*") if entry.is_dir())
    return tuple(sorted(entry.name for entry in folders if not entry.name.startswith(".")))


def _files(folder: Path) -> list[Path]:
    files = (entry for entry in folder.glob("*") if entry.is_file())
    return sorted(entry for entry in files if not entry.name.startswith("."))


def _shuffled(half: str, pictures: list[tuple[np.ndarray, int]], source: Path) -> LabelledImages:
    """Return images in a fixed random order, because training holds out the last ones."""
    if not pictures:
        raise DataError(
            f"{source} gives no image for {'training' if half == 'train' else 'testing'}: "
            f"of each label every {TEST_EVERY}th is for testing. Add images, or make the folders "
            "train/ and test/ with a folder for each label in both."
        )
    order = np.random.default_rng(SEED).permutation(len(pictures))
    images = np.stack([image for image, _ in pictures])
    labels = np.array([label for _, label in pictures], np.uint8)
    return LabelledImages(images[order], labels[order])


def _require_labels(halves: dict[str, LabelledImages], names: tuple[str, ...]) -> None:
    most = max(int(part.labels.max()) for part in halves.values())
    if len(names) > MOST_LABELS or most >= len(names):
        raise DataError(
            f"There are labels up to {most} and {len(names)} names for them; at most "
            f"{MOST_LABELS} labels can be told apart on the page, and each needs a name."
        )
    if len(set(names)) < len(names) or not all(names):
        raise DataError(f"The labels are called {', '.join(names)}; give each a name of its own.")


def _require_text(*texts: str) -> None:
    """Refuse text that UTF-8 cannot encode, from the command line or from a folder's name."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{text!a} is not text in UTF-8. Give it another name.") from error


def _write(folder: Path, made: Dataset, files: dict[str, bytes]) -> None:
    table = {name: value for name, value in dataclasses.asdict(made).items() if name != "mirrors"}
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for file, content in files.items():
            (partial / f"{file}.gz").write_bytes(gzip.compress(content, mtime=0))
        text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
        (partial / DESCRIPTION).write_text(text, encoding="utf-8")
        partial.rename(folder)
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
