"""docs/api.md, "What may change": clients of v1 and readers of cards find what they rely on.

`python -m tests.app.test_promise` writes down what is new; what is gone it lets go only by hand.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.main import create_app
from app.openapi import API
from app.settings import ROOT
from model.card import Card

SURFACE = Path(__file__).with_name("v1.json")
FIRST_CARD = [
    *("id", "title", "summary", "group", "family", "dataset", "latent_dim", "likelihood", "beta"),
    *("planes", "metrics", "sha256", "atlas_sha256", "multiply_adds", "recipe", "data_sha256"),
    "training",
]


def leaves(schema: dict[str, Any], components: dict[str, Any], place: str = "") -> Iterator[str]:
    """Yield the leaves of a JSON schema, such as `models[].id: string`."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", []):
        yield from leaves(choice, components, place)
    for name, part in schema.get("properties", {}).items():
        yield from leaves(part, components, f"{place}.{name}")
    if "items" in schema:
        yield from leaves(schema["items"], components, f"{place}[]")
    elif "type" in schema:
        yield f"{place}: {schema['type']}"


def surface() -> dict[str, dict[str, list[str]]]:
    """Return what each operation under /api/v1 requires, takes and returns."""
    document = create_app().openapi()
    components = document["components"]["schemas"]
    found = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not path.startswith(API):
                continue
            parameters = operation.get("parameters", [])
            bodies = operation.get("requestBody", {}).get("content", {})
            answers = operation["responses"].get("200", {}).get("content", {})
            required = [one["name"] for one in parameters if one.get("required")]
            for body in bodies.values():
                name = body["schema"].get("$ref", "").rpartition("/")[2]
                required += components.get(name, body["schema"]).get("required", [])
            taken = {one["name"] for one in parameters}
            for form, body in bodies.items():
                taken |= {f"{form} {leaf}" for leaf in leaves(body["schema"], components)}
            given = set()
            for form, answer in answers.items():
                given |= {f"{form} {leaf}" for leaf in leaves(answer["schema"], components)}
            found[f"{method.upper()} {path}"] = {
                "required": sorted(set(required)), "taken": sorted(taken), "given": sorted(given),
            }  # fmt: skip
    return found


def test_nothing_that_clients_of_v1_rely_on_is_gone() -> None:
    now = surface()
    for name, promised in json.loads(SURFACE.read_text()).items():
        assert name in now, f"{name} is gone"
        for what in ("taken", "given"):
            gone = set(promised[what]) - set(now[name][what])
            assert not gone, f"{name} has no longer {gone}"
        more = set(now[name]["required"]) - set(promised["required"])
        assert not more, f"{name} now needs {more}"


def test_new_parts_of_the_api_are_promised_from_now_on() -> None:
    assert surface() == json.loads(SURFACE.read_text()), "run `python -m tests.app.test_promise`"


def test_a_card_of_the_first_version_is_read(tmp_path: Path) -> None:
    stored = json.loads((ROOT / "checkpoints" / "mnist-vae-2d" / "card.json").read_text())
    first = {name: stored[name] for name in FIRST_CARD}
    (tmp_path / "card.json").write_text(json.dumps(first))
    card = Card.load(tmp_path)
    assert card.id == "mnist-vae-2d"
    assert (card.image.height, card.image.width, card.image.channels) == (28, 28, 1)


if __name__ == "__main__":
    SURFACE.write_text(json.dumps(surface(), indent=1) + "\n")
