"""`python -m model import`: a model from elsewhere, two ONNX files, becomes a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from model.atlas import Atlas, make_atlas
from model.card import Card
from model.checkpoint import CARD_FILE, IMPORTED, sha256, sha256_of_both, write_imported
from model.data.datasets import NAME, Dataset, LabelledImages, find, test_set
from model.errors import CheckpointError, NetworkError
from model.geometry.plane import LATENT_LIMIT
from model.inference.imported import OUTPUTS, VARIANCES, Imported, Terms, load
from model.inference.onnx_file import inspect
from model.vae.autoencoder import VariationalAutoencoder
from model.vae.dataset_elbo import intensities

CHECKPOINTS = Path("my-checkpoints")
GROUP = "Models from elsewhere"
"""The heading under which the page lists the model."""
LOOKED_AT = 100
"""Test images whose decodes tell whether the numbers mean what they are said to."""
BEYOND = 0.25
"""How far from 0 to 1 a mean may lie: a decoder without a sigmoid overshoots a little."""
OFTEN = 0.01
"""Share of the numbers that may lie farther."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--encoder", type=Path, required=True, help="ONNX: images from 0 to 1 -> mean, and spread"
    )
    parser.add_argument("--decoder", type=Path, required=True, help="ONNX: latents -> images")
    parser.add_argument("--data", required=True, metavar="NAME", help="the data set to show it by")
    parser.add_argument("--name", help="the id of the model (default: <data>-imported)")
    parser.add_argument("--title", default="", help="its name for people")
    parser.add_argument("--summary", default="", help="one line: what to look for in it")
    parser.add_argument(
        "--output",
        choices=OUTPUTS,
        default=OUTPUTS[0],
        help="what the decoder gives for a pixel (default: %(default)s)",
    )
    parser.add_argument(
        "--variance",
        choices=VARIANCES,
        help="what the encoder's second output is (default: log-variance, or none without one)",
    )
    parser.add_argument("--to", type=Path, default=CHECKPOINTS, help="default: %(default)s")
    parser.add_argument("--replace", action="store_true", help="replace a checkpoint of this name")


def run(arguments: argparse.Namespace) -> int:
    """Import the two networks and say how to serve them; return the exit status.

    Raises:
        ModelError: A file is no such network, or may not be run; the data set is unknown; the name
            is none, or taken; or the checkpoint cannot be written.
    """
    dataset = find(arguments.data)
    folder = arguments.to / _name(arguments)
    if (folder / CARD_FILE).exists() and not arguments.replace:
        raise CheckpointError(f"{folder} exists already. Take another --name, or add --replace.")
    encoder, decoder = _content(arguments.encoder), _content(arguments.decoder)
    terms = Terms(arguments.output, arguments.variance or _guess(encoder, arguments.encoder))
    names = (str(arguments.encoder), str(arguments.decoder))
    found = load(encoder, decoder, dataset.image, terms, names)
    tests = test_set(dataset.id)
    error = _reconstructed(found, tests, terms, names)
    count = len(tests.images)
    print(f"{min(LOOKED_AT, count)} test images come back within {error:.1f} of 255 grey levels.")
    print(f"Encoding {count:,} test images.", flush=True)
    atlas = make_atlas(found.autoencoder, tests.images, ())
    _require_codes(atlas, names[0])
    content = atlas.to_bytes()
    hashes = sha256_of_both(encoder, decoder), sha256(content)
    card = _card(arguments, dataset, terms, found, atlas, *hashes)
    try:
        write_imported(folder, card, encoder, decoder, content)
    except OSError as reason:
        raise CheckpointError(
            f"{reason.filename} cannot be written: {reason.strerror}."
        ) from reason
    print(f"{folder} is written. It runs on the processor, by ONNX Runtime. Serve it:")
    print(f"  python -m app --checkpoints {arguments.to} --default-model {folder.name}")
    return 0


def _name(arguments: argparse.Namespace) -> str:
    name = str(arguments.name or f"{arguments.data}-imported")
    if not NAME.fullmatch(name):
        raise CheckpointError(
            f"{name!r} cannot be an id: small letters a to z, digits, and single hyphens between."
        )
    return name


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NetworkError(f"{path} cannot be read: {error.strerror}.") from error


def _guess(encoder: bytes, path: Path) -> str:
    """Return what the second output is as a rule, if there is one."""
    return VARIANCES[0] if len(inspect(encoder, str(path)).outputs) > 1 else "none"


def _reconstructed(
    found: Imported, tests: LabelledImages, terms: Terms, names: tuple[str, str]
) -> float:
    """Return how far test images come back from themselves, in grey levels.

    Raises:
        NetworkError: What the networks give cannot be what the terms say.
    """
    image_NP = intensities(tests.images[:LOOKED_AT])
    spread = found.encoder.raw(image_NP)[1:]
    if spread and terms.variance != "log-variance" and (spread[0] < 0).any():
        raise NetworkError(
            f"{names[0]} gives spreads below 0, which no {terms.variance} is. Say what they are by "
            "--variance; as a rule they are the log-variance."
        )
    code_ND = found.encoder.outputs(image_NP)[:, : found.latent_dim]
    pixel_NP = found.decoder.raw(code_ND)
    low, high = pixel_NP.min(), pixel_NP.max()
    beyond = (pixel_NP < -BEYOND) | (pixel_NP > 1 + BEYOND)
    if terms.output == "mean" and beyond.mean() > OFTEN:
        raise NetworkError(
            f"{names[1]} gives numbers from {low:.3g} to {high:.3g}, which are no means of pixels "
            "from 0 to 1. If they are logits, say so by --output logits; else export it around "
            "what brings them to 0 to 1."
        )
    if terms.output == "logits" and low >= 0 and high <= 1:
        raise NetworkError(
            f"{names[1]} gives numbers from 0 to 1 alone, which no logits are. If they are means, "
            "say so by --output mean."
        )
    again_NP = found.decoder.draw(code_ND).reshape(image_NP.shape)
    return float(np.abs(again_NP - 255 * image_NP).mean())


def _require_codes(atlas: Atlas, encoder: str) -> None:
    """Refuse codes that no map can show."""
    longest = float(np.linalg.norm(atlas.codes.astype(np.float64), axis=1).max())
    if longest > LATENT_LIMIT / 2:
        raise NetworkError(
            f"{encoder} gives codes up to {longest:,.0f} from the origin; a map reaches "
            f"{LATENT_LIMIT / 2:,.0f}. Export it around a division of its codes, and the decoder "
            "around the same multiplication."
        )


def _card(
    arguments: argparse.Namespace,
    dataset: Dataset,
    terms: Terms,
    found: Imported,
    atlas: Atlas,
    weights_sha256: str,
    atlas_sha256: str,
) -> Card:
    name = _name(arguments)
    return Card(
        id=name,
        title=arguments.title or name.replace("-", " ").capitalize(),
        summary=arguments.summary or f"Two networks from elsewhere, shown by {dataset.title}.",
        group=GROUP,
        family="vae" if isinstance(found.autoencoder, VariationalAutoencoder) else "ae",
        dataset=dataset.id,
        latent_dim=found.latent_dim,
        likelihood="bernoulli",
        beta=None,
        planes=tuple(plane.id for plane in atlas.planes),
        metrics={},
        sha256=weights_sha256,
        atlas_sha256=atlas_sha256,
        multiply_adds={},
        recipe={IMPORTED: terms.as_dict()},
        data_sha256=dict(dataset.sha256),
        training={},
        image=dataset.image,
    )
