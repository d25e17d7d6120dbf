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
from typing import Literal, get_args

import numpy as np
from jaxtyping import UInt8

from model.data.idx import read_idx
from model.errors import DataError
from model.image_shape import MNIST_SHAPE, ImageShape

DATA_FOLDER = Path("data")
SHIPPED_FOLDER = Path(__file__).parent / "shipped"
DESCRIPTION = "dataset.json"
"""File that describes a data set of one's own, beside its files."""
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Preprocessing = Literal["digit", "thing", "photo"]
"""How a picture becomes an image of a data set: as MNIST's were made, as Fashion-MNIST's were, or
as a photograph, in its own colours."""


@dataclass(frozen=True)
class Form:
    """What a picture is brought to, whether it is uploaded or imported.

    Raises:
        ValueError: There is no such preprocessing, or none to this shape.
    """

    image: ImageShape
    preprocessing: Preprocessing

    def __post_init__(self) -> None:
        known = get_args(Preprocessing)
        if self.preprocessing not in known:
            raise ValueError(
                f"there is no preprocessing {self.preprocessing!r}; known are {', '.join(known)}"
            )
        if self.preprocessing == "digit" and self.image != MNIST_SHAPE:
            raise ValueError(f"digits are images of {MNIST_SHAPE} pixels, not of {self.image}")
        if self.preprocessing == "thing" and self.image.is_colour:
            raise ValueError("things are images in grey; photographs may be in colour")


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
    form: Form
    """The shape of its images, and how a picture becomes one of them."""

    @property
    def image(self) -> ImageShape:
        return self.form.image

    def files(self, half: str) -> tuple[str, str]:
        """Return the names of the files of images and of labels of a half, `train` or `t10k`."""
        return files_of(half, self.image)

    def read(self, path: Path, name: str) -> UInt8[np.ndarray, "..."]:
        """Return the array in `path`, which must be the data set's file `name`, zipped or not.

        Raises:
            DataError: The file is missing, damaged or another one.
        """
        if name not in self.sha256:
            raise DataError(f"{self.title} has no file {name}. Make its description anew.")
        is_images = "images" in name
        dimensions = 1 + len(self.image.axes) if is_images else 1
        array = read_idx(path, dimensions=dimensions, sha256=self.sha256[name])
        if is_images and array.shape[1:] != self.image.axes:
            raise DataError(f"{path} has images of the shape {array.shape[1:]}, not {self.image}.")
        return array


@dataclass(frozen=True)
class LabelledImages:
    """One half of a data set, read-only, in the data set's order."""

    images: UInt8[np.ndarray, "count ..."]
    """Grey levels, of which 0 is background, or colours."""
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
    form=Form(MNIST_SHAPE, "digit"),
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
    form=Form(MNIST_SHAPE, "thing"),
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
    source = _first_found(dataset, folder)
    _, labels = source.files("t10k")
    return _read(source, labels, place / dataset)


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
        names, shape = table["label_names"], table.get("image")
        found = Dataset(
            **{name: table[name] for name in ("id", "title", "authors", "licence", "sha256")},
            label_names=tuple(names),
            mirrors=(),
            form=Form(
                MNIST_SHAPE if shape is None else ImageShape.from_json(shape),
                table.get("preprocessing", "thing"),
            ),
        )
        if found.id != path.parent.name or not all(isinstance(name, str) for name in names):
            raise ValueError("it is of another data set")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} does not describe a data set: {error!r}. Make it anew.") from error
    return found


def files_of(half: str, image: ImageShape) -> tuple[str, str]:
    """Return the names of a half's files of images and of labels; the former say their axes."""
    return f"{half}-images-idx{1 + len(image.axes)}-ubyte", f"{half}-labels-idx1-ubyte"


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
    images, labels = (_read(dataset, name, folder) for name in dataset.files(half))
    return LabelledImages(images, labels, dataset)


def _read(dataset: Dataset, name: str, folder: Path) -> UInt8[np.ndarray, "..."]:
    return dataset.read(find_file(folder, name) or folder / f"{name}.gz", name)
