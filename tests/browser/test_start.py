"""How the page opens: first what is quick to come."""

import re

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visitor


def test_the_first_codes_are_shown_before_the_others_have_come(visitor: Visitor) -> None:
    explorer = visitor.open()
    page = explorer.page
    held: list[Route] = []
    page.route(re.compile("/codes$"), lambda route: held.append(route))
    page.goto(f"{explorer.home}/?model=mnist-ae-2d")
    explorer.wait_until("() => performance.getEntriesByName('dots').length > 0")
    expect(page.locator("#plane")).not_to_have_attribute("data-state", "painted")
    expect(page.locator("#ring")).to_be_hidden()
    (others,) = held
    others.continue_()
    page.locator("#plane[data-state=painted]").wait_for()
    expect(page.locator("#ring")).to_be_visible()


def test_the_panel_of_a_link_has_its_text_before_any_script_runs(visitor: Visitor) -> None:
    explorer = visitor.open()
    page = explorer.page
    page.route(re.compile(r"\.js$"), lambda route: route.fulfill(content_type="text/javascript"))
    for query, panel, text in (("", "point", "A place on the map"), ("?panel=draw", "draw", "raw")):
        page.goto(f"{explorer.home}/{query}")
        expect(page.locator(f"#panel-{panel}")).to_contain_text(text)
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page.get_by_role("tab", selected=True)).to_have_id(f"tab-{panel}")
