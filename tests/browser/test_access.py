"""People who set their own colours, and people who set their letters twice as large."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tests.browser.test_page import DESKTOP, PHONE

TABS = ("point", "draw", "path", "vary", "training", "measures", "learn")
SHEETS = {"#open-layers": "#layers", "#open-save": "#save", "#choose-model": "#model-sheet"}
SURROUNDINGS = (".page-header", "#map-controls", "#legend", ".tabs")

# Control by control: is it there to be pressed once it is scrolled to, and are its words within it?
UNREACHED = """(scope) => {
    const kinds = 'button, input, select, summary, a[href], [role=option]';
    const name = (one) => one.id || one.ariaLabel || one.textContent.trim() || one.outerHTML;
    const complaint = (control) => {
        control.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' });
        const { left, top, right, bottom } = control.getBoundingClientRect();
        const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        if (!control.contains(hit)) return `${name(control)} lies under ${hit && name(hit)}`;
        const words = document.createRange();
        words.selectNodeContents(control);
        const text = words.getBoundingClientRect();
        const fits = text.left > left - 1 && text.right < right + 1 && text.bottom < bottom + 1;
        return text.width && !fits ? `${name(control)} is too small for its words` : '';
    };
    return [...document.querySelectorAll(`${scope} :is(${kinds})`)]
        .filter((control) => control.checkVisibility({ visibilityProperty: true }))
        .map(complaint).filter(Boolean);
}"""
# Whatever has no children and reaches over the window's sides; nothing there scrolls sideways.
CUT_OFF = """(scope) => [...document.querySelectorAll(`${scope} *`)]
    .filter((one) => one.childElementCount === 0 && !one.closest('.visually-hidden'))
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return width && (left < -1 || right > document.documentElement.clientWidth + 1);
    })
    .map((one) => one.id || one.textContent || one.outerHTML)"""
# Down the middle of the map's place: the pixels that are the map and nothing laid over it.
BARE_HEIGHT = """() => {
    const { left, right } = document.querySelector('#clear').getBoundingClientRect();
    const rows = [...Array(innerHeight).keys()];
    const at = (y) => document.elementFromPoint((left + right) / 2, y);
    return rows.filter((y) => at(y)?.closest('#map')).length;
}"""
LOOK = """(element) => {
    const style = getComputedStyle(element);
    return {
        border: style.borderTopStyle === 'none' ? 0 : parseFloat(style.borderTopWidth),
        edge: style.borderTopColor,
        outline: style.outlineStyle === 'none' ? 'none' : style.outlineColor,
        ground: style.backgroundColor,
        words: style.color,
        weight: style.fontWeight,
    };
}"""
# Which controls have words in the colour of their ground, or no border: neither their own nor that
# of the sheet in which they are a cell.
UNSEEN = """(controls) => controls.filter((control) => {
    if (!control.checkVisibility({ visibilityProperty: true })) return false;
    const style = getComputedStyle(control);
    if (style.color === style.backgroundColor) return true;
    const bordered = parseFloat(style.borderTopWidth) ? control : control.closest('.sheet');
    const { borderTopWidth, borderTopColor, backgroundColor } = getComputedStyle(bordered);
    return !parseFloat(borderTopWidth) || borderTopColor === backgroundColor;
}).map((control) => control.id || control.ariaLabel || control.textContent)"""
# The contrast of colours is the visitor's own affair, and axe reads those that the sheet asks for.
BUT_CONTRAST = {"rules": {"color-contrast": {"enabled": False}}}


def open_tab(page: Page, tab: str) -> None:
    page.locator(f"#tab-{tab}").click()
    expect(page.locator(f"#panel-{tab}")).to_be_visible()


def with_large_letters(page: Page) -> None:
    """Set twice the usual letters, as a visitor does in the browser's settings."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setFontSizes", {"fontSizes": {"standard": 32}})


def expect_in_reach(explorer: Explorer, scope: str) -> None:
    page = explorer.page
    assert page.evaluate(UNREACHED, scope) == []
    assert page.evaluate(CUT_OFF, scope) == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0, "the page scrolls sideways"


each_size = pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])


@each_size
def test_with_letters_twice_as_large_everything_is_in_reach(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    explorer = visitor.open(viewport=viewport, reduced_motion="reduce", before=with_large_letters)
    page = explorer.page
    size = "getComputedStyle(document.documentElement).fontSize"
    assert page.evaluate(size) == "32px"
    for scope in SURROUNDINGS:
        expect_in_reach(explorer, scope)
    for tab in TABS:
        open_tab(page, tab)
        expect_in_reach(explorer, f"#panel-{tab}")
    for opener, sheet in SHEETS.items():
        page.locator(opener).click()
        expect(page.locator(sheet)).to_be_visible()
        expect_in_reach(explorer, sheet)
        page.keyboard.press("Escape")


@each_size
def test_with_letters_twice_as_large_the_map_keeps_two_fifths_of_the_height(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    explorer = visitor.open("?z=2,2", viewport=viewport, before=with_large_letters)
    assert explorer.page.evaluate(BARE_HEIGHT) >= 0.4 * viewport["height"]
    for model in ("mnist-vae-20d", "fashion-vae-2d"):
        with explorer.page.expect_websocket():  # its stream opens once its map is there
            explorer.choose(model)
        assert explorer.page.evaluate(BARE_HEIGHT) >= 0.4 * viewport["height"]


def test_a_page_that_scrolls_under_large_letters_still_knows_where_it_is_touched(
    visitor: Visitor,
) -> None:
    explorer = visitor.open("?z=2,2", viewport=PHONE, before=with_large_letters)
    explorer.page.evaluate("scrollTo(0, 120)")
    assert explorer.page.evaluate("scrollY") == 120
    x, y = explorer.middle()
    explorer.page.mouse.click(x, y)
    explorer.expect_image_of(explorer.latent_at(x, y))


def look(element: Locator) -> dict[str, object]:
    """How an element is drawn: its colours, and the width of its border in pixels."""
    seen: dict[str, object] = element.evaluate(LOOK)
    return seen


each_scheme = pytest.mark.parametrize("color_scheme", ["dark", "light"])


@each_scheme
def test_with_forced_colours_controls_keep_their_edges_and_the_selected_tab_and_ring_stand_out(
    visitor: Visitor, color_scheme: str
) -> None:
    page = visitor.open(forced_colors="active", color_scheme=color_scheme).page
    for tab in TABS:
        open_tab(page, tab)
        assert page.locator("button:not(.plain), select").evaluate_all(UNSEEN) == []
    found = Axe().run(page, options=BUT_CONTRAST)
    assert found.violations_count == 0, found.generate_report()
    open_tab(page, "draw")
    selected, other = look(page.locator("#tab-draw")), look(page.locator("#tab-path"))
    assert selected["outline"] not in ("none", selected["ground"], selected["words"])
    assert other["outline"] == "none"
    assert selected["weight"] != other["weight"]
    ring = look(page.locator("#ring .lens"))
    assert ring["border"]
    assert ring["outline"] not in ("none", ring["edge"]), "nothing parts the ring from the map"


def test_with_forced_colours_bars_are_drawn(visitor: Visitor) -> None:
    page = visitor.open("?model=mnist-vae-20d", forced_colors="active").page
    sheet, bar = look(page.locator(".panel")), look(page.locator("#latent-bars i").first)
    assert bar["ground"] != sheet["ground"]
