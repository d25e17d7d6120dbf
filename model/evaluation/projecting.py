"""The command `project` of `python -m model`: add projections to checkpoints that were trained."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from model.checkpoint import (
    ATLAS_FILE,
    CARD_FILE,
    CHECKPOINTS,
    read_checkpoint,
    replace_files,
    sha256,
)
from model.errors import ModelError
from model.evaluation.command import folders_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("model", help='the id of a checkpoint, or "all"')
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="default: %(default)s"
    )


def run(arguments: argparse.Namespace) -> int:
    """Compute projections and write them into the atlas; weights and codes stay as they are.

    Those that an atlas has are kept, so one without umap-learn does not lose what another made.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
        ModelError: The packages that projecting needs are not installed.
    """
    from model.training.projecting import project

    for folder in folders_of(arguments.checkpoints, arguments.model):
        checkpoint = read_checkpoint(folder)
        kept = checkpoint.atlas.projections
        try:
            made = project(checkpoint.atlas.codes)
        except ModuleNotFoundError as error:
            raise ModelError(
                f"This needs {error.name}: run `pip install --group train`, or `make setup`."
            ) from error
        if not made:
            print(f"{folder.name}: its latents have two dimensions, or no codes")
            continue
        atlas = dataclasses.replace(checkpoint.atlas, projections={**kept, **made}).to_bytes()
        card = dataclasses.replace(checkpoint.card, atlas_sha256=sha256(atlas))
        replace_files({folder / ATLAS_FILE: atlas, folder / CARD_FILE: card.to_json().encode()})
        print(f"{folder.name}: {', '.join(made)}", flush=True)
    return 0
