"""`python -m model map`: from a folder of images to their map in the browser, in one command.

It imports, chooses a recipe, trains, evaluates and serves. Each step that has been done is passed
over, so the same command goes on after Ctrl-C or a kill.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import torch

from model.checkpoint import CARD_FILE, read_card
from model.data.datasets import DATA_FOLDER, LabelledImages, find, test_set, train_set
from model.data.folders import fingerprint
from model.data.own import imported_from
from model.errors import DataError, ModelError
from model.evaluation import command as evaluation
from model.image_shape import ImageShape
from model.own.adapting import adapt
from model.own.drawing import curve, legend, scatter
from model.own.importing import import_folder
from model.own.showing import require_free_port, showing
from model.recipes.recipe import Recipe
from model.training import command as training
from model.training.optimisation import PRECISIONS
from model.training.run import MOMENT_EPOCHS, Run
from model.training.stages import Fit, Images
from model.training.state import STATE_FILE, read_progress
from model.vae.autoencoder import VariationalAutoencoder, build_autoencoder

CHECKPOINTS = Path("my-checkpoints")
LIKE = "fashion-vae-2d"
"""The recipe that the chosen one is like: a plane laid out by t-SNE."""
GROUP = "Your images"
"""The heading under which the page lists the model."""
INK = 0.8
"""Share of pixels near black or white from which images count as ink on paper."""
FEW = 1000
"""Images up to which small networks do, for which one thread is quicker than several."""
SMALL = (128, 128)
"""Widths of their hidden layers."""
SECONDS_PER_LAID_OUT = 0.008
"""Of t-SNE, for each image that it maps."""
BESIDE_STEPS = 1.3
"""Time of a training by that of its steps: following it and drawing it take time too."""
TIMED_STEPS = 6


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "folder", type=Path, help="of images, or of a folder of them for each label"
    )
    parser.add_argument("--name", help="of data set and model (default: that of the folder)")
    parser.add_argument("--to", type=Path, default=CHECKPOINTS, help="default: %(default)s")
    parser.add_argument("--runs", type=Path, default=training.RUNS, help="default: %(default)s")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--threads", type=training.threads, help="of torch on the CPU")
    parser.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    parser.add_argument("--no-serve", action="store_true", help="end when the model is trained")
    parser.add_argument(
        "--replace", action="store_true", help="replace data and a model of this name"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what is left to do of all steps; return the exit status, unless a server takes over.

    Raises:
        ModelError: The folder, its name or a place to write to cannot be used, or a data set or a
            model of this name would be replaced.
        KeyboardInterrupt: The user stopped the command; how to go on was printed.
    """
    name = arguments.name or _name_of(arguments.folder)
    if not arguments.no_serve:
        require_free_port(arguments.port)
    _import(name, arguments)
    train, tests = train_set(name), test_set(name)
    labels = len(find(name).label_names)
    count = len(train.images)
    recipe, notes = choose(name, train)
    begun = _begun(arguments.runs / name / STATE_FILE)
    if begun:
        recipe, notes = begun, []
    print(
        f"{name}: {count:,} images to train on, {len(tests.images):,} to test on, {labels} "
        f"label{'s' if labels > 1 else ''}."
    )
    for note in notes:
        print(note)
    if not arguments.threads and count <= FEW:
        arguments.threads = 1
    shown = showing(arguments.runs / name / "shown", arguments.port, _epochs(recipe))
    with nullcontext() if arguments.no_serve else shown as show:
        if _is_trained(arguments.to / name, recipe, arguments.replace):
            (arguments.runs / name / STATE_FILE).unlink(missing_ok=True)
            print(f"{arguments.to / name} is trained already.")
        else:
            _train(recipe, train, tests, arguments, begun is not None, show)
        _evaluate(name, arguments)
    return 0 if arguments.no_serve else _serve(name, arguments)


def choose(name: str, train: LabelledImages) -> tuple[Recipe, list[str]]:
    """Return a recipe that fits images by their number and their greys, and why."""
    recipe, notes = adapt(Recipe.load(LIKE), name, name, len(train.images))
    greys = train.images
    is_ink = bool(((greys < 64) | (greys > 191)).mean() > INK)
    title = train.source.title if train.source else name
    if len(greys) <= FEW:
        encoder = replace(recipe.encoder, hidden=SMALL)
        recipe = replace(recipe, encoder=encoder, decoder=replace(recipe.decoder, hidden=SMALL))
        notes.append("Its networks are small, as so few images fit into them.")
    recipe = replace(
        recipe,
        title=title,
        summary="A plane of two numbers, made from a folder of images.",
        group=GROUP,
        training=replace(recipe.training, binarise=is_ink),
    )
    kind = "ink on paper, so pixels are drawn as 0 or 1" if is_ink else "shades of grey"
    return recipe, [f"Its recipe is like {LIKE}. The images are {kind}.", *notes]


def _name_of(folder: Path) -> str:
    name = "-".join(re.findall(r"[a-z0-9]+", folder.resolve().name.lower()))
    if not name:
        raise DataError(f"{folder} has a name without letters. Give one by --name.")
    return name


def _import(name: str, arguments: argparse.Namespace) -> None:
    """Import the folder, unless that was done and it has not changed since."""
    there = DATA_FOLDER / name
    if there.exists() and imported_from(there) == fingerprint(arguments.folder):
        print(f"{there} has these images already.")
        return
    if there.exists() and not arguments.replace:
        raise DataError(
            f"{there} has other images than {arguments.folder} has now. Take another name by "
            "--name, or add --replace to have these in its place."
        )
    (arguments.runs / name / STATE_FILE).unlink(missing_ok=True)  # it is of other images
    import_folder(name, arguments.folder, DATA_FOLDER, replace=arguments.replace)


def _begun(state: Path) -> Recipe | None:
    """Return the recipe of a run that was interrupted, by which it goes on."""
    try:
        return Recipe.from_dict(read_progress(state).recipe)
    except ModelError:  # there is none, or it cannot be read
        return None


def _is_trained(folder: Path, recipe: Recipe, replaces: bool) -> bool:
    """Return whether a checkpoint of these images is there; one to replace, of this recipe."""
    if not (folder / CARD_FILE).is_file():
        return False
    try:
        card = read_card(folder)
    except ModelError:
        return False
    is_same = bool(card.recipe == json.loads(json.dumps(recipe.as_dict())))
    return card.dataset == recipe.dataset and (is_same or not replaces)


def _train(
    recipe: Recipe,
    train: LabelledImages,
    tests: LabelledImages,
    arguments: argparse.Namespace,
    resume: bool,
    show: Callable[[Run], object] | None,
) -> None:
    """Train the recipe; draw it, and `show` it, as it goes on."""

    def watch(current: Run) -> None:
        if show:
            show(current)
        _draw(current, tests)

    go_on = shlex.join(("python", "-m", "model", *arguments.words))
    begun = "It goes on from the last whole epoch. All of it" if resume else "Training"
    print(f"{begun} takes {_duration(seconds_needed(recipe, train))} on this machine.")
    options = argparse.Namespace(
        data=DATA_FOLDER,
        runs=arguments.runs,
        to=arguments.to,
        device=arguments.device,
        threads=arguments.threads,
        precision=PRECISIONS[0],
        resume=resume,
        replace=arguments.replace,
    )
    training.train(recipe, options, go_on, watch)


def seconds_needed(recipe: Recipe, train: LabelledImages) -> float:
    """Return about how long a training takes here, from a few of its steps."""
    torch.manual_seed(recipe.seed)
    vae = build_autoencoder(recipe, ImageShape.of(train.images))
    assert isinstance(vae, VariationalAutoencoder)
    flat = torch.from_numpy(train.images.reshape(len(train.images), -1).copy())
    stage = Fit(vae, Images(flat, flat, recipe.training.binarise), recipe)
    ends = [time.perf_counter()]
    for loss in islice(stage.losses(0), TIMED_STEPS):
        torch.autograd.backward(loss)
        ends.append(time.perf_counter())
    step_seconds = min(end - start for start, end in pairwise(ends))  # others wait for other work
    laid_out = recipe.layout
    per_epoch = (len(flat) - recipe.training.held_out) // recipe.training.batch_size
    tsne_seconds = SECONDS_PER_LAID_OUT * laid_out.images if laid_out else 0.0
    return BESIDE_STEPS * step_seconds * per_epoch * _epochs(recipe) + tsne_seconds


def _epochs(recipe: Recipe) -> int:
    return recipe.training.epochs + (recipe.layout.epochs if recipe.layout else 0)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes == 0:
        return "less than a minute"
    return f"about {minutes} minute{'s' if minutes > 1 else ''}"


def _draw(current: Run, tests: LabelledImages) -> None:
    """Draw the losses and the map, at the epochs of which the map is kept."""
    if current.epochs == 0 or current.epochs not in MOMENT_EPOCHS:
        return
    coloured = sys.stdout.isatty()
    moment, entries = current.moments[-1], current.progress.history
    stage = entries[-1]["stage"]
    losses = [entry["train_loss"] for entry in entries if entry["stage"] == stage]
    labels = tests.labels[: len(moment.codes)].astype(int)
    print("\n".join(scatter(moment.projected, labels, coloured=coloured)))
    if tests.source:
        print(legend(tests.source.label_names, coloured=coloured))
    print(f"loss of {stage}: {curve(losses)} {losses[-1]:.1f}", flush=True)


def _evaluate(name: str, arguments: argparse.Namespace) -> None:
    """Measure the codes, unless that was done; without the packages for it, say so and go on."""
    if "codes" in read_card(arguments.to / name).metrics:
        return
    options = argparse.Namespace(
        model=name,
        checkpoints=arguments.to,
        device=arguments.device,
        threads=arguments.threads,
        only=("latents", "codes"),
        write=True,
    )
    try:
        evaluation.run(options)
    except ModelError as error:
        print(f"It is not evaluated: {error}")


def _serve(name: str, arguments: argparse.Namespace) -> int:
    """Become the server of the models, with this one as the page's first."""
    settings = {
        "EXPLORER_CHECKPOINTS": str(arguments.to),
        "EXPLORER_DEFAULT_MODEL": name,
        "EXPLORER_PORT": str(arguments.port),
    }
    words = " ".join(f"{variable}={shlex.quote(value)}" for variable, value in settings.items())
    print(
        f"The map: http://127.0.0.1:{arguments.port} (Ctrl-C ends it; later: {words} python -m app)"
    )
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "app"], {**os.environ, **settings})
