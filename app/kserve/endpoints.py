"""Endpoints: what the protocol calls a model is the decoder or the encoder of one of ours.

In shapes, -1 is the batch.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from app.errors import InvalidRequest, NotFound
from app.formats.latents import MAX_LATENTS, read_latents
from app.formats.uploads import MAX_IMAGES
from app.serving.registry import Registry, ServedModel
from model.card import Card
from model.engine import Code

Array = np.ndarray[Any, np.dtype[Any]]

DATATYPES: dict[str, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("u1"),
}
"""The protocol's name of each element type in use, and the type in a binary tensor."""
GRID = 7
"""Entries on a side of the grid into which a codebook model encodes."""
_CODE = {field.name for field in fields(Code)}
"""The outputs that a code is enough for."""


@dataclass(frozen=True)
class Tensor:
    """An input or an output of an endpoint."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    about: str
    """What its numbers mean, with their unit."""


@dataclass(frozen=True)
class Endpoint:
    """The decoder or the encoder of a model; made from its card, without loading it."""

    card: Card
    part: str
    """What follows the model's id in the endpoint's name."""
    max_rows: int

    input: Tensor
    outputs: tuple[Tensor, ...]
    checked: Callable[[Array], Array]
    """Returns an input of the right shape as float32; raises InvalidRequest for its numbers."""
    run: Callable[[ServedModel, Array, Sequence[str]], Coroutine[Any, Any, dict[str, Array]]]
    """Returns the wanted outputs; raises Overloaded when too much is waiting."""

    @property
    def name(self) -> str:
        return f"{self.card.id}.{self.part}"


def _decoder(card: Card) -> Endpoint:
    latents = Tensor("latents", "FP32", (-1, card.latent_dim), "At most 10,000 long each")
    images = Tensor("images", "UINT8", (-1, *card.image.axes), _levels(card))

    def checked(tensor: Array) -> Array:
        return read_latents(tensor.tolist(), card)

    return Endpoint(card, "decoder", MAX_LATENTS, latents, (images,), checked, _decode)


def _levels(card: Card) -> str:
    return "Red, green and blue" if card.image.is_colour else "Grey levels, 0 = background"


def _encoder(card: Card) -> Endpoint:
    images = Tensor("images", "FP32", (-1, *card.image.axes), "From 0 (background) to 1")
    return Endpoint(card, "encoder", MAX_IMAGES, images, _encoded(card), _pixels, _encode)


async def _decode(served: ServedModel, latents: Array, _: Sequence[str]) -> dict[str, Array]:
    return {"images": await served.decode(latents)}


def _pixels(tensor: Array) -> Array:
    if not ((tensor >= 0) & (tensor <= 1)).all():
        detail = "images has numbers outside 0 (background) to 1, or not finite ones."
        raise InvalidRequest.at("#/inputs/0/data", f"{detail} Divide bytes by 255.")
    return tensor.astype(np.float32)


async def _encode(served: ServedModel, images: Array, wanted: Sequence[str]) -> dict[str, Array]:
    encode = served.encoder.code if _CODE.issuperset(wanted) else served.encoder.encode
    pieces: Sequence[Code] = await encode(images)
    attributes = {"elbo": "total"}
    return {
        name: np.concatenate([getattr(piece, attributes.get(name, name)) for piece in pieces])
        for name in wanted
    }


def _encoded(card: Card) -> tuple[Tensor, ...]:
    size = card.latent_dim
    always = (
        Tensor("reconstruction", "FP32", (-1,), "Log-likelihood of the image, in nats"),
        Tensor("reconstruction_image", "UINT8", (-1, *card.image.axes), _levels(card)),
    )
    if card.family == "vqvae":
        entries = "Codebook entries, row by row from the top"
        return (Tensor("indices", "INT64", (-1, GRID, GRID), entries), *always)
    mean = Tensor("mean", "FP32", (-1, size), "The code, in latent units")
    if card.family != "vae":
        return (mean, *always)
    return (
        mean,
        Tensor("covariance", "FP32", (-1, size, size), "Of the posterior"),
        Tensor("kl", "FP32", (-1,), "KL(q(z|x) || p(z)), in nats"),
        Tensor("kl_per_dimension", "FP32", (-1, size), "Its parts, in nats"),
        Tensor("elbo", "FP32", (-1,), "reconstruction - kl, in nats"),
        *always,
    )


def find(name: str, registry: Registry) -> Endpoint:
    """Return the endpoint of a name such as `mnist-vae-2d.decoder`; loads nothing.

    Raises:
        NotFound: There is none; the message says which part of the name is wrong, and why.
    """
    model, _, part = name.rpartition(".")
    make = _PARTS.get(part)
    if make is None:
        raise NotFound(
            "A name here is a model's id and .decoder or .encoder, such as "
            f"{registry.default}.encoder. GET /api/v1/models lists the ids."
        )
    card = registry.card(model)
    if part == "decoder" and card.family == "vqvae":
        raise NotFound(
            f"{model} has no latent space of plain numbers, so it has no decoder. It encodes an "
            f"image and shows its reconstruction: {model}.encoder."
        )
    return make(card)


_PARTS = {"decoder": _decoder, "encoder": _encoder}
