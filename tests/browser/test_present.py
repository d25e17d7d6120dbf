"""The map, the ring and the image alone, as for a projector."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

HIDDEN = (".page-header", "#legend", "#map-controls", ".tabs", "#panel-point", "#readout")
PROJECTOR = {"width": 1024, "height": 576}


@pytest.mark.parametrize("viewport", [PROJECTOR, {"width": 390, "height": 844}])
def test_a_link_presents_map_ring_and_image_large_and_nothing_else(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    explorer = visitor.open(reduced_motion="reduce", viewport=viewport)
    page = explorer.page
    page.goto(f"{explorer.home}/?present=1&z=0.5,0.5")
    page.locator("#plane[data-state=painted]").wait_for()
    for selector in HIDDEN:
        expect(page.locator(selector)).to_be_hidden()
    explorer.expect_image_of([0.5, 0.5])
    image, ring = page.locator("#decoded").bounding_box(), page.locator("#ring").bounding_box()
    assert image
    assert ring
    assert image["width"] == image["height"] >= 0.33 * max(viewport.values())
    assert ring["width"] >= 80
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    clear = page.locator("#clear").bounding_box()
    assert clear
    assert clear["x"] + clear["width"] <= image["x"] or clear["y"] + clear["height"] <= image["y"]


def test_a_button_leads_there_and_escape_back(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,0.5", reduced_motion="reduce", viewport=PROJECTOR)
    page = explorer.page
    page.locator("#open-save").click()
    page.get_by_role("button", name="Present on a projector").click()
    expect(page.locator(".page-header")).to_be_hidden()
    expect(page.locator("#map")).to_be_focused()
    explorer.wait_until("() => location.search.includes('present=1')")
    page.keyboard.press("ArrowRight")
    explorer.wait_until("() => document.querySelector('#readout').dataset.latent !== '0.5,0.5'")
    page.keyboard.press("Escape")
    expect(page.locator(".page-header")).to_be_visible()
    expect(page.locator("#open-save")).to_be_focused()
    explorer.wait_until("() => !location.search.includes('present')")
    page.go_back()
    page.get_by_role("button", name="Leave (Esc)").click()
    expect(page.locator("#panel-point")).to_be_visible()
