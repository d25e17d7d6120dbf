"""Text on the map: none on another, none under what lies on the map."""

import json
from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

LARGE = [(1440, 900), (1920, 1080)]
SMALL = [(768, 1024), (390, 844), (844, 390), (960, 540), (320, 256)]
RESTED = """() => {
    const { texts } = document.querySelector('#plane').dataset;
    const state = `${innerWidth} ${innerHeight} ${texts}`;
    const { last, since } = globalThis.rested ?? {};
    globalThis.rested = { last: state, since: last === state ? since + 1 : 0 };
    return globalThis.rested.since > 30;
}"""
CARDS = ".sheet:not([popover], .hover)"
COVERS = """(selector) => {
    const map = document.querySelector('#map').getBoundingClientRect();
    const parts = [...document.querySelectorAll(selector)].filter((part) => part.offsetParent);
    return parts.map((part) => {
        const { left, top, right, bottom } = part.getBoundingClientRect();
        const [x, y] = [map.left, map.top];
        return { left: left - x, top: top - y, right: right - x, bottom: bottom - y };
    });
}"""

Rect = dict[str, Any]


def overlap(a: Rect, b: Rect) -> bool:
    across: float = min(a["right"], b["right"]) - max(a["left"], b["left"])
    down: float = min(a["bottom"], b["bottom"]) - max(a["top"], b["top"])
    return across > 0.5 and down > 0.5


def texts_at_rest(explorer: Explorer) -> list[Rect]:
    explorer.page.evaluate("() => { globalThis.rested = null; }")
    explorer.wait_until(RESTED)
    texts: list[Rect] = json.loads(
        explorer.page.locator("#plane").get_attribute("data-texts") or ""
    )
    return texts


@pytest.mark.parametrize("model", ["mnist-vae-2d", "fashion-vae-2d"])
def test_no_text_on_the_map_lies_on_another_or_under_anything(visitor: Visitor, model: str) -> None:
    explorer = visitor.open(f"?model={model}", reduced_motion="reduce")
    for width, height in LARGE + SMALL:
        explorer.page.set_viewport_size({"width": width, "height": height})
        texts = texts_at_rest(explorer)
        at = f"{model} at {width} x {height}"
        assert len(texts) > 5, at
        for i, text in enumerate(texts):
            for other in texts[:i]:
                assert not overlap(text, other), f"{text['text']} on {other['text']}, {at}"
            for cover in explorer.page.evaluate(COVERS, f"{CARDS}, #map .lens, #map .hint"):
                assert not overlap(text, cover), f"{text['text']} is covered, {at}"
        names = {key.text_content() for key in explorer.page.locator("#legend [data-digit]").all()}
        if (width, height) in LARGE:
            assert names <= {text["text"] for text in texts}, at


@pytest.mark.parametrize(("width", "height"), LARGE)
def test_the_first_view_shows_every_cluster_free_of_the_cards(
    visitor: Visitor, width: int, height: int
) -> None:
    explorer = visitor.open(reduced_motion="reduce", viewport={"width": width, "height": height})
    texts_at_rest(explorer)
    covers = explorer.page.evaluate(COVERS, CARDS)
    origin, unit = (np.array(explorer.place_of(corner)) for corner in ([0.0, 0.0], [1.0, 1.0]))
    x, y = (origin + np.array(explorer.codes()) * (unit - origin)).T
    hidden = np.zeros(len(x), bool)
    for card in covers:
        hidden |= (
            (card["left"] < x) & (x < card["right"]) & (card["top"] < y) & (y < card["bottom"])
        )
    assert hidden.mean() < 0.01
