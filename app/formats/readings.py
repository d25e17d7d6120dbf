"""What a client says of an image where its preparation would have to guess."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from app.errors import InvalidRequest
from app.openapi import LATENT_TEXT, array
from model.engine import AS_SEEN, Reading

DARK_ON_LIGHT, LIGHT_ON_DARK = "dark-on-light", "light-on-dark"
LEAST_SIDE = 0.001
"""Of a box."""

_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_BOX_MEANS = (
    "Left, top, right and bottom of what is looked at, in shares of the width and the height of "
    f"the upright image, each side {LEAST_SIDE} or longer. Without it: the whole"
)
_AT_MEANS = "A place on the shape that is meant, in the same shares. Without it: the largest"
_POLARITY = {
    "type": "string",
    "enum": [LIGHT_ON_DARK, DARK_ON_LIGHT],
    "description": "Whether what is shown is lighter or darker than the rest. Without it: guessed",
}
_BRIGHTNESS = {
    "type": "number",
    "minimum": -1,
    "maximum": 1,
    "description": "Each level x in 0..1 becomes x ** (2 ** -brightness). Without it: 0, as it is",
}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


JSON_SCHEMAS: dict[str, Any] = {
    "box": _or_null(array(_SHARE, 4, 4, description=_BOX_MEANS)),
    "at": _or_null(array(_SHARE, 2, 2, description=_AT_MEANS)),
    "polarity": _or_null(_POLARITY),
    "brightness": _or_null(_BRIGHTNESS),
}
FORM_SCHEMAS: dict[str, Any] = {
    "box": {**LATENT_TEXT, "examples": ["0.1,0.2,0.6,0.9"], "description": _BOX_MEANS},
    "at": {**LATENT_TEXT, "examples": ["0.3,0.5"], "description": _AT_MEANS},
    "polarity": _POLARITY,
    "brightness": _BRIGHTNESS,
}
NAMES = tuple(JSON_SCHEMAS)
"""The fields of a form or of a JSON body."""


def from_json(fields: Mapping[str, object]) -> Reading:
    """Read what the fields of a JSON body say; a null says nothing.

    Raises:
        InvalidRequest: A value cannot be used. It is named, with what is needed.
    """
    said = AS_SEEN
    for name, value in fields.items():
        if value is not None:
            said = _FIELDS[name](said, value)
    if not _is_at_in_box(said):
        raise InvalidRequest.at("#/at", "The place lies outside the box. Move one of the two.")
    return said


def from_form(fields: Mapping[str, str]) -> Reading:
    """Read the same from the texts of a form, where numbers have commas between them."""
    return from_json({name: _value(name, text) for name, text in fields.items()})


def _value(name: str, text: str) -> object:
    if name == "polarity":
        return text
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        return text
    return numbers[0] if name == "brightness" and len(numbers) == 1 else numbers


def _with_box(said: Reading, value: object) -> Reading:
    if not _are_shares(value, 4) or min(value[2] - value[0], value[3] - value[1]) < LEAST_SIDE:
        detail = (
            "A box is four numbers from 0 to 1: left, top, right and bottom, in shares of the "
            f"width and the height of the upright image, each side {LEAST_SIDE} or longer. The "
            "whole image is 0, 0, 1, 1."
        )
        raise InvalidRequest.at("#/box", detail)
    left, top, right, bottom = map(float, value)
    return replace(said, box=(left, top, right, bottom))


def _with_at(said: Reading, value: object) -> Reading:
    if not _are_shares(value, 2):
        detail = (
            "A place is two numbers from 0 to 1: shares of the width and the height of the "
            "upright image, from its upper left corner."
        )
        raise InvalidRequest.at("#/at", detail)
    return replace(said, at=(float(value[0]), float(value[1])))


def _with_polarity(said: Reading, value: object) -> Reading:
    if value not in (DARK_ON_LIGHT, LIGHT_ON_DARK):
        detail = (
            f"The polarity is {LIGHT_ON_DARK} or {DARK_ON_LIGHT}. Leave it out to have it guessed."
        )
        raise InvalidRequest.at("#/polarity", detail)
    return replace(said, is_dark_on_light=value == DARK_ON_LIGHT)


def _with_brightness(said: Reading, value: object) -> Reading:
    if not _is_number(value) or not -1 <= value <= 1:
        detail = "The brightness is a number from -1, darker, to 1, brighter; 0 changes nothing."
        raise InvalidRequest.at("#/brightness", detail)
    return replace(said, brightness=float(value))


_FIELDS: Mapping[str, Callable[[Reading, Any], Reading]] = {
    "box": _with_box,
    "at": _with_at,
    "polarity": _with_polarity,
    "brightness": _with_brightness,
}


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (int, float)


def _are_shares(value: object, count: int) -> TypeGuard[list[float]]:
    if not isinstance(value, list) or len(value) != count or not all(map(_is_number, value)):
        return False
    return all(0 <= number <= 1 for number in value)


def _is_at_in_box(said: Reading) -> bool:
    return said.at_in_box is None or all(0 <= share <= 1 for share in said.at_in_box)
