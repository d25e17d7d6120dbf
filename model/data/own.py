"""Put a data set of one's own into the data folder, from IDX files or from folders of images.

`folders.py` says how folders are read. IDX files have MNIST's names, zipped or not; those of colour
images say `idx4` for `idx3`. The result has four such files; `dataset.json`, which describes them;
and `preview.png`, which shows some.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from model.data.datasets import (
    DATASETS,
    DESCRIPTION,
    NAME,
    Dataset,
    Form,
    LabelledImages,
    files_named,
    files_of,
)
from model.data.folders import (
    HALVES,
    TEST_EVERY,
    Skipped,
    find_pictures,
    fingerprint,
    split,
)
from model.data.idx import pack_idx, read_idx
from model.data.pictures import open_picture
from model.data.preparation import prepare
from model.data.preview import preview
from model.errors import DataError, ImageError
from model.image_shape import MNIST_SHAPE, ImageShape

MOST_LABELS = 10
"""The page has colours for so many labels."""
THINGS = Form(MNIST_SHAPE, "thing")
"""What pictures in folders are brought to where nothing else is said."""
GREY, COLOUR = ImageShape(8, 8), ImageShape(8, 8, 3)
SEED = 0
PREVIEW = "preview.png"
SOURCE = "imported_from"
"""Field of `dataset.json`: the fingerprint of the folder with the images."""


@dataclass(frozen=True)
class Imported:
    """A data set of one's own as it was put into the data folder."""

    dataset: Dataset
    train: tuple[int, ...]
    """Images of each label for training."""
    tests: tuple[int, ...]
    """Images of each label for testing."""
    skipped: list[Skipped]


@dataclass(frozen=True)
class _Pictures:
    halves: dict[str, LabelledImages]
    names: tuple[str, ...]
    form: Form
    skipped: list[Skipped] = field(default_factory=list)


def install_own(
    name: str,
    source: Path,
    target: Path,
    *,
    title: str = "",
    authors: str = "",
    licence: str = "",
    label_names: Sequence[str] = (),
    form: Form = THINGS,
    replace: bool = False,
) -> Imported:
    """Read `source` and write `<target>/<name>/`, whole or not at all.

    Args:
        name: Its id, as recipes will name it.
        source: A folder of IDX files, of images, or of folders of images.
        target: The folder of all data sets.
        title: Its title for people; the name if empty.
        authors: Who made it.
        licence: The licence of the images.
        label_names: Names of the labels in IDX files, in order; folders name their labels.
        form: What pictures in folders are brought to, and later uploads. The images of IDX files
            are taken as they are, and so is their shape.
        replace: Whether to replace a data set of one's own of this name.

    Raises:
        DataError: The name is taken or invalid, a label cannot be used, or no image can.
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
    if shape := _shape_of_idx(source):
        found = _from_idx(source, shape, form, tuple(label_names))
    elif label_names:
        raise DataError("--labels is for IDX files; folders of images are named for their labels.")
    else:
        found = _from_folders(source, form)
    halves = found.halves
    names = found.names or tuple(map(str, range(1 + int(halves["train"].labels.max()))))
    _require_labels(halves, names)
    files = {}
    for half, part in halves.items():
        for file, array in zip(
            files_of(half, found.form.image), (part.images, part.labels), strict=True
        ):
            files[file] = pack_idx(array)
    hashes = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    made = Dataset(name, title or name, authors, licence, names, hashes, (), found.form)
    _write(folder, made, files, preview(halves["train"], names), fingerprint(source))
    train, tests = (
        tuple(map(int, np.bincount(halves[half].labels, minlength=len(names)))) for half in HALVES
    )
    return Imported(made, train, tests, found.skipped)


def _shape_of_idx(source: Path) -> ImageShape | None:
    """Return the shape of the images of a folder of IDX files; None if it holds none.

    Raises:
        DataError: A file of images is damaged, or its images are of no allowed shape.
    """
    for kind in (GREY, COLOUR):
        names = [files_of(half, kind)[0] for half in HALVES]
        if path := next((path for name in names for path in files_named(source, name)), None):
            images = read_idx(path, dimensions=1 + len(kind.axes), sha256=None)
            try:
                return ImageShape.of(images)
            except ValueError as error:
                raise DataError(f"{path}: {error}.") from error
    return None


def _from_idx(
    source: Path, shape: ImageShape, form: Form, label_names: tuple[str, ...]
) -> _Pictures:
    halves = {}
    for half in HALVES:
        images, labels = (
            read_idx(_first_named(source, file), dimensions=axes, sha256=None)
            for file, axes in zip(files_of(half, shape), (1 + len(shape.axes), 1), strict=True)
        )
        if images.shape[1:] != shape.axes:
            raise DataError(f"The {half} images of {source} are not of {shape} pixels as others.")
        if len(images) != len(labels) or len(images) == 0:
            raise DataError(f"{source} has {len(images)} {half} images and {len(labels)} labels.")
        halves[half] = LabelledImages(images, labels)
    preprocessing = "photo" if shape.is_colour else form.preprocessing
    return _Pictures(halves, label_names, Form(shape, preprocessing))


def _first_named(source: Path, name: str) -> Path:
    return next(iter(files_named(source, name)), source / name)


def _from_folders(source: Path, form: Form) -> _Pictures:
    """Read the pictures of a folder; one that cannot be read is skipped."""
    found = find_pictures(source)
    skipped, names = found.skipped, list[str]()
    pictures: dict[str, list[tuple[np.ndarray, int]]] = {half: [] for half in HALVES}

    def read(files: tuple[Path, ...]) -> list[np.ndarray]:
        images = []
        for file in files:
            try:
                images.append(read_picture(file, form))
            except DataError as error:
                skipped.append(Skipped(file, str(error).removeprefix(f"{file}: ")))
        return images

    for label in found.labels:
        train, tests = split(read(label.either))
        by_half = {"train": train + read(label.train), "t10k": tests + read(label.t10k)}
        if not any(by_half.values()):
            continue
        _require_text(label.name)
        for half, images in by_half.items():
            pictures[half] += [(image, len(names)) for image in images]
        names.append(label.name)
    if not names:
        raise DataError(
            f"{source} has no image that can be read. The first of its files, {skipped[0].path}: "
            f"{skipped[0].reason}"
        )
    halves = {half: _shuffled(half, pictures[half], source) for half in HALVES}
    return _Pictures(halves, tuple(names), form, skipped)


def read_picture(path: Path, form: Form) -> UInt8[np.ndarray, "height width ..."]:
    """Read a picture of any format that Pillow knows as an image of a form, as uploads are.

    Raises:
        DataError: The file is not an image, has too many pixels, or is blank.
    """
    try:
        with open_picture(path) as picture:
            image = prepare(picture, form, with_steps=False).image
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


def imported_from(folder: Path) -> str:
    """Return the fingerprint of the folder that a data set was imported from; "" if unknown."""
    try:
        table = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        return str(table.get(SOURCE, ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _write(folder: Path, made: Dataset, files: dict[str, bytes], sheet: bytes, source: str) -> None:
    table = dataclasses.asdict(made)
    del table["mirrors"]
    table |= {**table.pop("form"), SOURCE: source}
    partial, old = (folder.with_name(f"{folder.name}.{kind}") for kind in ("partial", "old"))
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for file, content in files.items():
            (partial / f"{file}.gz").write_bytes(gzip.compress(content, mtime=0))
        text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
        (partial / DESCRIPTION).write_text(text, encoding="utf-8")
        (partial / PREVIEW).write_bytes(sheet)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
