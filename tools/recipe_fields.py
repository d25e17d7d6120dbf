"""The page docs/recipes.md: `python -m tools.recipe_fields` writes it, `--check` compares.

Every line of it stands in the dataclasses of `model/recipes`, under the field that it describes.
"""

import ast
import dataclasses
import inspect
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from model.recipes import tables
from model.recipes.recipe import Recipe

PAGE = Path("docs/recipes.md")
HEAD = """\
# Recipes

A recipe is a TOML file that says all that a training needs. This page has every field; it is made
by `python -m tools.recipe_fields` from the code that checks them. The recipes that ship, in
[model/recipes](../model/recipes), are examples; `python -m model recipe my-vae --like mnist-vae-2d
--data my-images` writes one that fits images of your own
([own-checkpoint.md](own-checkpoint.md)). Fields without a default must be given. What does not fit
is refused with its line and a remedy.
"""
TABLES = {
    "encoder]` and `[decoder": tables.Network,
    "training": tables.Training,
    "layout": tables.Layout,
    "pretraining": tables.Pretraining,
    "importance": tables.Importance,
    "distillation": tables.Distillation,
    "refit": tables.Refit,
    "codebook": tables.Codebook,
}
TYPES = {int: "whole number", float: "number", str: "text", bool: "true or false"}


@dataclasses.dataclass(frozen=True)
class Described:
    """A field of a recipe, as the page shows it."""

    name: str
    kind: str
    range: str
    """What a number may be; empty where it has no bounds."""
    default: str
    meaning: str


def describe(table: type[Any]) -> list[Described]:
    """Return the fields of a table with the lines that stand under them."""
    (definition,) = ast.parse(inspect.getsource(table)).body
    assert isinstance(definition, ast.ClassDef)
    hints, texts = get_type_hints(table), _texts(definition)
    found = []
    for field in dataclasses.fields(table):
        meaning, _, bounds = texts[field.name].partition(" Range: ")
        kind, default = _kind(hints[field.name]), _default(field.default)
        found.append(Described(field.name, kind, bounds.rstrip("."), default, meaning))
    return found


def page() -> str:
    """Return the page."""
    parts = [HEAD, _section("The recipe itself", "", describe(Recipe))]
    for name, table in TABLES.items():
        about = inspect.cleandoc(table.__doc__ or "")
        parts.append(_section(f"`[{name}]`", about, describe(table)))
    return "\n".join(parts)


def _texts(definition: ast.ClassDef) -> dict[str, str]:
    """Return the text under each field, in one line."""
    texts = {}
    for above, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(above, ast.AnnAssign) and isinstance(below, ast.Expr):
            assert isinstance(above.target, ast.Name)
            assert isinstance(below.value, ast.Constant)
            texts[above.target.id] = " ".join(str(below.value.value).split())
    return texts


def _kind(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(f'`"{choice}"`' for choice in get_args(hint))
    if get_origin(hint) is tuple:
        return "whole numbers"
    return TYPES.get(hint, "table")


def _default(default: Any) -> str:
    if default is dataclasses.MISSING:
        return ""
    if default is None:
        return "none"
    shown = {str: f'"{default}"', bool: str(default).lower(), tuple: "[]"}
    return f"`{shown.get(type(default), default)}`"


def _section(title: str, about: str, fields: list[Described]) -> str:
    rows = [("Field", "Value", "Range", "Default", "What it does")]
    rows += [("---",) * 5]
    rows += [(f"`{one.name}`", one.kind, one.range, one.default, one.meaning) for one in fields]
    lines = [" | ".join(cell.replace("|", "\\|") for cell in cells) for cells in rows]
    lines = [f"| {line} |" for line in lines]
    return "\n".join([f"## {title}", *([about, ""] if about else []), *lines, ""])


def main() -> None:
    """Write the page, or with `--check` fail if it is not what would be written."""
    wanted = page()
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
        raise SystemExit(
            f"{PAGE} is not what the recipes' code says. Run `make fix` and commit it."
        )


if __name__ == "__main__":
    main()
