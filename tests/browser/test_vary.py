"""One thing at a time: a slider along the direction of an attribute, and a row for each number."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

MODEL = "mnist-vae-20d-best"
POINT = [0.5, -0.25, *[0.0] * 18]
ADDRESS = f"?model={MODEL}&z={','.join(map(str, POINT))}&panel=vary"
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def open_panel(visitor: Visitor, address: str = ADDRESS, **profile: Any) -> Explorer:
    explorer = visitor.open(address, reduced_motion="reduce", **profile)
    expect(explorer.page.locator("#amount")).to_be_enabled()
    return explorer


def direction(explorer: Explorer, **attribute: Any) -> dict[str, Any]:
    found: dict[str, Any] = explorer.ask("POST", "/directions", json=attribute).json()
    return found


def moved(found: dict[str, Any], amount: float, start: list[float] = POINT) -> list[float]:
    return [z + amount * d for z, d in zip(start, found["direction"], strict=True)]


def expect_sheet(page: Page, latent: list[float]) -> None:
    """Wait until the sheet of traversals is about a latent."""
    expect(page.locator("#traversals")).to_have_attribute("data-latent", re.compile(".+"))
    shown = """(wanted) => {
        const shown = document.querySelector('#traversals').dataset.latent.split(',').map(Number);
        return wanted.every((z, i) => Math.abs(z - shown[i]) < 1e-4);
    }"""
    Explorer(page, "").wait_until(shown, latent)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_slider_adds_the_direction_of_a_factor_to_the_image_at_hand(
    visitor: Visitor, viewport: dict[str, Any]
) -> None:
    explorer = open_panel(visitor, viewport=viewport)
    page = explorer.page
    expect(page.locator("#attribute")).to_have_value("slant")
    found = direction(explorer, factor="slant")
    page.locator("#amount").fill("15")
    explorer.expect_image_of(moved(found, 15))
    expect(page.locator("#directions [data-part=amount]")).to_have_text("+15.0°")
    explained = f"explains {100 * found['r_squared']:.0f} %"
    expect(page.locator("#directions [data-part=about]")).to_contain_text(explained)
    page.locator("#amount").fill("-15")
    explorer.expect_image_of(moved(found, -15))
    page.locator("#amount-back").click()
    explorer.expect_image_of(POINT)
    expect(page.locator("#amount-back")).to_be_disabled()


def test_the_slider_moves_by_the_keyboard_and_says_where_it_is(visitor: Visitor) -> None:
    explorer = open_panel(visitor)
    slider = explorer.page.locator("#amount")
    step = float(slider.get_attribute("step") or "")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    explorer.expect_image_of(moved(direction(explorer, factor="slant"), 2 * step))
    expect(slider).to_have_attribute("aria-valuetext", f"+{2 * step:.1f}°")


def test_the_image_becomes_more_of_a_label(visitor: Visitor) -> None:
    explorer = open_panel(visitor)
    page = explorer.page
    page.locator("#attribute").select_option(label="a 4")
    expect(page.locator("#directions [data-part=about]")).to_contain_text("982 of the 10,000")
    page.locator("#amount").fill("1")
    explorer.expect_image_of(moved(direction(explorer, label=4), 1))
    expect(page).to_have_url(re.compile("along=label-4~1"))


def test_a_link_shows_the_slider_where_it_was_and_the_image_without_it(visitor: Visitor) -> None:
    explorer = open_panel(visitor)
    page = explorer.page
    page.locator("#amount").fill("20")
    expect(page).to_have_url(re.compile("along=slant~20"))
    latent = explorer.latent
    again = open_panel(visitor, f"?{urlsplit(page.url).query}")
    expect(again.page.locator("#amount")).to_have_value("20")
    again.expect_image_of(latent)
    again.page.locator("#amount-back").click()
    again.expect_image_of(POINT)


def test_a_point_that_is_moved_otherwise_is_the_new_image_at_hand(visitor: Visitor) -> None:
    explorer = open_panel(visitor)
    page = explorer.page
    page.locator("#amount").fill("10")
    expect(page.locator("#amount-back")).to_be_enabled()
    page.locator("#map").press("ArrowUp")
    expect(page.locator("#amount")).to_have_value("0")
    expect(page.locator("#amount-back")).to_be_disabled()
    start = explorer.latent
    page.locator("#amount").fill("10")
    explorer.expect_image_of(moved(direction(explorer, factor="slant"), 10, start))


def test_another_model_has_its_own_attributes(visitor: Visitor) -> None:
    explorer = open_panel(visitor, "?panel=vary")
    explorer.choose("fashion-vae-2d")
    options = explorer.page.locator("#attribute option")
    expect(options.first).to_have_text("Height")
    expect(options).to_have_count(13)
    expect(explorer.page.locator("#amount")).to_be_enabled()


def test_a_data_set_without_labels_or_factors_is_told_so(visitor: Visitor) -> None:
    def forget(route: Route) -> None:
        route.fulfill(json={"model": "mnist-vae-2d", "labels": [], "factors": []})

    explorer = visitor.open("?panel=vary", before=lambda page: page.route("**/attributes", forget))
    page = explorer.page
    expect(page.locator("#directions [data-part=none]")).to_be_visible()
    expect(page.locator("#amount")).to_be_hidden()
    expect(page.locator("#in-use [role=radiogroup]")).to_have_count(2)


def test_each_number_in_use_has_a_row_the_most_active_first(visitor: Visitor) -> None:
    explorer = open_panel(visitor)
    page = explorer.page
    rows = page.locator("#in-use [role=radiogroup]")
    found = explorer.ask("POST", "/traverse", json={"latent": POINT}).json()
    expect(rows).to_have_count(len(found["dimensions"]))
    for row, number in zip(rows.all(), found["dimensions"], strict=True):
        expect(row).to_have_attribute("aria-label", f"z{number + 1}")
        expect(row.locator("img[src]")).to_have_count(7)
    pictures = [image.get_attribute("src") or "" for image in rows.locator("img").all()]
    assert [one.partition(",")[2] for one in pictures] == [one["png"] for one in found["images"]]


def test_an_image_of_the_sheet_becomes_the_point_and_the_sheet_follows(visitor: Visitor) -> None:
    explorer = open_panel(visitor)
    page = explorer.page
    expect_sheet(page, POINT)
    row = page.locator("#in-use [role=radiogroup]").nth(1)
    number = int(row.get_attribute("data-dimension") or "")
    row.locator("label").nth(5).click()
    taken = [z + 2 * (index == number) for index, z in enumerate(POINT)]
    explorer.expect_image_of(taken)
    expect_sheet(page, taken)
    expect(row.locator("input:checked")).to_have_attribute("value", "0")
    row.locator("input:checked").press("ArrowLeft")
    explorer.expect_image_of([z + (index == number) for index, z in enumerate(POINT)])


def test_the_numbers_that_are_not_in_use_are_folded(visitor: Visitor) -> None:
    page = open_panel(visitor).page
    summary = page.locator("#traversals summary")
    expect(summary).to_have_text("2 not in use: z8, z14")
    expect(page.locator("#not-in-use img")).to_have_count(0)
    summary.click()
    expect(page.locator("#not-in-use [role=radiogroup]")).to_have_count(2)
    expect(page.locator("#not-in-use img[src]")).to_have_count(14)


def test_a_model_that_uses_no_number_says_so(visitor: Visitor) -> None:
    page = open_panel(visitor, "?model=mnist-vae-2d-beta-64&panel=vary").page
    expect(page.locator("#traversals [data-part=about]")).to_contain_text("ignores every number")
    expect(page.locator("#in-use [role=radiogroup]")).to_have_count(2)
    expect(page.locator("#traversals details")).to_be_hidden()
