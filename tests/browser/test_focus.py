"""Where the focus goes, and what screen readers hear."""

import re

from playwright.sync_api import Page, expect

from tests.browser.camera import STILL, at_rest, width
from tests.browser.conftest import Visitor

LIVE = "[role=status], [role=alert], [aria-live], output"
NOTE_SPOKEN = f"""() => {{
    window.spoken = [];
    for (const region of document.querySelectorAll('{LIVE}')) {{
        const note = () => region.textContent && window.spoken.push(region.textContent);
        new MutationObserver(note).observe(region, {{ childList: true, subtree: true }});
    }}
}}"""


def spoken(page: Page) -> list[str]:
    """What live regions have said since `NOTE_SPOKEN`."""
    said: list[str] = page.evaluate("window.spoken")
    return said


def press(page: Page, selector: str) -> None:
    """Press a button by the keyboard once it offers something, after which it offers no more."""
    button = page.locator(selector)
    expect(button).to_be_enabled()
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_be_disabled()
    expect(button).to_be_focused()


def test_a_button_that_offers_nothing_more_keeps_the_focus(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2&panel=draw&twin=mnist-ae-2d")
    page = explorer.page
    page.locator("#legend [data-digit='3']").click()
    press(page, "#all-digits")
    page.locator("#zoom-in").click()
    press(page, "#show-whole")
    page.get_by_role("button", name="Throw 60 draws").click()
    press(page, "#second-map [data-part=clear]")
    box = page.locator("#drawing").bounding_box()
    assert box
    page.mouse.click(box["x"] + 60, box["y"] + 60)
    expect(page.locator("#encoding")).to_be_visible()
    press(page, "#undo")
    page.locator("#open-layers").click()
    page.locator("#layers [role=switch]:visible").first.click()
    press(page, "#reset-layers")


def test_an_undo_of_nothing_leaves_the_test_image_where_it_is(visitor: Visitor) -> None:
    page = visitor.open("?panel=draw&image=7").page
    expect(page.locator("#encoding")).to_be_visible()
    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#encoding")).to_be_visible()
    assert "image=7" in page.url


def test_a_message_that_is_closed_leaves_the_focus_at_the_choice_of_the_model(
    visitor: Visitor,
) -> None:
    page = visitor.open("?z=2,2&nonsense=1").page
    close = page.locator("#link-warning button")
    close.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#link-warning")).to_be_hidden()
    expect(page.locator("#choose-model")).to_be_focused()


def test_the_way_back_to_the_plane_leaves_the_focus_at_what_follows(visitor: Visitor) -> None:
    page = visitor.open("?model=mnist-vae-20d").page
    page.locator("#latent-sliders summary").click()
    slider = page.locator("#latent-sliders input:enabled").first
    slider.focus()
    page.keyboard.press("End")
    back = page.get_by_role("button", name="Back to the plane")
    back.focus()
    page.keyboard.press("Enter")
    expect(back).to_be_hidden()
    expect(page.locator("#latent-sliders summary")).to_be_focused()


def test_tab_stays_in_the_list_of_models_and_escape_returns_to_its_button(
    visitor: Visitor,
) -> None:
    page = visitor.open(STILL).page
    opener = page.locator("#choose-model")
    opener.focus()
    page.keyboard.press("Enter")
    option = page.locator("#model-list [aria-selected=true]")
    close = page.get_by_role("button", name="Close the list")
    expect(option).to_be_focused()
    for key in ("Tab", "Shift+Tab"):
        page.keyboard.press(key)
        expect(close).to_be_focused()
        page.keyboard.press(key)
        expect(option).to_be_focused()
    page.locator("#model-sheet h2").click()  # which takes the focus from the list
    page.keyboard.press("Escape")
    expect(page.locator("#model-sheet")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_zoom_by_keys_or_buttons_is_spoken_once(visitor: Visitor) -> None:
    explorer = visitor.open(f"{STILL}&twin=mnist-ae-2d")
    page = explorer.page
    expect(page.locator("#second-map .announcer")).not_to_be_empty()
    page.evaluate(NOTE_SPOKEN)
    page.locator("#map").focus()
    page.keyboard.press("+")
    at_rest(explorer)
    assert spoken(page) == ["The map is shown at 2 times its first size."]
    page.locator("#zoom-in").focus()
    page.keyboard.press("Enter")
    at_rest(explorer)
    assert spoken(page)[1:] == ["The map is shown at 4 times its first size."]
    page.locator("#map").focus()
    page.keyboard.press("0")
    at_rest(explorer)
    assert spoken(page)[2:] == ["The whole map is shown."]


def test_any_test_image_is_spoken_once_with_what_came_of_it(visitor: Visitor) -> None:
    page = visitor.open(f"{STILL}&panel=draw").page
    page.evaluate(NOTE_SPOKEN)
    page.get_by_role("button", name="Any").click()
    expect(page.locator("#encoding")).to_be_visible()
    total = page.locator("#elbo [data-part=total]").inner_text()
    index = page.locator("#test-image input").input_value()
    [said] = spoken(page)
    assert re.fullmatch(rf"Test image {index}, an? \d: ELBO {total} nats\.", said)


def test_noise_and_moments_of_the_training_are_told_by_their_sliders_alone(
    visitor: Visitor,
) -> None:
    page = visitor.open(f"{STILL}&panel=training").page
    moment = page.locator("#moment")
    expect(moment).to_be_enabled()
    page.evaluate(NOTE_SPOKEN)
    moment.fill("0")
    expect(moment).to_have_attribute("aria-valuetext", "Before the first step")
    page.locator("#tab-draw").click()
    page.locator("#noise").fill("0.5")
    expect(page.locator("#noise")).to_have_attribute("aria-valuetext", "σ 0.50")
    assert spoken(page) == []


def test_plus_and_minus_zoom_about_the_ring_if_it_is_in_sight(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    page = explorer.page
    page.mouse.click(*explorer.middle(0.8, -0.5))
    before, ring = at_rest(explorer), explorer.ring()
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    near = at_rest(explorer)
    assert width(near) < 0.3 * width(before)
    assert abs(explorer.ring()[0] - ring[0]) < 1
    assert abs(explorer.ring()[1] - ring[1]) < 1
    page.locator("#zoom-out").click()
    assert width(at_rest(explorer)) > 1.9 * width(near)
    assert abs(explorer.ring()[0] - ring[0]) < 1
    assert abs(explorer.ring()[1] - ring[1]) < 1


def test_a_ring_out_of_sight_does_not_draw_the_zoom(visitor: Visitor) -> None:
    explorer = visitor.open(f"{STILL}&at=-2,-2,8")
    page = explorer.page
    at_rest(explorer)
    place = explorer.middle()
    held = explorer.latent_at(*place)
    page.locator("#map").focus()
    page.keyboard.press("+")
    at_rest(explorer)
    there = explorer.latent_at(*place)
    assert max(abs(a - b) for a, b in zip(held, there, strict=True)) < 0.02
