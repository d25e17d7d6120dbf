"""The page as a whole: sizes, motion, and people who do not see it or use no mouse."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

PHONE = {"width": 390, "height": 844}
TABLET = {"width": 768, "height": 1024}
DESKTOP = {"width": 1440, "height": 900}

each_size = pytest.mark.parametrize(
    "viewport", [PHONE, TABLET, DESKTOP], ids=["phone", "tablet", "desktop"]
)
each_view = pytest.mark.parametrize(
    ("viewport", "color_scheme"),
    [(PHONE, "dark"), (TABLET, "light"), (DESKTOP, "dark"), (DESKTOP, "light")],
    ids=["phone-dark", "tablet-light", "desktop-dark", "desktop-light"],
)
"""Every size and every scheme: what is out of reach does not depend on colours, nor these on it."""
TABS = ("point", "draw", "path", "vary", "measures", "learn")
AFTER_60_FRAMES = """() => new Promise((done) => {
    let frames = 0;
    const count = () => (++frames > 60 ? done() : requestAnimationFrame(count));
    count();
})"""


@each_size
def test_no_size_scrolls_sideways_and_the_ring_is_in_reach(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    explorer = visitor.open(viewport=viewport)
    for tab in TABS:
        explorer.page.locator(f"#tab-{tab}").click()
        expect(explorer.page.locator(f"#panel-{tab}")).to_be_visible()
        assert explorer.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        on_top = "([x, y]) => document.elementFromPoint(x, y).closest('#map') !== null"
        assert explorer.page.evaluate(on_top, explorer.ring()), f"the {tab} panel covers the ring"


def test_a_browser_that_is_too_old_is_told_so_and_no_other(visitor: Visitor) -> None:
    def age(route: Route) -> None:
        response = route.fetch()
        sheet = response.text().replace("selector(:popover-open)", "selector(:unheard-of)")
        route.fulfill(response=response, body=sheet)

    sentence = "Chrome and Edge 114, Firefox 125, Safari 17, or newer"
    page = visitor.open().page
    expect(page.get_by_text(sentence)).to_be_hidden()
    page.route("**/page.css", age)
    page.reload()
    expect(page.get_by_text(sentence)).to_be_visible()


@each_view
def test_no_accessibility_rule_is_broken(
    visitor: Visitor, viewport: dict[str, int], color_scheme: str
) -> None:
    explorer = visitor.open(viewport=viewport, color_scheme=color_scheme)
    for tab in TABS:
        explorer.page.locator(f"#tab-{tab}").click()
        expect(explorer.page.locator(f"#panel-{tab}")).to_be_visible()
        found = Axe().run(explorer.page)
        assert found.violations_count == 0, found.generate_report()
    explorer.page.locator("#open-layers").click()
    expect(explorer.page.locator("#layers")).to_be_visible()
    found = Axe().run(explorer.page)
    assert found.violations_count == 0, found.generate_report()
    explorer.page.keyboard.press("Escape")
    explorer.page.locator("#choose-model").click()
    expect(explorer.page.locator("#model-list")).to_be_visible()
    found = Axe().run(explorer.page)
    assert found.violations_count == 0, found.generate_report()


def test_the_point_moves_by_itself_until_it_is_touched(visitor: Visitor) -> None:
    explorer = visitor.open()
    readout = explorer.page.locator("#readout")
    expect(readout).not_to_have_attribute("data-latent", shown(explorer.latent))
    explorer.page.mouse.click(*explorer.middle())
    touched = explorer.latent
    explorer.page.evaluate(AFTER_60_FRAMES)
    assert explorer.latent == touched


def expect_tour(explorer: Explorer) -> None:
    before = explorer.page.locator("#readout").get_attribute("data-latent")
    moved = "(before) => document.querySelector('#readout').dataset.latent !== before"
    explorer.wait_until(moved, before)


def stand_still(explorer: Explorer) -> bool:
    before = explorer.latent
    explorer.page.evaluate(AFTER_60_FRAMES)
    return explorer.latent == before


def test_the_point_goes_around_once_and_then_rests(visitor: Visitor) -> None:
    explorer = visitor.open(before=lambda page: page.clock.install())
    expect_tour(explorer)
    explorer.page.clock.fast_forward(30_000)
    explorer.page.evaluate(AFTER_60_FRAMES)
    assert stand_still(explorer)
    expect(explorer.page.get_by_text("Drag me")).to_be_visible()


def test_escape_ends_the_tour_of_the_point(visitor: Visitor) -> None:
    explorer = visitor.open()
    expect_tour(explorer)
    explorer.page.keyboard.press("Escape")
    assert stand_still(explorer)


def test_another_tab_ends_the_tour_of_the_point_and_its_invitation(visitor: Visitor) -> None:
    explorer = visitor.open()
    page = explorer.page
    expect_tour(explorer)
    page.locator("#tab-measures").click()
    expect(page.locator("#panel-measures")).to_be_visible()
    expect(page.get_by_text("Drag me")).to_be_hidden()
    assert stand_still(explorer)
    page.locator("#tab-point").click()
    expect(page.get_by_text("Drag me")).to_be_visible()
    assert stand_still(explorer)


def shown(latent: list[float]) -> str:
    return ",".join(f"{number:g}" for number in latent)


def test_nothing_moves_by_itself_for_those_who_prefer_that(visitor: Visitor) -> None:
    explorer = visitor.open(reduced_motion="reduce")
    before = explorer.latent
    explorer.page.evaluate(AFTER_60_FRAMES)
    assert explorer.latent == before


def test_the_tabs_and_the_map_are_reached_by_the_keyboard_alone(visitor: Visitor) -> None:
    explorer = visitor.open()
    reached = set()
    for _ in range(40):
        explorer.page.keyboard.press("Tab")
        reached.add(explorer.page.evaluate("document.activeElement.id"))
    assert {"map", "tab-point"} <= reached
    explorer.page.locator("#tab-point").focus()
    explorer.page.keyboard.press("ArrowRight")
    expect(explorer.page.locator("#panel-draw")).to_be_visible()
