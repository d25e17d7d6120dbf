"""The URL: what a link brings back, and where Back and Forward lead."""

import pytest
from playwright.sync_api import expect

from tests.browser.camera import STILL, at_rest
from tests.browser.conftest import Visitor


def test_a_link_brings_back_camera_and_layers(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    page = explorer.page
    page.mouse.move(*explorer.middle(0.5, 0.5))
    page.mouse.wheel(0, -400)
    view = at_rest(explorer)
    page.locator("#open-layers").click()
    page.get_by_role("switch", name="Circles of the prior").uncheck()
    page.get_by_role("switch", name="Blur").check()
    explorer.wait_until("() => /at=.*layers=entropy,prior~off/.test(location.search)")
    again = visitor.open(page.url.removeprefix(f"{explorer.home}/"))
    assert at_rest(again) == pytest.approx(view, abs=2e-3)
    again.page.locator("#open-layers").click()
    expect(again.page.get_by_role("switch", name="Blur")).to_be_checked()
    expect(again.page.get_by_role("switch", name="Circles of the prior")).not_to_be_checked()


def test_back_and_forward_bring_model_point_and_camera(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,-0.5&at=0.5,-0.5,4")
    page = explorer.page
    view = at_rest(explorer)
    with page.expect_websocket():
        explorer.choose("mnist-ae-2d")
    explorer.wait_until("() => location.search.includes('mnist-ae-2d')")
    with page.expect_websocket():
        page.go_back()
    explorer.expect_image_of([0.5, -0.5])
    assert explorer.model == "mnist-vae-2d"
    assert at_rest(explorer) == pytest.approx(view, abs=2e-3)
    with page.expect_websocket():
        page.go_forward()
    assert explorer.model == "mnist-ae-2d"


def test_back_from_a_panel_leads_to_where_a_drag_had_just_ended(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2")
    page = explorer.page
    goal = explorer.middle(0.4, 0.4)
    page.mouse.click(*explorer.middle())
    page.mouse.down()
    page.mouse.move(*goal, steps=12)
    page.mouse.up()
    page.evaluate("document.querySelector('#tab-path').click()")  # at once
    explorer.wait_until("() => location.search.includes('panel=path')")
    page.go_back()
    explorer.wait_until("() => !location.search.includes('panel=path')")
    assert explorer.latent == pytest.approx(explorer.latent_at(*goal), abs=0.01)


def test_unknown_parts_of_a_link_are_named_and_the_rest_applies(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,-0.5&mood=blue&layers=density,fog")
    warning = explorer.page.locator("#link-warning")
    expect(warning).to_contain_text("mood=blue")
    expect(warning).to_contain_text("layers=fog")
    assert explorer.latent == pytest.approx([0.5, -0.5])
    warning.get_by_role("button").click()
    expect(warning).to_be_hidden()
