"""Answers of the server, changed on their way to the page: models that no checkpoint holds."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route

Json = dict[str, Any]


def with_models(change: Callable[[list[Json]], None]) -> Callable[[Page], object]:
    """Make what a page does before it opens: let `change` edit the cards that it will be told."""

    def answer(route: Route) -> None:
        response = route.fetch()
        table = response.json()
        known = {card["id"] for card in table["models"]}
        change(table["models"])
        new = [card for card in table["models"] if card["id"] not in known]
        for card in new:
            table["groups"].append(heading_of(card))
        route.fulfill(response=response, json=table)

    return lambda page: page.route("**/api/v1/models", answer)


def heading_of(card: Json) -> Json:
    """Make a heading for one model alone."""
    return {"id": f"new-{card['id']}", "title": "New", "about": "", "models": [card["id"]]}


def card_of(cards: list[Json], model: str) -> Json:
    """Find a card by its id."""
    return next(card for card in cards if card["id"] == model)


def copy_of(cards: list[Json], model: str, **changes: Any) -> Json:
    """Copy a card, with some fields changed."""
    copy: Json = json.loads(json.dumps(card_of(cards, model)))
    return {**copy, **changes}
