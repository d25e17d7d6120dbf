"""Answers of the server, changed on their way to the page: cards that no checkpoint holds."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route

Json = dict[str, Any]


def with_models(change: Callable[[list[Json]], None]) -> Callable[[Page], object]:
    """Make what a page does before it opens: let `change` edit the cards that it will be told."""

    def answer(route: Route) -> None:
        response = route.fetch()
        table = response.json()
        change(table["models"])
        route.fulfill(response=response, json=table)

    return lambda page: page.route("**/api/v1/models", answer)


def card_of(cards: list[Json], model: str) -> Json:
    """Find a card by its id."""
    return next(card for card in cards if card["id"] == model)
