"""`python -m model train`: from a recipe to a checkpoint."""

from __future__ import annotations

import argparse
import copy
import platform
import shlex
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from model.atlas import Atlas, make_atlas
from model.card import Card
from model.checkpoint import (
    CARD_FILE,
    CHECKPOINTS,
    WEIGHTS_FILE,
    load_weights,
    read_checkpoint,
    sha256,
    stored_weights,
    write_checkpoint,
)
from model.data.datasets import DATA_FOLDER, Dataset, find, test_set, train_set
from model.errors import CheckpointError
from model.inference.device import choose_device
from model.recipes.recipe import Recipe
from model.training.optimisation import PRECISIONS
from model.training.projecting import project
from model.training.run import Run
from model.training.state import STATE_FILE
from model.vae.autoencoder import CELLS, Autoencoder
from model.vae.dataset_elbo import measure_bound
from model.vae.networks import multiply_adds

RUNS = Path("runs")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("recipe", help="the name of one in model/recipes/, or a TOML file")
    parser.add_argument("--resume", action="store_true", help="go on from the last whole epoch")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="replace a checkpoint of this id, and without --resume an interrupted run",
    )
    parser.add_argument("--seed", type=int, help="another than the recipe's, for a spread")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--threads", type=threads, help="of torch on the CPU (default: all cores)")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help="of products while it learns, on devices with a faster one (default: %(default)s)",
    )
    parser.add_argument("--data", type=Path, default=DATA_FOLDER, help="default: %(default)s")
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--to", type=Path, default=CHECKPOINTS, help="default: %(default)s")


def threads(text: str) -> int:
    """Read a number of threads, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} threads cannot work; give 1 or more")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Train, measure and write the checkpoint; return the exit status.

    Raises:
        ModelError: The recipe, the data, the device or the run to resume cannot be used, something
            would be replaced without `--replace`, or a folder cannot be written to.
        KeyboardInterrupt: The user stopped the command; how to resume was printed.
    """
    recipe = Recipe.load(arguments.recipe)
    if arguments.seed is not None:
        recipe = replace(recipe, seed=arguments.seed)
    resume = () if arguments.resume else ("--resume",)
    train(recipe, arguments, shlex.join(("python", "-m", "model", *arguments.words, *resume)))
    return 0


def train(
    recipe: Recipe,
    arguments: argparse.Namespace,
    go_on: str,
    watch: Callable[[Run], object] | None = None,
) -> None:
    """Train a recipe with the arguments of the command, and write its checkpoint.

    Args:
        recipe: The recipe to train.
        arguments: Those of `configure`; `recipe` and `seed` are not looked at.
        go_on: The command that goes on with an interrupted run, which messages tell.
        watch: Called with the run before its first epoch and after each.

    Raises:
        ModelError: As `run`.
        KeyboardInterrupt: As `run`.
    """
    device = choose_device(arguments.device)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    folder, state_path = arguments.to / recipe.id, arguments.runs / recipe.id / STATE_FILE
    _require_free(folder, state_path, arguments, go_on)
    images = train_set(recipe.dataset, arguments.data).images
    test = test_set(recipe.dataset, arguments.data).images
    teacher = None
    if recipe.distillation:
        teacher = read_checkpoint(arguments.to / recipe.distillation.teacher, device)
    _require_writable(arguments.to, "--to")
    _require_writable(arguments.runs, "--runs")
    try:
        current = Run(
            recipe,
            images,
            test,
            state_path,
            device,
            teacher=teacher,
            resume=arguments.resume,
            precision=arguments.precision,
            watch=watch,
        )
        current.finish()
        tqdm.write("measuring the stored weights")
        write(folder, current, find(recipe.dataset, arguments.data))
    except KeyboardInterrupt:
        if state_path.is_file():
            print(f"Stopped. Go on with: {go_on}")
        raise
    except OSError as error:
        raise CheckpointError(_not_written(error, state_path, go_on)) from error
    state_path.unlink()
    with suppress(OSError):  # something else lies there
        state_path.parent.rmdir()
    print(f"{folder} is written.")


def _require_free(
    folder: Path, state_path: Path, arguments: argparse.Namespace, go_on: str
) -> None:
    """Refuse to replace a checkpoint, or what an interrupted run has trained."""
    if arguments.replace:
        return
    if (folder / CARD_FILE).exists():  # it is written last
        raise CheckpointError(
            f"{folder} exists already, and stays as it is. Give another folder by --to or the "
            "recipe another id; --replace trains in its place."
        )
    if state_path.is_file() and not arguments.resume:
        raise CheckpointError(
            f"{state_path} holds a run that was interrupted. Go on with: "
            f"{go_on}; --replace starts anew in its place."
        )


def _require_writable(folder: Path, option: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CheckpointError(
            f"{folder} cannot be written to: {error.strerror}. Give another folder by {option}."
        ) from error


def _not_written(error: OSError, state_path: Path, go_on: str) -> str:
    message = f"{error.filename} cannot be written: {error.strerror}."
    if not state_path.is_file():
        return message
    return (
        f"{message} What was trained is kept in {state_path}. Mend that, or give another folder, "
        f"and go on with: {go_on}"
    )


def write(folder: Path, finished: Run, dataset: Dataset) -> None:
    """Write the checkpoint of a finished run, measured with the weights as stored."""
    autoencoder = finished.autoencoder
    weights = stored_weights(autoencoder)
    load_weights(autoencoder, weights, str(folder / WEIGHTS_FILE))
    finished.take_last_moment()
    metrics = measure_bound(autoencoder, finished.test)
    atlas = make_atlas(autoencoder, finished.test, tuple(finished.moments))
    atlas = replace(atlas, projections=project(atlas.codes))
    _write(folder, finished, autoencoder, weights, atlas, dataset, finished.recipe.summary, metrics)


def write_unfinished(folder: Path, current: Run, dataset: Dataset, epochs: int) -> None:
    """Write a checkpoint of a run of so many epochs that goes on, for people to look at meanwhile.

    Its card has `progress` in place of measures.
    """
    done = current.epochs
    autoencoder = copy.deepcopy(current.autoencoder).eval()
    weights = stored_weights(autoencoder)
    load_weights(autoencoder, weights, str(folder / WEIGHTS_FILE))
    summary = f"In training: epoch {done} of {epochs}. The map is renewed as it goes on."
    metrics = {"progress": {"epoch": done, "epochs": epochs}}
    atlas = make_atlas(autoencoder, current.test, tuple(current.moments))
    _write(folder, current, autoencoder, weights, atlas, dataset, summary, metrics)


def _write(
    folder: Path,
    run: Run,
    autoencoder: Autoencoder,
    weights: bytes,
    atlas: Atlas,
    dataset: Dataset,
    summary: str,
    metrics: dict[str, Any],
) -> None:
    """Write the checkpoint of an autoencoder with the weights as stored."""
    recipe, progress = run.recipe, run.progress
    packed = atlas.to_bytes()
    card = Card(
        id=recipe.id,
        title=recipe.title,
        summary=summary,
        group=recipe.group,
        family=recipe.family,
        dataset=recipe.dataset,
        latent_dim=recipe.latent_dim,
        likelihood=recipe.likelihood,
        beta=recipe.beta if recipe.family == "vae" else None,
        planes=tuple(plane.id for plane in atlas.planes),
        metrics=metrics,
        sha256=sha256(weights),
        atlas_sha256=sha256(packed),
        multiply_adds={
            "encoder": multiply_adds(autoencoder.encoder, autoencoder.image.numbers),
            "decoder": multiply_adds(autoencoder.decoder, _decoder_inputs(recipe)),
        },
        recipe=recipe.as_dict(),
        data_sha256=dict(dataset.sha256),
        training={
            "seconds": round(progress.seconds, 1),
            "device": str(run.device),
            "threads": torch.get_num_threads(),
            "precision": run.precision,
            "machine": platform.machine(),
            "versions": {name: version(name) for name in ("torch", "numpy", "safetensors")},
            "history": progress.history,
        },
        image=autoencoder.image,
    )
    write_checkpoint(folder, card, weights, packed)


def _decoder_inputs(recipe: Recipe) -> int:
    return CELLS**2 * recipe.codebook.dimensions if recipe.codebook else recipe.latent_dim
