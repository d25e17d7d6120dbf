import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from model.data import datasets
from model.errors import DataError
from tests.model import tiny


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets that has a tiny one under MNIST's name."""
    monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset())
    tiny.write(tmp_path / "mnist")
    return tmp_path


def test_the_shipped_images_are_those_of_mnist_by_its_published_hash() -> None:
    shipped = datasets.test_set("mnist")
    header = struct.pack(">4I", 0x803, 10_000, 28, 28)
    assert (
        hashlib.sha256(header + shipped.images.tobytes()).hexdigest()
        == "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    )
    assert np.bincount(shipped.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip


def test_the_first_image_is_the_seven_that_everyone_knows() -> None:
    shipped = datasets.test_set("mnist")
    assert shipped.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert shipped.images[0, 7, 6:16].tolist() == [84, 185, 159, 151, 60, 36, 0, 0, 0, 0]


def test_the_shipped_images_are_read_once() -> None:
    assert datasets.test_set("mnist") is datasets.test_set("mnist")


def test_training_images_come_with_their_labels(folder: Path) -> None:
    train = datasets.train_set("mnist", folder)
    assert train.images.shape == (tiny.COUNT, 28, 28)
    np.testing.assert_array_equal(train.images, datasets.test_set("mnist").images[: tiny.COUNT])
    np.testing.assert_array_equal(train.labels, datasets.test_set("mnist").labels[: tiny.COUNT])


def test_unzipped_training_files_are_as_good(folder: Path) -> None:
    for path in (folder / "mnist").iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(datasets.train_set("mnist", folder).images) == tiny.COUNT


def test_missing_training_images_are_refused_with_the_command_that_fetches_them(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match=r"train-images.*Run `python -m model data fashion-mnist`"):
        datasets.train_set("fashion-mnist", tmp_path)


def test_damaged_training_images_are_refused_with_the_command_that_fetches_them(
    folder: Path,
) -> None:
    os.truncate(folder / "mnist" / "train-labels-idx1-ubyte.gz", 30)
    with pytest.raises(DataError, match=r"train-labels.*incomplete.*`python -m model data mnist`"):
        datasets.train_set("mnist", folder)


@pytest.mark.parametrize("unknown", ["kmnist", "../mnist", ""])
def test_an_unknown_data_set_is_refused_with_the_known_ones(unknown: str) -> None:
    with pytest.raises(DataError, match="known are mnist, fashion-mnist, faces"):
        datasets.test_set(unknown)
    with pytest.raises(DataError, match="known are mnist, fashion-mnist, faces"):
        datasets.train_set(unknown)


COUNTS = {"mnist": 10_000, "fashion-mnist": 10_000, "faces": 2_000}


@pytest.mark.parametrize("dataset", datasets.DATASETS)
def test_the_test_images_of_every_data_set_ship_with_the_code(dataset: str) -> None:
    shipped, described = datasets.test_set(dataset), datasets.DATASETS[dataset]
    assert shipped.images.shape == (COUNTS[dataset], *described.image.axes)
    assert shipped.labels.shape == (COUNTS[dataset],)
    assert set(shipped.labels) == set(range(len(described.label_names)))


@pytest.mark.parametrize("dataset", datasets.DATASETS.values(), ids=lambda dataset: dataset.id)
def test_every_data_set_has_a_licence_and_labels_of_different_names(
    dataset: datasets.Dataset,
) -> None:
    assert dataset.licence
    assert len(set(dataset.label_names)) == len(dataset.label_names)


@pytest.mark.parametrize("dataset", [datasets.MNIST, datasets.FASHION_MNIST])
def test_published_data_sets_have_more_than_one_mirror(dataset: datasets.Dataset) -> None:
    assert len(set(dataset.mirrors)) >= 2
    assert all(mirror.endswith("/") for mirror in dataset.mirrors)
