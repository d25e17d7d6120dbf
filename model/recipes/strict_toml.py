"""Read TOML into dataclasses; refuse what does not fit with its line and a remedy.

A dataclass may check its own values in `__post_init__` with `require`. A field may be an int, a
float, a bool, a str, a Literal, a tuple of ints or another dataclass, each also optional.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import reprlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from model.errors import RecipeError

T = TypeVar("T")
LARGEST_INT = 2**63 - 1
"""The largest whole number that TOML promises to keep."""
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 200
_repr.maxlist = 20


class _Refused(RecipeError):
    """A field has a value that is not allowed; the reader of a file adds its name and the line."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} {reason}.")
        self.key, self.reason = key, reason


def require(condition: bool, key: str, reason: str) -> None:
    """Refuse the field `key` unless `condition`; `reason` follows its name in the message."""
    if not condition:
        raise _Refused(key, reason)


def read_toml(cls: type[T], path: Path) -> T:
    """Read a file; raise RecipeError that names the line of an error."""
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}.") from error
    except RecursionError as error:
        raise RecipeError(f"{path} is nested too deeply to be a recipe.") from error
    except ValueError as error:  # invalid TOML or UTF-8, or a number of thousands of digits
        raise RecipeError(f"{path} is not valid TOML: {error}.") from error
    return _build(cls, table, _Source(str(path), text), section="")


def read_table(cls: type[T], table: dict[str, Any]) -> T:
    """Read plain values, such as those of JSON; raise RecipeError."""
    return _build(cls, table, _Source("recipe", ""), section="")


@dataclass(frozen=True)
class _Source:
    name: str
    text: str

    def refuse(self, section: str, key: str, reason: str) -> RecipeError:
        """Return an error at the line of `key` in `[section]`, else of the section or the file."""
        here, line = "", 0
        for number, content in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*\[([^\]]+)\]", content):
                here = header[1].strip()
                line = number if here in (section, f"{section}.{key}".strip(".")) else line
            elif here == section and re.match(rf"\s*{re.escape(key)}\s*=", content):
                line = number
                break
        where = f"{self.name}:{line}" if line else self.name
        name = f"[{section}] {key}" if section else key
        end = "" if reason.endswith("?") else "."
        return RecipeError(f"{where}: {name} {reason}{end}")


def _build(cls: type[T], table: dict[str, Any], source: _Source, section: str) -> T:
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = get_type_hints(cls)
    for key in table:
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            remedy = f'did you mean "{close[0]}"?' if close else f"known here: {', '.join(fields)}"
            raise source.refuse(section, key, f"is unknown; {remedy}")
    values = {}
    for key, spec in fields.items():
        if key in table:
            values[key] = _value(hints[key], table[key], source, section, key)
        elif spec.default is dataclasses.MISSING:
            raise source.refuse(section, key, "is missing; every recipe needs it")
    try:
        return cls(**values)
    except _Refused as refused:
        raise source.refuse(section, refused.key, refused.reason) from None


def _value(hint: Any, value: Any, source: _Source, section: str, key: str) -> Any:
    """Check a TOML value against a field's type; an integer may stand for a float."""
    entries = value if isinstance(value, list | tuple) else [value]
    if any(type(entry) is int and abs(entry) > LARGEST_INT for entry in entries):
        raise source.refuse(section, key, f"has a number above {LARGEST_INT}")
    optional = type(None) in get_args(hint)
    if optional and value is None:
        return None
    kind = get_args(hint)[0] if optional else hint
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise source.refuse(section, key, "must be a table")
        return _build(kind, value, source, f"{section}.{key}".strip("."))
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            allowed = ", ".join(f'"{v}"' for v in get_args(kind))
            raise source.refuse(section, key, f"is {_shown(value)}; allowed: {allowed}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple) or not all(type(v) is int for v in value):
            wanted = "it must be a list of whole numbers"
            raise source.refuse(section, key, f"is {_shown(value)}; {wanted}")
        return tuple(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        raise source.refuse(section, key, f"is {_shown(value)}; it must be {names[kind]}")
    return value


def _shown(value: Any) -> str:
    """Return the start of a value, for a message."""
    try:
        return _repr.repr(value)
    except ValueError:  # a nested number of thousands of digits
        return "too large to show"
