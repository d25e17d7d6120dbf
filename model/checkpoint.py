"""A checkpoint: the folder of a trained model, `model.safetensors`, `card.json`, `atlas.npz`.

A model from elsewhere has `encoder.onnx` and `decoder.onnx` for the first.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from model.atlas import Atlas
from model.card import Card
from model.data.datasets import DATASETS, Dataset, find
from model.errors import CheckpointError, DataError, NetworkError, RecipeError
from model.image_shape import ImageShape
from model.inference.imported import DECODER, ENCODER, Terms, load
from model.recipes.recipe import Recipe
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder, build_autoencoder

CHECKPOINTS = Path("checkpoints")
WEIGHTS_FILE, ATLAS_FILE, CARD_FILE = "model.safetensors", "atlas.npz", "card.json"
IMPORTED = "imported"
"""Key of a card's recipe that a model from elsewhere has alone."""


@dataclass(frozen=True)
class Checkpoint:
    card: Card
    autoencoder: Autoencoder
    atlas: Atlas


def stored_weights(autoencoder: Autoencoder) -> bytes:
    """Return the weights as a safetensors file in float16: half the bytes for 0.01 nats."""
    tensors = {name: t.half().contiguous().cpu() for name, t in autoencoder.state_dict().items()}
    return save_tensors(tensors)


def load_weights(autoencoder: Autoencoder, content: bytes, name: str) -> None:
    """Load stored weights into an autoencoder, as float32.

    Args:
        autoencoder: Where they are loaded.
        content: The safetensors file.
        name: What errors call the file.

    Raises:
        CheckpointError: The content is not a safetensors file, or a tensor is missing, foreign, of
            the wrong shape, not finite, or of another type than float16 and float32.
    """
    try:
        tensors = load_tensors(content)
    except KeyError as error:  # a type that NumPy does not have
        raise CheckpointError(
            f"{name} has numbers of the type {error.args[0]}; store them as F16 or F32."
        ) from error
    except MemoryError:
        raise
    except Exception as error:
        raise CheckpointError(f"{name} is not a safetensors file: {error}.") from error
    wanted = autoencoder.state_dict()
    _require_fit(wanted, tensors, name)
    with torch.no_grad():  # converted by NumPy, because that pages less of torch into memory
        for key, array in tensors.items():
            wanted[key].copy_(torch.from_numpy(array.astype(np.float32)))


def _require_fit(wanted: Mapping[str, Tensor], found: Mapping[str, np.ndarray], name: str) -> None:
    if missing := wanted.keys() - found.keys():
        raise CheckpointError(f"{name} lacks the tensor {min(missing)} that its recipe asks for.")
    if foreign := found.keys() - wanted.keys():
        raise CheckpointError(f"{name} has a tensor {min(foreign)} unknown to its recipe.")
    for key, tensor in found.items():
        if tensor.dtype not in (np.float16, np.float32):
            raise CheckpointError(
                f"{name}: tensor {key} has numbers of the type {tensor.dtype}; "
                "store them as F16 or F32."
            )
        if tensor.shape != wanted[key].shape:
            raise CheckpointError(
                f"{name}: tensor {key} is {list(tensor.shape)}; "
                f"its recipe asks for {list(wanted[key].shape)}."
            )
        if not np.isfinite(tensor).all():
            raise CheckpointError(f"{name}: tensor {key} has numbers that are not finite.")


def write_checkpoint(folder: Path, card: Card, weights: bytes, atlas: bytes) -> None:
    """Write all files of a trained model.

    A full disk leaves what was there before. The card comes last, so that its hashes refuse a
    write that was interrupted.

    Raises:
        OSError: A file cannot be written.
    """
    _write(folder, {WEIGHTS_FILE: weights}, card, atlas)


def write_imported(folder: Path, card: Card, encoder: bytes, decoder: bytes, atlas: bytes) -> None:
    """Write all files of a model from elsewhere, as `write_checkpoint` does.

    Raises:
        OSError: A file cannot be written.
    """
    _write(folder, {ENCODER: encoder, DECODER: decoder}, card, atlas)


def _write(folder: Path, weights: Mapping[str, bytes], card: Card, atlas: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {**weights, ATLAS_FILE: atlas, CARD_FILE: card.to_json().encode()}
    replace_files({folder / name: content for name, content in files.items()})


def write_card(folder: Path, card: Card) -> None:
    """Write the card alone, atomically."""
    replace_files({folder / CARD_FILE: card.to_json().encode()})


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Replace files, in order, once all of them are on the disk.

    A kill or a full disk before that leaves the old ones.

    Raises:
        OSError: A file cannot be written.
    """
    partials = {path: path.with_name(f"{path.name}.partial") for path in contents}
    try:
        for path, partial in partials.items():
            with partial.open("wb") as file:
                file.write(contents[path])
                os.fsync(file.fileno())
        for path, partial in partials.items():
            partial.replace(path)
    except OSError as error:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def read_card(folder: Path) -> Card:
    """Read a checkpoint's card, and require its data set to be the one that it was trained on.

    Raises:
        CheckpointError: As `Card.load`; or the card names an unknown data set, one of images of
            another shape, or one of one's own whose images have changed since.
    """
    card = Card.load(folder)
    try:
        dataset = find(card.dataset)
    except DataError as error:
        raise CheckpointError(f"{folder / CARD_FILE} names an unknown data set. {error}") from error
    if card.image != dataset.image:
        raise CheckpointError(
            f"{folder / CARD_FILE} is of images of {card.image} pixels; those of {dataset.id} have "
            f"{dataset.image}. Restore the file, or train the model again."
        )
    if dataset.id not in DATASETS:  # a published one is always the same
        _require_same(dataset, card, folder)
    return card


def _require_same(dataset: Dataset, card: Card, folder: Path) -> None:
    for name, digest in card.data_sha256.items():
        found = dataset.sha256.get(name, "none")
        if found != digest:
            raise CheckpointError(
                f"{folder} was trained on other images than {dataset.id} has now: {name} had the "
                f"SHA-256 {digest[:12]}…, and has {found[:12]}…. Restore the old images, or train "
                "the model again."
            )


def read_checkpoint(folder: Path, device: str = "cpu") -> Checkpoint:
    """Read and verify a checkpoint.

    Raises:
        CheckpointError: A file is missing, differs from the card's hash, or does not fit the
            recipe in the card; the message names the file.
        MemoryError: There is no room for the model.
    """
    card = read_card(folder)
    atlas = _verified(folder / ATLAS_FILE, card.atlas_sha256)
    read = _imported if IMPORTED in card.recipe else _trained
    autoencoder = read(folder, card, device).requires_grad_(False).eval()
    return Checkpoint(card, autoencoder, _read_atlas(folder / ATLAS_FILE, atlas, card))


def _trained(folder: Path, card: Card, device: str) -> Autoencoder:
    """Return the autoencoder of a model that was trained here."""
    weights = _verified(folder / WEIGHTS_FILE, card.sha256)
    try:
        recipe = Recipe.from_dict(card.recipe)
    except RecipeError as error:
        raise CheckpointError(f"{folder / CARD_FILE} holds a bad recipe: {error}") from error
    for name in ("id", "family", "dataset", "latent_dim", "likelihood"):
        if getattr(card, name) != getattr(recipe, name):
            raise CheckpointError(
                f"{folder / CARD_FILE}: {name} is {getattr(card, name)!r}, "
                f"but {getattr(recipe, name)!r} in its own recipe. Restore the file."
            )
    # All weights are replaced; building on the device "meta" would import SymPy, for 2 seconds.
    with torch.random.fork_rng(devices=[]):
        autoencoder = _built(recipe, card.image, folder / CARD_FILE).to(device)
    load_weights(autoencoder, weights, str(folder / WEIGHTS_FILE))
    if isinstance(autoencoder, VariationalAutoencoder):
        autoencoder.refinements = recipe.refinements
    return autoencoder


def _imported(folder: Path, card: Card, device: str) -> Autoencoder:
    """Return the autoencoder of a model from elsewhere, which runs on the CPU on every device."""
    encoder, decoder = (_read(folder / name) for name in (ENCODER, DECODER))
    if sha256_of_both(encoder, decoder) != card.sha256:
        raise CheckpointError(
            f"{folder / ENCODER} and {DECODER} do not match the hash in their card "
            f"({card.sha256[:12]}…); one is damaged or was exchanged. Restore it, or import the "
            "model again."
        )
    names = (str(folder / ENCODER), str(folder / DECODER))
    try:
        terms = Terms.from_dict(card.recipe[IMPORTED])
        found = load(encoder, decoder, card.image, terms, names)
    except NetworkError as error:
        raise CheckpointError(str(error)) from error
    is_vae = isinstance(found.autoencoder, VariationalAutoencoder)
    wanted = {
        "family": "vae" if is_vae else "ae",
        "latent_dim": found.latent_dim,
        "likelihood": "bernoulli",
    }
    for name, value in wanted.items():
        if getattr(card, name) != value:
            raise CheckpointError(
                f"{folder / CARD_FILE}: {name} is {getattr(card, name)!r}, but {value!r} in its "
                "own networks. Restore the file, or import the model again."
            )
    return found.autoencoder


def sha256_of_both(encoder: bytes, decoder: bytes) -> str:
    """Return the hash of two networks: that of their hashes in hexadecimal, a space between."""
    return sha256(f"{sha256(encoder)} {sha256(decoder)}".encode())


def _built(recipe: Recipe, image: ImageShape, path: Path) -> Autoencoder:
    try:
        return build_autoencoder(recipe, image)
    except RuntimeError as error:
        if "allocate" in str(error):  # PyTorch has no error type for this on a CPU
            raise MemoryError(f"There is no room for the networks of {path}.") from error
        raise CheckpointError(f"{path} holds a recipe of impossible networks: {error}.") from error


def _read_atlas(path: Path, content: bytes, card: Card) -> Atlas:
    atlas = Atlas.from_bytes(content, str(path), card.image)
    shapes = [atlas.codes.shape[1:], *(plane.axes.shape[1:] for plane in atlas.planes)]
    if any(shape != (card.latent_dim,) for shape in shapes):
        raise CheckpointError(f"{path} is of a model with other than {card.latent_dim} latents.")
    ids = tuple(plane.id for plane in atlas.planes)
    if ids != card.planes or bool(ids) != (card.family != "vqvae"):
        raise CheckpointError(f"{path} has the planes {ids}; its card names {card.planes}.")
    if ids and len(atlas.codes) < 2:
        raise CheckpointError(f"{path} has {len(atlas.codes)} codes; a plane needs at least 2.")
    return atlas


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error


def _verified(path: Path, expected: str) -> bytes:
    content = _read(path)
    if sha256(content) != expected:
        raise CheckpointError(
            f"{path} does not match the hash in its card ({expected[:12]}…); "
            "the file is damaged or was exchanged. Restore it, or train the model again."
        )
    return content
