"""`python -m model recipe`: a recipe for a data set of one's own, from one of those that ship."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

from model.data.datasets import DATA_FOLDER, find, train_set
from model.errors import RecipeError
from model.recipes.recipe import Recipe
from model.recipes.tables import Layout
from model.recipes.write_toml import to_toml

LEAST_STEPS = 2000
"""Steps of the main stage that few images are repeated for."""
LEAST_LAYOUT_STEPS = 1200
"""The same of the layout: with fewer, the encoder has not learned the places."""
MOST_EPOCHS = 300
STEPS_PER_EPOCH = 20
SMALLEST_BATCH = 8
HELD_OUT_SHARE = 0.1
LAID_OUT_SHARE = 0.9
"""Of the images, if they are few: the others take places that are less exact."""
LEAST_LAID_OUT = 200
"""Images to train on below which a layout by t-SNE says nothing."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("name", help="the id of the new model; the file is called <name>.toml")
    parser.add_argument(
        "--like", required=True, metavar="ID", help="a recipe that ships, or a TOML file"
    )
    parser.add_argument("--data", required=True, metavar="NAME", help="the data set to train on")
    parser.add_argument(
        "--data-folder", type=Path, default=DATA_FOLDER, help="default: %(default)s"
    )
    parser.add_argument("--replace", action="store_true", help="replace a file of this name")


def run(arguments: argparse.Namespace) -> int:
    """Write the recipe and say what was fitted; return the exit status.

    Raises:
        ModelError: The recipe or the data set is unknown, or the file exists or cannot be written.
    """
    path = Path(f"{arguments.name}.toml")
    if path.exists() and not arguments.replace:
        raise RecipeError(f"{path} exists already. Take another name, or add --replace.")
    dataset = find(arguments.data, arguments.data_folder)
    count = len(train_set(dataset.id, arguments.data_folder).images)
    like = Recipe.load(arguments.like)
    adapted, notes = adapt(like, arguments.name, dataset.id, count)
    comment = "\n".join([f"{like.id}, for the {count:,} training images of {dataset.id}.", *notes])
    try:
        path.write_text(to_toml(adapted, comment), encoding="utf-8")
    except OSError as error:
        raise RecipeError(f"{path} cannot be written: {error.strerror}.") from error
    for note in notes:
        print(note)
    print(f"{path} is written. Train it: python -m model train {path}")
    return 0


def adapt(like: Recipe, name: str, dataset: str, count: int) -> tuple[Recipe, list[str]]:
    """Return a recipe for another data set of so many training images, and what was changed.

    Raises:
        RecipeError: The name cannot be an id, or there are too few images.
    """
    if count < 2:
        raise RecipeError(f"{dataset} has {count} images to train on; give it more.")
    notes = []
    recipe = like
    if like.distillation:
        recipe = _untaught(like)
        notes.append(
            f"{like.id} learned from {like.distillation.teacher}, which has seen no image of "
            f"{dataset}; this one trains by itself, in the stages of that one."
        )
    held_out = min(recipe.training.held_out, int(HELD_OUT_SHARE * count))
    left = count - held_out
    batch = min(recipe.training.batch_size, max(SMALLEST_BATCH, left // STEPS_PER_EPOCH), left)
    wanted = math.ceil(LEAST_STEPS / (left // batch))
    epochs = max(recipe.training.epochs, min(MOST_EPOCHS, wanted))
    training = replace(recipe.training, held_out=held_out, batch_size=batch, epochs=epochs)
    notes.append(f"held_out {held_out}, batch_size {batch}, epochs {epochs}: for {count:,} images.")
    layout = recipe.layout
    if layout:
        layout = _fitting(layout, left, left // batch)
        notes.append(
            f"[layout] maps {layout.images} of them."
            if layout
            else f"[layout] is left out: {left} images are too few for it."
        )
    return replace(
        recipe,
        id=name,
        title=name.replace("-", " ").capitalize(),
        summary=f"As {like.id}, of {dataset}.",
        dataset=dataset,
        training=training,
        layout=layout,
    ), notes


def _untaught(like: Recipe) -> Recipe:
    """Return a recipe that trains in its teacher's stages what it would have learned from it."""
    assert like.distillation
    teacher = Recipe.load(like.distillation.teacher)
    return replace(
        like,
        distillation=None,
        layout=teacher.layout,
        training=teacher.training,
        importance=teacher.importance,
        refit=teacher.refit,
    )


def _fitting(layout: Layout, left: int, per_epoch: int) -> Layout | None:
    """Return a layout for so many images and steps an epoch; none if the images are too few."""
    if left < LEAST_LAID_OUT:
        return None
    epochs = max(layout.epochs, min(MOST_EPOCHS, math.ceil(LEAST_LAYOUT_STEPS / per_epoch)))
    return replace(layout, images=min(layout.images, int(LAID_OUT_SHARE * left)), epochs=epochs)
