"""Data sets and untrained models of images of several shapes, made by a test in a folder.

The working folder must be that of the test: a data set lies in its `data`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from model.data import datasets
from model.data.datasets import Form, LabelledImages, files_of
from model.data.own import install_own
from model.image_shape import ImageShape
from tests.app import untrained
from tests.model.tiny import idx

GREY, SQUARE, WIDE = ImageShape(28, 28), ImageShape(32, 32, 3), ImageShape(48, 64, 3)
SHAPES = {"grey": GREY, "square": SQUARE, "wide": WIDE}
COUNT = 24
CONV: dict[str, Any] = {
    "encoder": {"kind": "conv", "channels": [4, 6, 8], "hidden": [12]},
    "decoder": {"kind": "conv", "channels": [8, 6, 4], "hidden": [12]},
}


def images(shape: ImageShape, seed: int = 0) -> UInt8[np.ndarray, "count ..."]:
    """Draw discs of random colours on grounds of random colours, or of greys on black."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape.height, : shape.width]
    found = np.zeros((COUNT, *shape.axes), np.uint8)
    for image in found:
        centre = rng.uniform(0.3, 0.7, 2) * (shape.height, shape.width)
        inside = np.hypot(y - centre[0], x - centre[1]) < rng.uniform(0.15, 0.3) * shape.longest
        if shape.is_colour:
            image[:] = rng.integers(0, 256, 3)
        image[inside] = rng.integers(128, 256, shape.axes[2:])
    return found


def install(folder: Path, name: str, labels: tuple[str, ...] = ("even", "odd")) -> None:
    """Put the data set of a shape in `SHAPES` into `folder/data`."""
    shape = SHAPES[name]
    source = folder / f"{name}-source"
    source.mkdir()
    for seed, half in enumerate(("train", "t10k")):
        numbers = (np.arange(COUNT) % len(labels)).astype(np.uint8)
        for file, array in zip(files_of(half, shape), (images(shape, seed), numbers), strict=True):
            (source / file).write_bytes(idx(array))
    form = Form(shape, "photo" if shape.is_colour else "thing")
    install_own(name, source, folder / "data", label_names=labels, form=form)
    forget()


def forget() -> None:
    """Let the next to ask for a data set read its files, as another process would."""
    for known in (datasets._own_tests, datasets._first_found, datasets.labels_of_tests):
        known.cache_clear()


def tests_of(name: str) -> LabelledImages:
    return datasets.test_set(name)


def write(folder: Path, name: str, **differences: Any) -> None:
    """Write the checkpoint `folder/checkpoints/<name>-model` of the data set `name`."""
    untrained.write(folder / "checkpoints", f"{name}-model", dataset=name, **differences)
