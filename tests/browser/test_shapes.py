"""The page of models whose images are wide and in colour, at the desk and on a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from app.settings import ROOT
from tests import shaped
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tools.server import Server

WINDOWS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
SHOWS = """([selector, wanted]) => {
    const shown = document.querySelector(selector);
    if (shown.width !== wanted.width || shown.height !== wanted.height) return false;
    const canvas = new OffscreenCanvas(shown.width, shown.height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(shown, 0, 0);
    const { data } = context.getImageData(0, 0, shown.width, shown.height);
    return wanted.levels.every((level, i) => {
        const pixel = Math.floor(i / wanted.channels);
        return data[4 * pixel + (i % wanted.channels)] === level;
    });
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with untrained models of a wide, a square and a grey data set."""
    folder = tmp_path_factory.mktemp("shapes")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(ROOT))
        for name in shaped.SHAPES:
            labels = ("one",) if name == "square" else ("even", "odd")
            shaped.install(folder, name, labels)
            shaped.write(folder, name, **shaped.CONV)
        yield folder
    shaped.forget()


@pytest.fixture(scope="module")
def own(folder: Path, browser: Browser) -> Iterator[Visitor]:
    with Server("--checkpoints", "checkpoints", "--default-model", "wide-model") as server:
        visitor = Visitor(browser, server.url)
        yield visitor
        visitor.leave()


def wait_for_image(explorer: Explorer, model: str) -> None:
    """Wait until both pictures of the point are what the API decodes there, byte for byte."""
    address = f"{explorer.home}/api/v1/models/{model}"
    shape = httpx.get(address).raise_for_status().json()["image"]
    answer = httpx.post(
        f"{address}/decode",
        json={"latents": [explorer.latent]},
        headers={"Accept": "application/octet-stream"},
    )
    wanted: dict[str, Any] = {**shape, "levels": list(answer.raise_for_status().content)}
    for selector in ("#decoded", "#lens"):
        explorer.wait_until(SHOWS, [selector, wanted])


def filter_of(page: Page, selector: str) -> str:
    return str(page.locator(selector).evaluate("(element) => getComputedStyle(element).filter"))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", shaped.SHAPES)
def test_the_point_shows_the_image_of_the_model_in_its_own_shape(
    own: Visitor, name: str, window: str
) -> None:
    explorer = own.open(f"?model={name}-model", **WINDOWS[window])
    wait_for_image(explorer, f"{name}-model")
    explorer.page.locator("#map").press("ArrowRight")
    wait_for_image(explorer, f"{name}-model")
    box = explorer.page.locator("#decoded").bounding_box()
    shape = shaped.SHAPES[name]
    assert box
    assert box["width"] / box["height"] == pytest.approx(shape.width / shape.height, rel=0.02)


def test_colours_are_not_inverted_on_paper_and_greys_are(own: Visitor) -> None:
    explorer = own.open("?model=wide-model", **WINDOWS["desk"])
    page = explorer.page
    assert filter_of(page, ".decoded-image .plate") == "none"
    assert filter_of(page, "#lens") == "none"
    explorer.choose("grey-model")
    expect(page.locator("body")).to_have_attribute("data-images", "grey")
    wait_for_image(explorer, "grey-model")
    assert filter_of(page, ".decoded-image .plate") == "invert(1)"


def test_tiles_keep_the_colours_and_the_proportions_of_the_images(own: Visitor) -> None:
    explorer = own.open("?model=wide-model", reduced_motion="reduce", **WINDOWS["desk"])
    explorer.page.locator("#plane[data-tiles=whole]").wait_for()
    pixels = explorer.page.locator("#plane").evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            const seen = new Set();
            for (let i = 0; i < data.length; i += 4) seen.add(`${data.slice(i, i + 3)}`);
            return [...seen].map((text) => text.split(',').map(Number));
        }"""
    )
    spread = np.ptp(np.array(pixels), axis=1)
    assert (spread > 20).any(), "something on the map is neither grey nor paper"


def test_two_maps_each_show_their_own_kind_of_image(own: Visitor) -> None:
    explorer = own.open("?model=wide-model&twin=grey-model", **WINDOWS["desk"])
    second = explorer.page.locator("#second-map[data-model=grey-model]")
    second.wait_for()
    expect(second).to_have_attribute("data-images", "grey")
    expect(explorer.page.locator("body")).to_have_attribute("data-images", "colour")
    lens = second.locator(".lens canvas")
    assert lens.evaluate("(element) => getComputedStyle(element).filter") == "invert(1)"


@pytest.mark.parametrize("window", WINDOWS)
def test_every_panel_works_on_images_in_colour(own: Visitor, window: str) -> None:
    explorer = own.open("?model=wide-model", **WINDOWS[window])
    page = explorer.page
    for panel in ("draw", "path", "training", "measures", "learn", "point"):
        page.locator(f"#tab-{panel}").click()
        expect(page.locator(f"#panel-{panel}")).to_be_visible()
    page.goto(f"{own.home}/?model=wide-model&panel=draw&image=3")
    output = page.locator("#encoded-output")
    expect(output).to_be_visible()
    explorer.wait_until("() => document.querySelector('#encoded-output').naturalWidth === 64")
    page.locator("#noise").fill("0.3")
    explorer.wait_until("() => document.querySelector('#encoded-clean').naturalHeight === 48")


def test_a_model_without_labels_says_nothing_of_them(own: Visitor) -> None:
    page = own.open("?model=square-model", **WINDOWS["desk"]).page
    expect(page.locator("#legend .keys")).to_be_hidden()
    expect(page.locator("#shares")).to_be_hidden()
