"""The commands of `python -m model`, from data to a map, and what is done with a model."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from model.checkpoint import CHECKPOINTS
from model.errors import ModelError
from model.evaluation import command as evaluation
from model.evaluation import projecting
from model.own import adapting, exporting, foreign, importing, mapping
from model.training import command as training

INTERRUPTED = 130
"""Exit status of a command ended by Ctrl-C, as in shells."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a user's error becomes a sentence on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path may not be valid UTF-8
    parser = argparse.ArgumentParser(prog="python -m model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, text, configure, run in (
        (
            "data",
            "fetch images, or import your own",
            importing.configure,
            importing.run,
        ),
        ("map", "lead from a folder of images to their map", mapping.configure, mapping.run),
        ("recipe", "write a recipe for your own images", adapting.configure, adapting.run),
        ("import", "take a model from elsewhere, two ONNX files", foreign.configure, foreign.run),
        ("train", "train a recipe into a checkpoint", training.configure, training.run),
        ("evaluate", "measure checkpoints", evaluation.configure, evaluation.run),
        (
            "project",
            "add projections to trained checkpoints",
            projecting.configure,
            projecting.run,
        ),
        ("report", "write docs/models.md", evaluation.configure_report, evaluation.run_report),
        ("export", "write a model as two ONNX files", exporting.configure, exporting.run),
        ("list", "list the checkpoints", _configure_list, evaluation.list_models),
    ):
        command = commands.add_parser(name, help=text, description=text)
        configure(command)
        command.set_defaults(run=run)
    words = sys.argv[1:] if arguments is None else arguments
    parsed = parser.parse_args(words, argparse.Namespace(words=words))
    try:
        status: int = parsed.run(parsed)
    except ModelError as error:
        print(f"python -m model: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="default: %(default)s"
    )


if __name__ == "__main__":
    sys.exit(main())
