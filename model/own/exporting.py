"""`python -m model export`: a model as two ONNX files, for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.checkpoint import CHECKPOINTS, IMPORTED, read_checkpoint, replace_files
from model.errors import CheckpointError
from model.inference.imported import DECODER, ENCODER
from model.inference.onnx_export import export


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("model", help="the id of a checkpoint")
    parser.add_argument("folder", type=Path, help=f"where {ENCODER} and {DECODER} are written")
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="default: %(default)s"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the two files and say what their numbers mean; return the exit status.

    Raises:
        ModelError: There is no such checkpoint, it is damaged, its latents are no vectors, or the
            files cannot be written.
    """
    source = arguments.checkpoints / arguments.model
    checkpoint = read_checkpoint(source)
    if IMPORTED in checkpoint.card.recipe:
        raise CheckpointError(f"{source} holds its two ONNX files already: copy them from there.")
    found = export(checkpoint.autoencoder, checkpoint.card.latent_dim)
    folder: Path = arguments.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_files({folder / ENCODER: found.encoder, folder / DECODER: found.decoder})
    except OSError as error:
        raise CheckpointError(f"{error.filename} cannot be written: {error.strerror}.") from error
    print(f"{folder / ENCODER} and {DECODER} are written. Import them again:")
    print(
        f"  python -m model import --encoder {folder / ENCODER} --decoder {folder / DECODER} "
        f"--data {checkpoint.card.dataset} --output {found.terms.output} "
        f"--variance {found.terms.variance}"
    )
    return 0
