"""The data sets that recipes may name, and their images as arrays.

Two are published and listed here. Others are the user's own, which `own.py` has put into the data
folder with a description. A file is identified by the SHA-256 of its unzipped bytes, so it does not
matter who zipped it.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from model.data.idx import read_idx
from model.errors import DataError

IMAGE_SIDE = 28
"""Pixels on a side of every image: each data set has images of this size."""
DATA_FOLDER = Path("data")
SHIPPED_FOLDER = Path(__file__).parent / "shipped"
DESCRIPTION = "dataset.json"
"""File that describes a data set of one's own, beside its files."""
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Dataset:
    """The description of a data set, for which none of its files is needed."""

    id: str
    title: str
    authors: str
    licence: str
    label_names: tuple[str, ...]
    sha256: dict[str, str]
    """Hash of each unzipped file by its name; `<name>.gz` is the same file zipped."""
    mirrors: tuple[str, ...]
    """Addresses of folders that hold `<name>.gz`, best first; empty for one's own data sets."""

    def read(self, path: Path, name: str) -> UInt8[np.ndarray, "..."]:
        """Return the array in `path`, which must be the data set's file `name`, zipped or not.

        Raises:
            DataError: The file is missing, damaged or another one.
        """
        dimensions = 3 if "images" in name else 1
        if name not in self.sha256:
            raise DataError(f"{self.title} has no file {name}. Make its description anew.")
        return read_idx(path, dimensions=dimensions, sha256=self.sha256[name])


@dataclass(frozen=True)
class LabelledImages:
    """One half of a data set, read-only, in the data set's order."""

    images: UInt8[np.ndarray, "count 28 28"]
    """Grey levels; 0 is background."""
    labels: UInt8[np.ndarray, " count"]
    """Indices into the data set's `label_names`."""
    source: Dataset | None = None
    """The data set they come from; None if they come from none."""


MNIST = Dataset(
    id="mnist",
    title="MNIST handwritten digits",
    authors="Yann LeCun, Corinna Cortes and Christopher J.C. Burges",
    licence="CC BY-SA 3.0",
    label_names=tuple("0123456789"),
    sha256={
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

FASHION_MNIST = Dataset(
    id="fashion-mnist",
    title="Fashion-MNIST articles of clothing",
    authors="Zalando SE",
    licence="MIT",
    label_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    sha256={
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    },
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)

DATASETS = {dataset.id: dataset for dataset in (MNIST, FASHION_MNIST)}


def test_set(dataset: str, folder: Path = DATA_FOLDER) -> LabelledImages:  # noqa: PT028  no test
    """Return the test images, read and verified once; published ones ship with the code.

    Raises:
        DataError: There is no data set of this id, or its copy is damaged.
    """
    return _shipped(dataset) if dataset in DATASETS else _own_tests(dataset, folder)


@cache
def _shipped(dataset: str) -> LabelledImages:
    return _read_half(DATASETS[dataset], "t10k", SHIPPED_FOLDER / dataset)


@cache
def _own_tests(dataset: str, folder: Path) -> LabelledImages:
    return _read_half(_first_found(dataset, folder), "t10k", folder / dataset)


@cache
def labels_of_tests(dataset: str, folder: Path = DATA_FOLDER) -> UInt8[np.ndarray, " count"]:
    """Return the labels of the test images alone, read once; they take a thousandth of the memory.

    Raises:
        DataError: As `test_set`, but without looking at the images.
    """
    place = SHIPPED_FOLDER if dataset in DATASETS else folder
    return _read(_first_found(dataset, folder), "t10k-labels-idx1-ubyte", place / dataset)


@cache
def _first_found(dataset: str, folder: Path) -> Dataset:
    """Return a data set as it was when first asked for; what is imported later is another."""
    return find(dataset, folder)


def train_set(dataset: str, folder: Path = DATA_FOLDER) -> LabelledImages:
    """Return the training images, from the files in `<folder>/<dataset>/`, zipped or not.

    Raises:
        DataError: The data set is unknown, or one of its files is missing, damaged or foreign.
    """
    source = find(dataset, folder)
    try:
        return _read_half(source, "train", folder / source.id)
    except DataError as error:
        if source.id not in DATASETS:
            raise
        raise DataError(f"{error} Run `python -m model data {source.id}` to fetch it.") from error


def find(dataset: str, folder: Path = DATA_FOLDER) -> Dataset:
    """Return the data set of this id, published or described in `<folder>/<id>/`.

    Raises:
        DataError: There is no such data set, or its description is damaged.
    """
    if dataset in DATASETS:
        return DATASETS[dataset]
    path = folder / dataset / DESCRIPTION
    if not NAME.fullmatch(dataset) or not path.is_file():
        raise DataError(
            f"There is no data set {dataset!r}; known are {', '.join(DATASETS)}, and there is no "
            f"{path}. Put it there: `python -m model data --from FOLDER --name NAME`."
        )
    return _described(path)


def _described(path: Path) -> Dataset:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        names = table["label_names"]
        found = Dataset(
            **{name: table[name] for name in ("id", "title", "authors", "licence", "sha256")},
            label_names=tuple(names),
            mirrors=(),
        )
        if found.id != path.parent.name or not all(isinstance(name, str) for name in names):
            raise ValueError("it is of another data set")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} does not describe a data set: {error!r}. Make it anew.") from error
    return found


def find_file(folder: Path, name: str) -> Path | None:
    """Return the file of this name in a folder, preferably zipped; None if there is none."""
    candidates = (folder / f"{name}.gz", folder / name)
    return next((path for path in candidates if path.is_file()), None)


def files_named(folder: Path, name: str) -> list[Path]:
    """Return the files of a published name in a folder of somebody's, or one folder down.

    Unzippers and Kaggle write `train-images.idx3-ubyte`, and put each file into a folder.
    """
    places = [folder, *sorted(entry for entry in folder.glob("*") if entry.is_dir())]
    found = (
        find_file(place, written)
        for place in places
        for written in (name, name.replace("-idx", ".idx"))
    )
    return [path for path in found if path is not None]


def _read_half(dataset: Dataset, half: str, folder: Path) -> LabelledImages:
    images = _read(dataset, f"{half}-images-idx3-ubyte", folder)
    return LabelledImages(images, _read(dataset, f"{half}-labels-idx1-ubyte", folder), dataset)


def _read(dataset: Dataset, name: str, folder: Path) -> UInt8[np.ndarray, "..."]:
    return dataset.read(find_file(folder, name) or folder / f"{name}.gz", name)
