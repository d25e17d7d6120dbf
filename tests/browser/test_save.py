"""The view as a file."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.camera import whole
from tests.browser.conftest import Visitor


def saved(page: Page, button: str, scale: int = 1) -> bytes:
    page.locator("#open-save").click()
    page.locator("#save-scale").select_option(str(scale))
    with page.expect_download() as download:
        page.locator(button).click()
    return download.value.path().read_bytes()


@pytest.mark.parametrize("scale", [1, 3])
def test_a_picture_is_as_large_as_was_asked_and_holds_the_map(visitor: Visitor, scale: int) -> None:
    explorer = visitor.open("?z=0.5,0.5", reduced_motion="reduce")
    explorer.wait_until("() => document.querySelector('#plane').dataset.tiles === 'whole'")
    box = explorer.page.locator("#map").bounding_box()
    assert box
    with Image.open(io.BytesIO(saved(explorer.page, "#save-png", scale))) as image:
        assert image.size == (round(scale * box["width"]), round(scale * box["height"]))
        pixels = np.asarray(image.convert("RGB"))
    x, y = explorer.ring()
    middle = pixels[round(scale * (y - box["y"])), round(scale * (x - box["x"] + 26))]
    corner = pixels[2, 2]
    assert np.abs(middle.astype(int) - corner).sum() > 100, "the ring is on it"
    assert pixels.std() > 8, "and the map"


@pytest.mark.parametrize("scale", [1, 4])
def test_a_sheet_has_frame_title_and_key_and_is_small(visitor: Visitor, scale: int) -> None:
    explorer = visitor.open(
        "?model=fashion-vae-2d",
        reduced_motion="reduce",
        viewport={"width": 1440, "height": 900},
    )
    explorer.wait_until("() => document.querySelector('#plane').dataset.tiles === 'whole'")
    content = saved(explorer.page, "#save-svg", scale)
    assert len(content) < 1_000_000
    svg = ET.fromstring(content)
    texts = [element.text or "" for element in svg.iter() if element.tag.endswith("text")]
    assert explorer.page.locator("#choose-model [data-part=title]").text_content() in texts
    assert {"Trousers", "Bag", "0"} <= set(texts)
    assert sum(element.tag.endswith("image") for element in svg.iter()) == 2


def test_a_printer_gets_the_map_on_light_ground_with_title_and_link(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,0.5", reduced_motion="reduce", color_scheme="dark")
    page = explorer.page
    whole(explorer)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    sheet = page.locator("#print")
    expect(sheet.locator("canvas")).to_be_visible()
    expect(sheet.locator("[data-part=link]")).to_have_text(page.url)
    expect(page.locator(".panel")).to_be_hidden()
    with Image.open(io.BytesIO(sheet.locator("canvas").screenshot())) as image:
        assert np.asarray(image.convert("L")).mean() > 150, "paper is light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.locator(".panel")).to_be_visible()
    expect(sheet).to_be_hidden()


def test_the_view_is_shared_as_a_link_and_as_a_picture_of_a_links_size(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,0.5", reduced_motion="reduce")
    page = explorer.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    whole(explorer)
    page.locator("#open-save").click()
    expect(page.locator("#share-link")).to_have_value(page.url)
    page.locator("#copy-link").click()
    expect(page.locator("#save [data-part=copied]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    with page.expect_download() as download:
        page.locator("#save-titled").click()
    with Image.open(download.value.path()) as image:
        assert image.size == (1200, 630)
        pixels = np.asarray(image.convert("L"))
    assert pixels[:, :800].std() > 8, "the map"
    assert pixels[60:330, 860:1140].std() > 8, "the decoded image"


def test_the_walk_is_saved_as_a_loop_of_a_good_size(visitor: Visitor) -> None:
    explorer = visitor.open("?walk=3~11~linear", reduced_motion="reduce")
    with Image.open(io.BytesIO(saved(explorer.page, "#save-loop"))) as loop:
        assert loop.size == (336, 336)
        assert getattr(loop, "n_frames", 1) > 12
        assert loop.info["loop"] == 0, "it has no end"
