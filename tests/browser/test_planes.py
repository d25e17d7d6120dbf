"""More than two dimensions: which plane the map shows, and the slice through the point."""

import re

import numpy as np
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

MODEL = "mnist-vae-20d"


def open_plane(visitor: Visitor, query: str = "") -> Explorer:
    explorer = visitor.open(f"?model={MODEL}{query}", reduced_motion="reduce")
    expect(explorer.page.locator("#planes")).to_be_visible()
    return explorer


def tiles_of(explorer: Explorer, plane: str) -> None:
    """Wait until the map has asked for a tile of that plane."""
    explorer.wait_until(
        """(plane) => performance.getEntriesByType('resource')
            .some(({ name }) => name.includes(`/planes/${plane}`) && name.includes('/tiles/'))""",
        plane,
    )


def test_a_plane_between_two_labels_is_shown_and_stands_in_the_address(visitor: Visitor) -> None:
    explorer = open_plane(visitor)
    page = explorer.page
    page.locator("#plane-kind").select_option("digits")
    page.locator("#plane-a").select_option("0")
    page.locator("#plane-b").select_option("6")
    expect(page).to_have_url(re.compile("plane=digits-0-6"))
    tiles_of(explorer, "digits-0-6/")
    again = open_plane(visitor, "&plane=digits-0-6")
    tiles_of(again, "digits-0-6/")
    expect(again.page.locator("#plane-b")).to_have_value("6")


def test_a_number_moves_the_point_off_the_plane_and_the_map_follows(visitor: Visitor) -> None:
    explorer = open_plane(visitor, "&plane=dims-0-1")
    page = explorer.page
    page.locator("#latent-sliders summary").click()
    before = explorer.latent
    page.locator("#latent-sliders input").nth(4).fill("1.5")
    after = [*before[:4], 1.5, *before[5:]]
    explorer.expect_image_of(after)
    tiles_of(explorer, "at-")
    expect(page.locator("#panel-point [data-part=height]")).to_contain_text("off the chosen plane")
    page.locator("#panel-point [data-part=height] button").click()
    explorer.wait_until(
        """(z) => {
            const latent = document.querySelector('#readout').dataset.latent.split(',');
            return Math.abs(latent[4] - z) < 1e-6;
        }""",
        before[4],
    )


def test_the_numbers_of_the_plane_itself_are_moved_by_dragging(visitor: Visitor) -> None:
    page = open_plane(visitor, "&plane=dims-2-7").page
    page.locator("#latent-sliders summary").click()
    sliders = page.locator("#latent-sliders input")
    # Once the plane is there.
    expect(page.locator("#latent-sliders input:disabled")).to_have_count(2)
    assert [i for i in range(20) if sliders.nth(i).is_disabled()] == [2, 7]


def test_a_plane_goes_through_images_that_were_chosen(visitor: Visitor) -> None:
    explorer = open_plane(visitor)
    page = explorer.page
    page.locator("#plane-kind").select_option("at")
    latents: list[list[float]] = []
    planes: list[str] = []
    for number, value in ((3, "1"), (5, "-1")):
        latents.append(explorer.latent)
        page.locator("#add-pin").click()
        expect(page.locator(".pins img")).to_have_count(len(latents))
        explorer.wait_until(
            """(before) => {
                const plane = new URLSearchParams(location.search).get('plane') ?? '';
                return plane.startsWith('at-') && plane !== before;
            }""",
            planes[-1] if planes else "",
        )
        planes += re.findall(r"plane=(at-[\w-]+)", page.url)
        if page.locator("#latent-sliders").get_attribute("open") is None:
            page.locator("#latent-sliders summary").click()
        page.locator("#latent-sliders input").nth(number).fill(value)
        explorer.wait_until(
            "(z) => document.querySelector('#readout').dataset.latent !== z",
            ",".join(map(str, latents[-1])),
        )
    plane = explorer.ask("GET", f"/planes/{planes[-1]}").json()
    axes = np.array(plane["axes"])
    for latent in latents:
        way = np.array(latent) - plane["origin"]
        assert np.linalg.norm(way - way @ axes.T @ axes) < 1e-3


def test_a_plane_that_does_not_exist_is_told_of_and_the_first_one_shown(visitor: Visitor) -> None:
    explorer = visitor.open(f"?model={MODEL}&plane=dims-3-99")
    visitor.forgive("404")
    expect(explorer.page.locator("#link-warning")).to_contain_text("plane=dims-3-99")
    expect(explorer.page.locator("#plane-kind")).to_have_value("pca")


def test_two_numbers_have_one_plane_and_no_choice(visitor: Visitor) -> None:
    expect(visitor.open().page.locator("#planes")).to_be_hidden()
