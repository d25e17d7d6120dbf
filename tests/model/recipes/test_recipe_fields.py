"""The page docs/recipes.md says what the code does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from model.errors import RecipeError
from model.recipes.recipe import Recipe
from tools.recipe_fields import PAGE, TABLES, describe, page

SHIPPED = {
    "": "mnist-vae-2d-best",
    "encoder": "fashion-vae-2d-dropout",
    "training": "fashion-vae-2d",
    "layout": "mnist-vae-2d-best",
    "pretraining": "mnist-stacked-denoising-ae-2d",
    "importance": "mnist-vae-2d-best",
    "distillation": "mnist-vae-2d",
    "refit": "mnist-vae-2d",
    "codebook": "mnist-vqvae",
}
"""A recipe that has each table."""


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tools.recipe_fields`"


def out_of(bounds: str) -> Iterator[float]:
    """Yield numbers just outside a range in words."""
    if match := re.fullmatch(r"([\d.]+) to ([\d.]+)", bounds):
        yield from (int(match[1]) - 1, int(match[2]) + 1)
        return
    parts = re.fullmatch(
        r"(above|at least) (\d+)(?: and (finite|below (\d+)|at most (\d+)))?", bounds
    )
    assert parts, f"a range in other words: {bounds}"
    yield int(parts[2]) if parts[1] == "above" else int(parts[2]) - 1
    if parts[3] == "finite":
        yield float("inf")
    if parts[4]:
        yield int(parts[4])
    if parts[5]:
        yield int(parts[5]) + 1


def ranges() -> Iterator[Any]:
    """Yield table, field and a number that its range leaves out."""
    fields = [("", field) for field in describe(Recipe)]
    fields += [(name.partition("]")[0], f) for name, t in TABLES.items() for f in describe(t)]
    for table, field in fields:
        for number in out_of(field.range) if field.range else ():
            yield pytest.param(table, field.name, number, id=f"{table} {field.name} {number}")


@pytest.mark.parametrize(("table", "name", "number"), list(ranges()))
def test_what_the_page_rules_out_is_refused(table: str, name: str, number: float) -> None:
    recipe = Recipe.load(SHIPPED[table]).as_dict()
    fields = recipe[table] if table else recipe
    fields[name] = [number] if isinstance(fields[name], tuple) else number
    with pytest.raises(RecipeError, match=name):
        Recipe.from_dict(recipe)
