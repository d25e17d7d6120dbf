"""`python -m model evaluate`: measure checkpoints anew, and `list`: say what they are."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from model.card import Card
from model.checkpoint import CARD_FILE, CHECKPOINTS, read_checkpoint, write_card
from model.data.datasets import test_set
from model.device import choose_device
from model.errors import CheckpointError
from model.evaluation.bound import measure_bound

COLUMNS = "{:24} {:10} {:>10} {:>15} {:>8}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("model", help='the id of a checkpoint, or "all"')
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="default: %(default)s"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--write", action="store_true", help="put the figures into the card")


def run(arguments: argparse.Namespace) -> int:
    """Print ELBO, reconstruction and KL on the test images, in nats per image.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
    """
    device = choose_device(arguments.device)
    print(COLUMNS.format("model", "images", "ELBO", "reconstruction", "KL"))
    for folder in _folders(arguments.checkpoints, arguments.model):
        checkpoint = read_checkpoint(folder, device)
        images = test_set(checkpoint.card.dataset).images
        metrics = measure_bound(checkpoint.autoencoder, images)
        _print_metrics(dataclasses.replace(checkpoint.card, metrics=metrics))
        if arguments.write:
            card = dataclasses.replace(
                checkpoint.card, metrics={**checkpoint.card.metrics, **metrics}
            )
            write_card(folder, card)
    return 0


def list_models(arguments: argparse.Namespace) -> int:
    """Print each checkpoint's card in a line or two."""
    print(COLUMNS.format("model", "images", "ELBO", "reconstruction", "KL"))
    for folder in _folders(arguments.checkpoints, "all"):
        _print_metrics(Card.load(folder))
    return 0


def _folders(checkpoints: Path, model: str) -> list[Path]:
    folders = sorted(path.parent for path in checkpoints.glob(f"*/{CARD_FILE}"))
    if model == "all":
        return folders
    if checkpoints / model not in folders:
        known = ", ".join(folder.name for folder in folders) or "none"
        raise CheckpointError(f'There is no "{model}" in {checkpoints}; it has: {known}.')
    return [checkpoints / model]


def _print_metrics(card: Card) -> None:
    for protocol, numbers in card.metrics.items():
        values = (numbers["elbo"], numbers["reconstruction"], numbers["kl"])
        shown = ("-" if value is None else f"{value:.2f}" for value in values)
        print(COLUMNS.format(card.id, protocol, *shown))
