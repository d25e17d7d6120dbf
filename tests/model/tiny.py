"""A data set and recipes small enough to train within a test.

`python -m tests.model.tiny` is `python -m model` with this data set under MNIST's name.
What it trains is measured on `few`.
"""

import gzip
import hashlib
import struct
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from model.__main__ import main
from model.data.datasets import DATASETS, MNIST, Dataset, LabelledImages, test_set
from model.recipes.recipe import Recipe
from model.training import command

COUNT = 200

RECIPE = """\
id = "small-vae"
title = "A small one"
summary = "To be trained within a test."
group = "map"
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

[importance]
epochs = 1
samples = 4

[refit]
epochs = 1
"""
"""The stages of a VAE, an average of the weights, fresh binarisation."""

TAUGHT = """\
id = "small-taught"
title = "A small one, taught"
summary = "Another decoder for the map of small-vae."
group = "map"
family = "vae"
dataset = "mnist"
latent_dim = 2
posterior = "cholesky"

[encoder]
kind = "residual"
hidden = [32, 32]

[decoder]
kind = "mlp"
hidden = [12]

[training]
batch_size = 50
binarise = true
held_out = 40

[distillation]
teacher = "small-vae"
epochs = 2
batch_size = 16

[refit]
epochs = 1
"""

AUTOENCODER = (
    RECIPE[: RECIPE.index("[importance]")]
    .replace("small-vae", "small-ae")
    .replace('"vae"', '"ae"')
    .replace('"cholesky"', '"point"')
)

LAID_OUT = (
    RECIPE[: RECIPE.index("[importance]")].replace("small-vae", "small-laid-out")
    + "[layout]\nimages = 100\nepochs = 1\n"
)

STACKED = """\
id = "small-stacked"
title = "A small stack"
summary = "Layers one at a time, noise, dropout, bounded weights, and a price on the code."
group = "relatives"
family = "ae"
dataset = "mnist"
latent_dim = 3
posterior = "point"

[encoder]
kind = "mlp"
hidden = [24, 12]
activation = "relu"
dropout = 0.1
output = "relu"

[decoder]
kind = "mlp"
hidden = [12, 24]
activation = "relu"
max_norm = 2.0

[training]
epochs = 2
batch_size = 50
noise = 0.3
sparsity = 0.1
gradient_clip = 100.0

[pretraining]
epochs = 1
"""

CODEBOOK = """\
id = "small-vqvae"
title = "A small codebook"
summary = "Seven by seven entries."
group = "relatives"
family = "vqvae"
dataset = "mnist"
latent_dim = 49
posterior = "codebook"

[encoder]
kind = "conv"
channels = [4, 6]

[decoder]
kind = "conv"
channels = [6, 4]

[training]
epochs = 2
batch_size = 50
ema = 0.9

[codebook]
entries = 8
dimensions = 3
"""

ARTICLE = """\
id = "small-article"
title = "A small one of the articles"
summary = "Grey levels and nothing but Adam."
group = "twenty"
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

GAUSSIAN, CONTINUOUS_BERNOULLI = (
    f'likelihood = "{likelihood}"\n' + ARTICLE.replace("small-article", f"small-{likelihood}")
    for likelihood in ("gaussian", "continuous-bernoulli")
)


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


def few() -> LabelledImages:
    """The first 1,000 test images of MNIST, to measure on instead of all."""
    shipped = test_set("mnist")
    return replace(shipped, images=shipped.images[:1000], labels=shipped.labels[:1000])


def write(folder: Path, *, zipped: bool = True) -> None:
    """Lay the four files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents().items():
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        else:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    with patch.object(command, "test_set", return_value=few()):
        DATASETS["mnist"] = dataset()
        sys.exit(main())
