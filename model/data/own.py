"""Put a data set of one's own into the data folder, from IDX files or from folders of images.

    photos/cat/1.png         one folder for each label: every sixth image of each is for testing
    photos/train/cat/1.png   or the halves already separate, as train/ and test/ or val/
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
from jaxtyping import UInt8

from model.data.datasets import (
    DATASETS,
    DESCRIPTION,
    IMAGE_SIDE,
    NAME,
    Dataset,
    LabelledImages,
    files_named,
)
from model.data.idx import pack_idx, read_idx
from model.data.pictures import open_picture
from model.data.preparation import prepare
from model.errors import DataError, ImageError

MOST_LABELS = 10
"""The page has colours for so many labels."""
TEST_EVERY = 6
SEED = 0
HALVES = {"train": "training", "t10k": "testing"}
"""The halves: how their files begin, and what they are for."""
TRAINING, TESTING = ("train", "training"), ("test", "testing")
VALIDATION = ("val", "valid", "validation")
"""Names of the folders of halves. Images for validation are for testing where there are no others,
else for training, which holds some out itself."""
NO_PICTURES = ("thumbs.db", "desktop.ini", "__macosx")
"""What systems leave in folders, besides names that start with a dot."""


def install_own(
    name: str,
    source: Path,
    target: Path,
    *,
    title: str = "",
    authors: str = "",
    licence: str = "",
    label_names: Sequence[str] = (),
    replace: bool = False,
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
        replace: Whether to replace a data set of one's own of this name.

    Raises:
        DataError: The name is taken or invalid, or an image or a label cannot be used.
    """
    folder = target / name
    if not NAME.fullmatch(name):
        raise DataError(f"{name!r} is no name; use lower-case words and numbers joined by hyphens.")
    _require_text(title, authors, licence, *label_names)
    if name in DATASETS:
        raise DataError(f"{name} is the name of a published data set; take another.")
    if folder.exists() and not replace:
        raise DataError(
            f"There is a data set {name} already, in {folder}. Take another name, or add --replace "
            "to have these images in its place."
        )
    if any(files_named(source, f"{half}-images-idx3-ubyte") for half in HALVES):
        halves, names = _from_idx(source), tuple(label_names)
    elif label_names:
        raise DataError("--labels is for IDX files; folders of images are named for their labels.")
    else:
        halves, names = _from_folders(source, name)
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
            read_idx(_first_named(source, file), dimensions=axes, sha256=None)
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


def _first_named(source: Path, name: str) -> Path:
    return next(iter(files_named(source, name)), source / name)


def _from_folders(source: Path, dataset: str) -> tuple[dict[str, LabelledImages], tuple[str, ...]]:
    parents = _halves(source)
    names = _folders(*[folder for half in parents.values() for folder in half] or [source])
    if not names:
        raise DataError(
            f"{source} has neither IDX files nor a folder for each label; see "
            "docs/own-checkpoint.md."
        )
    _require_text(*names)
    pictures: dict[str, list[tuple[np.ndarray, int]]] = {half: [] for half in HALVES}
    for label, name in enumerate(names):
        for half, files in _files_by_half(source, parents, name).items():
            pictures[half] += [(read_picture(file, dataset), label) for file in files]
    return {half: _shuffled(half, pictures[half], source) for half in HALVES}, names


def _halves(source: Path) -> dict[str, list[Path]]:
    """Return the folders of each half; none if `source` has the labels' folders itself."""
    folders = {name.lower(): source / name for name in _folders(source)}
    training, testing, validation = (
        [folders[name] for name in names if name in folders]
        for names in (TRAINING, TESTING, VALIDATION)
    )
    if training and testing:
        return {"train": training + validation, "t10k": testing}
    return {"train": training, "t10k": validation} if training and validation else {}


def _files_by_half(
    source: Path, parents: dict[str, list[Path]], label: str
) -> dict[str, list[Path]]:
    """Return the pictures of a label; where no half is separate, every sixth is for testing."""
    if parents:
        return {
            half: _some_files([folder / label for folder in folders])
            for half, folders in parents.items()
        }
    files = _some_files([source / label])
    tests = files[TEST_EVERY - 1 :: TEST_EVERY]
    return {"train": [file for file in files if file not in tests], "t10k": tests}


def _some_files(folders: list[Path]) -> list[Path]:
    """Return the pictures in some folders, refusing to find none."""
    files = sorted(
        entry
        for folder in folders
        for entry in folder.glob("*")
        if entry.is_file() and _counts(entry)
    )
    if not files:
        raise DataError(
            f"There is no picture in {' or '.join(map(str, folders))}. Put some there, or take "
            "the label away."
        )
    return files


def _folders(*parents: Path) -> tuple[str, ...]:
    """Return the names of the folders in some others, each once, in order."""
    folders = (entry for parent in parents for entry in parent.glob("*") if entry.is_dir())
    return tuple(sorted({entry.name for entry in folders if _counts(entry)}))


def _counts(entry: Path) -> bool:
    return not entry.name.startswith(".") and entry.name.lower() not in NO_PICTURES


def read_picture(path: Path, dataset: str) -> UInt8[np.ndarray, "28 28"]:
    """Read a picture of any format that Pillow knows as an image of a data set, as uploads are.

    Raises:
        DataError: The file is not an image, has too many pixels, or is blank.
    """
    try:
        with open_picture(path) as picture:
            image = prepare(picture, dataset, with_steps=False).image
    except ImageError as error:
        raise DataError(f"{path}: {error}") from error
    return np.asarray(np.floor(255 * image + 0.5), np.uint8)


def _shuffled(half: str, pictures: list[tuple[np.ndarray, int]], source: Path) -> LabelledImages:
    """Return images in a fixed random order, because training holds out the last ones."""
    if not pictures:
        raise DataError(
            f"{source} gives no image for {HALVES[half]}: "
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
    partial, old = (folder.with_name(f"{folder.name}.{kind}") for kind in ("partial", "old"))
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for file, content in files.items():
            (partial / f"{file}.gz").write_bytes(gzip.compress(content, mtime=0))
        text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
        (partial / DESCRIPTION).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
