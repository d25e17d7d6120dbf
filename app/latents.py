"""Numbers from outside, made latents or refused."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Annotated

import numpy as np
from fastapi import Query
from jaxtyping import Float64
from pydantic import WithJsonSchema

from app.batching import Latents
from app.errors import InvalidRequest
from app.openapi import LATENT_TEXT
from model.card import Card
from model.engine import LATENT_LIMIT

_NUMBERS = {int, float}

LATENT = {
    "type": "array",
    "items": {"type": "number", "minimum": -LATENT_LIMIT, "maximum": LATENT_LIMIT},
}
"""The schema of a latent in JSON; how many numbers it has, the model's card says."""

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
    """Take the field `latents` of a request.

    Raises:
        InvalidRequest: a row is no latent of this model; the message says which and why.
    """
    if len(rows) == 1:
        refuse(rows[0], card, "latents[0]", "#/latents/0")
        return np.array(rows, np.float32)
    exact = _numbers(rows, card)
    if exact is None or not np.vdot(exact, exact) < LATENT_LIMIT**2:  # of one, or of all together
        for index, row in enumerate(rows):
            refuse(row, card, f"latents[{index}]", f"#/latents/{index}")
        return np.array(rows, np.float32)
    return exact.astype(np.float32)


def _numbers(rows: Sequence[object], card: Card) -> Float64[np.ndarray, "rows latent"] | None:
    """Give rows that are all lists of numbers, far faster than one by one; None is a maybe."""
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
    """Take the parameter `z` of a query, numbers with commas between, as a batch of one.

    Raises:
        InvalidRequest: it is missing, or no latent of this model.
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
