"""A data set and recipes small enough to train within a test.

`python -m tests.model.tiny` is `python -m model` with this data set under MNIST's name.
"""

import gzip
import hashlib
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from model.__main__ import main
from model.data.datasets import DATASETS, MNIST, Dataset, test_set
from model.recipe import Recipe

COUNT = 200

RECIPE = """\
id = "small-vae"
title = "A small one"
summary = "To be trained within a test."
family = "vae"
dataset = "mnist"
latent_dim = 2
posterior = "cholesky"

[encoder]
kind = "residual"
hidden = [32, 32]

[decoder]
kind = "mlp"
hidden = [16]
fourier_features = 8

[training]
epochs = 3
batch_size = 50
kl_warmup = 0.5
ema = 0.9
binarise = true
held_out = 40

[distillation]
epochs = 2
batch_size = 16
refit_epochs = 1

[distillation.teacher]
kind = "mlp"
hidden = [64]
"""
"""All that a recipe can ask for: three stages, an average of the weights, fresh binarisation."""

AUTOENCODER = (
    RECIPE[: RECIPE.index("[distillation]")]
    .replace("small-vae", "small-ae")
    .replace('"vae"', '"ae"')
    .replace('"cholesky"', '"point"')
)

ARTICLE = """\
id = "small-article"
title = "A small one of the articles"
summary = "Grey levels and nothing but Adam."
family = "vae"
dataset = "mnist"
latent_dim = 5

[encoder]
kind = "mlp"
hidden = [40]
activation = "relu"

[decoder]
kind = "mlp"
hidden = [40]
activation = "relu"

[training]
epochs = 3
batch_size = 50
decay = "none"
warmup = 0.0
"""


def recipe(folder: Path, text: str = RECIPE) -> Recipe:
    """Read a recipe from text, as from a file."""
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return Recipe.load(path)


def idx(array: np.ndarray) -> bytes:
    """The IDX file of an array of unsigned bytes, written by the book."""
    assert array.dtype == np.uint8
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def contents() -> dict[str, bytes]:
    """The four files: the first shipped images for training, the next ones for testing."""
    shipped = test_set("mnist")
    return {
        "train-images-idx3-ubyte": idx(shipped.images[:COUNT]),
        "train-labels-idx1-ubyte": idx(shipped.labels[:COUNT]),
        "t10k-images-idx3-ubyte": idx(shipped.images[COUNT : 2 * COUNT]),
        "t10k-labels-idx1-ubyte": idx(shipped.labels[COUNT : 2 * COUNT]),
    }


def dataset(*mirrors: str) -> Dataset:
    """MNIST as it would be if it had only these images."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents().items()}
    return replace(MNIST, sha256=hashes, mirrors=mirrors)


def write(folder: Path, *, zipped: bool = True) -> None:
    """Lay the four files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents().items():
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        else:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    DATASETS["mnist"] = dataset()
    sys.exit(main())
