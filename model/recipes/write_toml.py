"""Write a recipe as TOML, without the fields that have their defaults."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from model.recipes.recipe import Recipe


def to_toml(recipe: Recipe, comment: str = "") -> str:
    """Return the text of a file that `Recipe.load` reads back, with a comment at its head."""
    lines = [f"# {line}" for line in comment.splitlines()]
    tables = {}
    for name, value in _changed(recipe):
        if dataclasses.is_dataclass(value):
            tables[name] = value
        else:
            lines.append(f"{name} = {_value(value)}")
    for name, table in tables.items():
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {_value(value)}" for key, value in _changed(table)]
    return "\n".join(lines) + "\n"


def _changed(table: Any) -> list[tuple[str, Any]]:
    """Return the fields of a dataclass that have other values than their defaults."""
    values = [(field, getattr(table, field.name)) for field in dataclasses.fields(table)]
    return [(field.name, value) for field, value in values if value != field.default]


def _value(value: bool | int | float | str | tuple[int, ...]) -> str:
    """Return a value in TOML, whose text is written as JSON writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
