"""The commands `evaluate`, `list` and `report` of `python -m model`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import torch

from model.card import Card
from model.checkpoint import CARD_FILE, CHECKPOINTS, read_checkpoint, write_card
from model.errors import CheckpointError, ModelError
from model.evaluation.report import take_seeds, write_report
from model.inference.device import choose_device
from model.measures import BLOCKS, MEASURES
from model.recipes.recipe import RECIPES, Recipe

DOCS = Path("docs")
COLUMNS = "{:34} {:10} {:>10} {:>15} {:>8}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("model", help='the id of a checkpoint, or "all"')
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="default: %(default)s"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--threads", type=int, help="of torch on the CPU (default: all cores)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=BLOCKS,
        default=BLOCKS,
        metavar="BLOCK",
        help=f"take these measures alone, of {', '.join(BLOCKS)}",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="put the figures, and the recipe's words, into the card",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure on the test images and print the figures with their units.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
        ModelError: The packages that measuring needs are not installed.
    """
    try:
        from model.evaluation.all_measures import measure
    except ModuleNotFoundError as error:
        raise ModelError(_missing(error)) from error
    device = choose_device(arguments.device)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    for folder in folders_of(arguments.checkpoints, arguments.model):
        checkpoint = read_checkpoint(folder, device)
        metrics = measure(checkpoint, tuple(arguments.only))
        card = dataclasses.replace(checkpoint.card, metrics={**checkpoint.card.metrics, **metrics})
        if arguments.write:
            write_card(folder, worded(card))
        print(card.id)
        for row in MEASURES:
            block, name = row.key.split(".")
            if (value := (metrics.get(block) or {}).get(name)) is not None:
                print(f"  {row.title:34} {value:12.{row.digits}f} {row.unit}", flush=True)
    return 0


def worded(card: Card) -> Card:
    """Return a card with the title and the summary that its recipe has by now, if it is ours."""
    path = RECIPES / f"{card.id}.toml"
    if not path.is_file():
        return card
    recipe = Recipe.load(path)
    if recipe.dataset != card.dataset:  # somebody's own, of the same name
        return card
    words = {name: getattr(recipe, name) for name in ("title", "summary", "group")}
    return dataclasses.replace(card, **words, recipe={**card.recipe, **words})


def list_models(arguments: argparse.Namespace) -> int:
    """Print each checkpoint's card in a line or two."""
    print(COLUMNS.format("model", "images", "ELBO", "reconstruction", "KL"))
    for folder in folders_of(arguments.checkpoints, "all"):
        _print_bounds(Card.load(folder))
    return 0


def configure_report(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="default: %(default)s"
    )
    parser.add_argument("--to", type=Path, default=DOCS, help="default: %(default)s")
    parser.add_argument("--figures", action="store_true", help="draw the figures anew as well")
    parser.add_argument(
        "--seeds",
        type=Path,
        nargs="+",
        help="folders of checkpoints of the pairs, of one seed each, whose measures to keep",
    )


def run_report(arguments: argparse.Namespace) -> int:
    """Write models.md, and if asked for its figures.

    Raises:
        CheckpointError: A card or a checkpoint is damaged, or a figure's model is not there.
        ModelError: The packages that drawing needs are not installed.
    """
    if arguments.seeds:
        take_seeds(arguments.seeds)
    write_report(arguments.checkpoints, arguments.to / "models.md")
    if arguments.figures:
        try:
            from model.evaluation.figures import draw_all
        except ModuleNotFoundError as error:
            raise ModelError(_missing(error)) from error
        draw_all(arguments.checkpoints, arguments.to / "images" / "models")
    return 0


def _missing(error: ModuleNotFoundError) -> str:
    return f"This needs {error.name}: run `pip install --group evaluate`, or `make setup`."


def folders_of(checkpoints: Path, model: str) -> list[Path]:
    """Return the folder of a checkpoint, or of all of them; raises CheckpointError."""
    folders = sorted(path.parent for path in checkpoints.glob(f"*/{CARD_FILE}"))
    if model == "all":
        return folders
    if checkpoints / model not in folders:
        known = ", ".join(folder.name for folder in folders) or "none"
        raise CheckpointError(f'There is no "{model}" in {checkpoints}; it has: {known}.')
    return [checkpoints / model]


def _print_bounds(card: Card) -> None:
    for protocol in ("grey", "binarised"):
        if numbers := card.metrics.get(protocol):
            values = (numbers["elbo"], numbers["reconstruction"], numbers["kl"])
            shown = ("-" if value is None else f"{value:.2f}" for value in values)
            print(COLUMNS.format(card.id, protocol, *shown))
