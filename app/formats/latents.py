"""Latents of a request: JSON, a NumPy file or text becomes an array, or is refused."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Annotated

import numpy as np
from fastapi import Query
from jaxtyping import Float64
from pydantic import WithJsonSchema

from app.errors import InvalidRequest
from app.formats import npy
from app.openapi import LATENT_TEXT
from app.serving.batcher import Latents
from model.card import Card
from model.engine import LATENT_LIMIT

MAX_LATENTS = 1024
_NUMBERS = {int, float}

LATENT = {
    "type": "array",
    "items": {"type": "number", "minimum": -LATENT_LIMIT, "maximum": LATENT_LIMIT},
}
"""The schema of a latent in JSON; the model's card says how many numbers it has."""

LatentText = Annotated[
    str,
    Query(
        description="A latent, its numbers separated by commas",
        openapi_examples={"a point": {"value": "0.5,-1.2"}},
    ),
    WithJsonSchema(LATENT_TEXT),
]
"""A route's parameter `z`, for `read_z`."""


def read_latents(rows: Sequence[object], card: Card) -> Latents:
    """Return the field `latents` of a request as an array.

    Raises:
        InvalidRequest: A row is no latent of this model; the message says which and why.
    """
    exact = _numbers(rows, card) if len(rows) > 1 else None
    # A bound on the length of all of them together is one on each.
    if exact is None or not np.vdot(exact, exact) < LATENT_LIMIT**2:
        for index, row in enumerate(rows):
            refuse(row, card, f"latents[{index}]", f"#/latents/{index}")
        return np.array(rows, np.float32)
    return exact.astype(np.float32)


def read_npy(content: bytes, most: int, card: Card) -> Latents:
    """Return the latents of a NumPy file, as `numpy.save` writes an array of N x D numbers.

    Raises:
        InvalidRequest: It is no such file, of another shape or type, of more than `most` latents,
            or a row is no latent of this model.
    """
    found = npy.read(content, 2)
    rows, columns = found.shape
    if columns != card.latent_dim or not 0 < rows <= most:
        wanted = f"{card.id} takes (N, {card.latent_dim}), N from 1 to {most}"
        raise InvalidRequest.at("#", f"The array has the shape ({rows}, {columns}); {wanted}.")
    with np.errstate(invalid="ignore"):  # of NaN, which is refused below
        exact = found.astype(np.float64, order="C")
    if not np.vdot(exact, exact) < LATENT_LIMIT**2:
        for index, row in enumerate(exact.tolist()):
            refuse(row, card, f"Row {index} of the array", "#")
    return exact.astype(np.float32)


def _numbers(rows: Sequence[object], card: Card) -> Float64[np.ndarray, "rows latent"] | None:
    """Return rows as an array if all are lists of D numbers, far faster than row by row."""
    if set(map(type, rows)) != {list} or set(map(len, rows)) != {card.latent_dim}:  # type: ignore[arg-type]
        return None
    numbers: list[object] = list(chain.from_iterable(rows))  # type: ignore[arg-type]
    if not set(map(type, numbers)) <= _NUMBERS:
        return None
    try:
        return np.array(numbers, np.float64).reshape(len(rows), -1)
    except OverflowError:  # a whole number too large for a float
        return None


def read_z(text: str | None, card: Card) -> Latents:
    """Return the parameter `z` of a query, numbers separated by commas, as a batch of one.

    Raises:
        InvalidRequest: It is missing, or no latent of this model.
    """
    if text is None:
        example = ",".join(["0"] * card.latent_dim)
        raise InvalidRequest.at("?z", f"z is missing. It is a latent: z={example} for {card.id}.")
    try:
        row = [float(number) for number in text.split(",")]
    except ValueError:
        detail = (
            f"z is not a list of numbers with commas between; {card.id} takes {card.latent_dim}."
        )
        raise InvalidRequest.at("?z", detail) from None
    refuse(row, card, "z", "?z")
    return np.array([row], np.float32)


def refuse(row: object, card: Card, name: str, pointer: str) -> None:
    """Raise InvalidRequest unless `row` is a list of numbers that `card`'s model can decode."""
    fault = _fault(row, card)
    if fault:
        detail = f"{name} {fault}. See GET /api/v1/models/{card.id}"
        raise InvalidRequest.at(pointer, detail)


def _fault(row: object, card: Card) -> str | None:
    if not isinstance(row, list) or not set(map(type, row)) <= _NUMBERS:
        return f"is not a list of numbers; {card.id} takes {card.latent_dim} numbers"
    if len(row) != card.latent_dim:
        return f"has {len(row)} numbers; {card.id} takes {card.latent_dim}"
    try:
        length = math.hypot(*row)
    except OverflowError:  # a whole number too large for a float
        length = math.inf
    if length <= LATENT_LIMIT:
        return None
    if math.isnan(length):
        return "holds NaN, which is no number; all must be finite"
    return f"has the length {length:.10g}; at most {LATENT_LIMIT:g} can be decoded"
