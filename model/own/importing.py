"""`python -m model data` with `--name`: put a data set of one's own into the data folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

from model.card import Card
from model.checkpoint import CARD_FILE
from model.data import download
from model.data.datasets import Form, Preprocessing
from model.data.own import PREVIEW, Imported, install_own
from model.errors import CheckpointError, DataError
from model.image_shape import MNIST_SHAPE, ImageShape

MOST_SKIPPED = 20
"""Files that are named, one a line."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    download.configure(parser)
    own = parser.add_argument_group(
        "a data set of your own",
        "IDX files, images, or folders of images by label; with --from",
    )
    own.add_argument("--name", help="what recipes will call it, such as my-shapes")
    own.add_argument("--title", default="", help="its name for people")
    own.add_argument("--authors", default="", help="who made it")
    own.add_argument("--licence", default="", help="of the images")
    own.add_argument(
        "--labels",
        type=lambda text: text.split(","),
        default=[],
        metavar="A,B,C",
        help="what the labels 0, 1, 2 of IDX files are called",
    )
    own.add_argument(
        "--size",
        type=_size,
        default=(MNIST_SHAPE.width, MNIST_SHAPE.height),
        metavar="WxH",
        help="pixels that images from folders are brought to (default: those of MNIST)",
    )
    own.add_argument(
        "--preprocessing",
        choices=get_args(Preprocessing),
        default="thing",
        help="how: as MNIST was made, as Fashion-MNIST, or in colour (default: %(default)s)",
    )
    own.add_argument(
        "--replace", action="store_true", help="replace a data set of your own of this name"
    )


def run(arguments: argparse.Namespace) -> int:
    """Install data sets, published ones or one of one's own; return the exit status.

    Raises:
        DataError: A data set is unknown, its name is taken, or a file cannot be had or used.
        KeyboardInterrupt: The user stopped the command.
    """
    if arguments.name is None:
        return download.run(arguments)
    if arguments.source is None or arguments.datasets:
        raise DataError("--name is for one data set of your own: give its folder with --from.")
    import_folder(
        arguments.name,
        arguments.source,
        arguments.target,
        title=arguments.title,
        authors=arguments.authors,
        licence=arguments.licence,
        label_names=arguments.labels,
        form=_form(arguments),
        replace=arguments.replace,
    )
    return 0


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def _form(arguments: argparse.Namespace) -> Form:
    """Return the form that the options ask for; raise DataError."""
    width, height = arguments.size
    try:
        image = ImageShape(height, width, 3 if arguments.preprocessing == "photo" else 1)
        return Form(image, arguments.preprocessing)
    except ValueError as error:
        raise DataError(f"The images cannot be imported so: {error}.") from error


def import_folder(name: str, source: Path, target: Path, **more: Any) -> None:
    """Import images as `install_own` does, and say what became of them.

    Raises:
        DataError: As `install_own`.
    """
    for folder in trained_on(name):
        print(
            f"{folder} was trained on the {name} that is there. With other images it is refused, "
            "until it is trained again."
        )
    imported = install_own(name, source, target, **more)
    for line in table(imported):
        print(line)
    folder, labels = target / name, ", ".join(imported.dataset.label_names)
    print(f"{folder} is written; its labels are {labels}. Look at {folder / PREVIEW}.")


def table(imported: Imported) -> list[str]:
    """Return lines on what was imported: the images of each label, and what was skipped and why."""
    names = imported.dataset.label_names
    wide = max(map(len, (*names, "label")))
    lines = [f"{'label':{wide}}  training  testing"]
    rows = list(zip(names, imported.train, imported.tests, strict=True))
    lines += [f"{name:{wide}}  {train:8,}  {tests:7,}" for name, train, tests in rows]
    for name, train, tests in rows:
        if not train:
            lines.append(f"{name} has no image for training: its places on the map are guesses.")
        if not tests:
            lines.append(f"{name} has no image for testing: the map shows none of it.")
    lines += [f"skipped {one.path}: {one.reason}" for one in imported.skipped[:MOST_SKIPPED]]
    if (left := len(imported.skipped) - MOST_SKIPPED) > 0:
        lines.append(f"skipped {left:,} more")
    return lines


def trained_on(dataset: str) -> list[Path]:
    """Return the checkpoints of a data set, of all folders of checkpoints in the working folder."""
    found = []
    for path in sorted(Path().glob(f"*/*/{CARD_FILE}")):
        try:
            card = Card.load(path.parent)
        except CheckpointError:
            continue  # it is refused for what it is
        if card.dataset == dataset:
            found.append(path.parent)
    return found
