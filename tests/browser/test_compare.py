"""Two maps compared: opened, linked by image or by coordinates, with prior samples on both."""

import re
from typing import Any

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tests.browser.test_page import each_view

PAIR = "?model=mnist-vae-2d&twin=mnist-ae-2d"
IMAGE = 7


def open_pair(visitor: Visitor, address: str = PAIR, **profile: Any) -> Explorer:
    """Two maps, both painted."""
    explorer = visitor.open(address, **{"reduced_motion": "reduce", **profile})
    arrived(explorer, "mnist-ae-2d")
    return explorer


@pytest.fixture(scope="module")
def opened(resident: Visitor) -> Explorer:
    return open_pair(resident)


@pytest.fixture
def pair(opened: Explorer) -> Explorer:
    """Two maps that are whole and linked by image, without draws."""
    page = opened.page
    page.get_by_role("radio", name="Same image").check()
    page.locator("#map").focus()
    page.keyboard.press("0")
    expect(page.locator("#show-whole")).to_be_disabled()
    return opened


def arrived(explorer: Explorer, model: str) -> None:
    explorer.page.locator(f"#second-map[data-model={model}] .plane[data-state=painted]").wait_for()


def codes_of(explorer: Explorer, model: str) -> list[list[float]]:
    """The codes of another model than the page's own, as the API tells them."""
    url = f"{explorer.home}/api/v1/models/{model}/codes"
    data = httpx.get(url, trust_env=False, timeout=30).raise_for_status().content
    count, dim = np.frombuffer(data, "<u4", 2)
    codes: list[list[float]] = np.frombuffer(data, "<f4", count * dim, 8).reshape(-1, dim).tolist()
    return codes


def view(explorer: Explorer, of: str) -> list[float]:
    shown = explorer.page.locator(of).get_attribute("data-view") or ""
    return [float(number) for number in shown.split(",")]


def zoom(now: list[float], before: list[float]) -> float:
    return (before[2] - before[0]) / (now[2] - now[0])


def place_on(explorer: Explorer, of: str, latent: list[float]) -> tuple[float, float]:
    """Where on the screen a latent of a 2-D model is, on one of the maps."""
    box = explorer.page.locator(of).bounding_box()
    assert box
    u0, v0, u1, v1 = view(explorer, of)
    x = box["x"] + (latent[0] - u0) / (u1 - u0) * box["width"]
    return x, box["y"] + (v1 - latent[1]) / (v1 - v0) * box["height"]


def expect_ring_at(explorer: Explorer, latent: list[float]) -> None:
    """Wait until the ring of the second map is at a latent, to a pixel."""
    x, y = place_on(explorer, "#second-map .map", latent)
    explorer.wait_until(
        """([x, y]) => {
            const ring = document.querySelector('#second-map .ring').getBoundingClientRect();
            const [right, down] = [ring.left + ring.width / 2 - x, ring.top + ring.height / 2 - y];
            return Math.hypot(right, down) < 1.5;
        }""",
        [x, y],
    )


def test_the_button_opens_the_natural_partner_and_closes_it_again(visitor: Visitor) -> None:
    explorer = visitor.open("?model=mnist-vae-2d", reduced_motion="reduce")
    page = explorer.page
    whole = page.locator("#map").bounding_box()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    compare = page.get_by_role("button", name="Compare")
    compare.click()
    arrived(explorer, "mnist-vae-2d-plain")
    assert any("/compare/second-map.js" in url for url in asked), "fetched only now"
    expect(page).to_have_url(re.compile("twin=mnist-vae-2d-plain"))
    expect(compare).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Close the map beside").click()
    expect(page.locator("#second-map")).to_have_count(0)
    expect(compare).to_be_focused()
    expect(page).not_to_have_url(re.compile("twin="))
    assert page.locator("#map").bounding_box() == whole
    explorer.page.mouse.click(*explorer.away())
    explorer.expect_image_of(explorer.latent)


def test_a_link_opens_the_same_pair_and_back_closes_it(visitor: Visitor) -> None:
    explorer = open_pair(visitor, f"{PAIR}&link=coordinates&z=0.5,-0.5&draws=3")
    page = explorer.page
    expect(page.get_by_role("radio", name="Same numbers")).to_be_checked()
    expect(page.locator("canvas.sample-layer[data-samples='60']")).to_have_count(2)
    expect_ring_at(explorer, [0.5, -0.5])
    page.get_by_role("button", name="Close the map beside").click()
    expect(page).not_to_have_url(re.compile("twin="))
    page.go_back()
    arrived(explorer, "mnist-ae-2d")


def test_a_link_to_an_unknown_second_model_opens_one_map_and_says_so(visitor: Visitor) -> None:
    for unknown in ("no-such-model", "mnist-vqvae"):
        explorer = visitor.open(f"?model=mnist-vae-2d&twin={unknown}")
        expect(explorer.page.locator("#link-warning")).to_contain_text(f"twin={unknown}")
        expect(explorer.page.locator("#second-map")).to_have_count(0)


def test_by_image_each_point_goes_to_the_code_of_the_same_test_image(pair: Explorer) -> None:
    page = pair.page
    here, there = pair.codes(), codes_of(pair, "mnist-ae-2d")
    page.mouse.click(*pair.away())
    point = pair.latent
    image = min(
        range(len(here)),
        key=lambda i: sum((a - b) ** 2 for a, b in zip(here[i], point, strict=True)),
    )
    shared = page.locator("#second-map .shared-image")
    expect(shared).to_have_attribute("data-image", f"{image}")
    expect_ring_at(pair, there[image])
    page.mouse.click(*place_on(pair, "#second-map .map", there[IMAGE]))
    expect(shared).not_to_have_attribute("data-image", f"{image}")
    image = int(shared.get_attribute("data-image") or "")
    pair.expect_image_of(here[image])


def test_the_second_map_takes_keyboard_input_too(pair: Explorer) -> None:
    second = pair.page.get_by_role("application", name="autoencoder")
    second.focus()
    second.press("Home")
    codes = codes_of(pair, "mnist-ae-2d")
    image = min(range(len(codes)), key=lambda i: sum(z * z for z in codes[i]))
    pair.expect_image_of(pair.codes()[image])


def test_by_coordinates_both_points_have_the_same_numbers(pair: Explorer) -> None:
    pair.page.get_by_role("radio", name="Same numbers").check()
    pair.page.mouse.click(*pair.away())
    expect_ring_at(pair, pair.latent)
    x, y = place_on(pair, "#second-map .map", [-1.0, -1.0])
    pair.page.mouse.click(x, y)
    pair.wait_until(
        """(wanted) => document.querySelector('#readout').dataset.latent.split(',')
            .every((z, i) => Math.abs(Number(z) - wanted[i]) < 0.02)""",
        [-1.0, -1.0],
    )


def test_models_of_other_images_are_linked_by_coordinates_alone(visitor: Visitor) -> None:
    explorer = open_pair(visitor, f"{PAIR}&z=0.5,0.5")
    explorer.page.get_by_label("Model of the map beside").select_option("fashion-vae-2d")
    arrived(explorer, "fashion-vae-2d")
    expect(explorer.page.get_by_role("radio", name="Same image")).to_be_disabled()
    expect_ring_at(explorer, [0.5, 0.5])


def test_either_map_takes_the_other_along_as_it_is_moved_and_zoomed(pair: Explorer) -> None:
    page = pair.page
    for here, there in (("#map", "#second-map .map"), ("#second-map .map", "#map")):
        before = view(pair, there)
        at = view(pair, here)
        page.locator(here).focus()
        page.keyboard.press("+")
        pair.wait_until(
            """([map, wide]) => {
                const shown = document.querySelector(map).dataset.view.split(',').map(Number);
                return shown[2] - shown[0] < 0.502 * wide;
            }""",
            [there, before[2] - before[0]],
        )
        assert zoom(view(pair, there), before) == pytest.approx(
            zoom(view(pair, here), at), rel=1e-3
        )
        before, at = view(pair, there), view(pair, here)
        page.keyboard.press("Alt+ArrowRight")
        pair.wait_until(
            "([map, view]) => document.querySelector(map).dataset.view !== view",
            [there, ",".join(map(repr, before))],
        )
        part = (view(pair, here)[0] - at[0]) / (at[2] - at[0])
        assert part > 0.05
        assert (view(pair, there)[0] - before[0]) / (before[2] - before[0]) == pytest.approx(
            part, rel=0.05
        )
        page.keyboard.press("0")
        expect(page.locator("#show-whole")).to_be_disabled()


def test_prior_samples_appear_on_both_maps_and_can_be_removed(pair: Explorer) -> None:
    page = pair.page
    with page.expect_request(re.compile("/mnist-ae-2d/sample")) as asked:
        page.get_by_role("button", name="Throw 60 draws").click()
    assert asked.value.post_data_json == {"count": 60, "seed": 1}
    expect(page.locator("canvas.sample-layer[data-samples='60']:visible")).to_have_count(2)
    expect(page.locator("[data-part=strays] dd").first).to_have_text(re.compile(r"^\d+ of 60$"))
    expect(page).to_have_url(re.compile("draws=1"))
    page.get_by_role("button", name="Take the draws away").click()
    expect(page.locator("canvas.sample-layer:visible")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("draws="))


def test_the_scores_are_those_of_the_cards(pair: Explorer) -> None:
    for of, model in ((".first-scores", "mnist-vae-2d"), (".second-scores", "mnist-ae-2d")):
        url = f"{pair.home}/api/v1/models/{model}"
        card = httpx.get(url, trust_env=False, timeout=30).json()
        names = ("standard_recognised", "fitted_recognised", "uncovered_prior_mass", "hole_area")
        for name in names:
            share = card["metrics"]["completeness"][name]
            shown = pair.page.locator(f"#second-map {of} [data-measure='completeness.{name}']")
            expect(shown).to_have_text(f"{100 * share:.1f} %")


def test_choosing_the_other_model_swaps_the_two(visitor: Visitor) -> None:
    explorer = open_pair(visitor)
    explorer.choose("mnist-ae-2d")
    arrived(explorer, "mnist-vae-2d")
    assert explorer.model == "mnist-ae-2d"


def test_a_model_without_a_map_cannot_be_compared(visitor: Visitor) -> None:
    explorer = open_pair(visitor)
    explorer.choose("mnist-vqvae")
    expect(explorer.page.locator("#codebook")).to_be_visible()
    expect(explorer.page.locator("#second-map")).to_have_count(0)
    expect(explorer.page.locator("#compare")).to_be_hidden()


@pytest.mark.parametrize(
    ("button", "source"), [("from N(0, I)", "standard"), ("from a fitted Gaussian", "fitted")]
)
def test_the_lesson_throws_draws_from_either_distribution_on_the_fair_pair(
    visitor: Visitor, button: str, source: str
) -> None:
    explorer = visitor.open("?panel=learn", reduced_motion="reduce")
    lesson = explorer.page.get_by_role("group", name="Pick a code blindly")
    lesson.get_by_role("button", name=button).click()
    arrived(explorer, "mnist-ae-2d")
    assert explorer.model == "mnist-vae-2d-plain"
    expect(explorer.page.locator("canvas.sample-layer[data-samples='60']")).to_have_count(2)
    expect(explorer.page.get_by_label("What to draw from")).to_have_value(source)
    expect(explorer.page).to_have_url(re.compile(f"from={source}"))


@each_view
def test_no_accessibility_rule_is_broken_and_both_rings_are_in_reach(
    visitor: Visitor, viewport: dict[str, int], color_scheme: str
) -> None:
    explorer = open_pair(
        visitor, f"{PAIR}&z=0,0&draws=1", viewport=viewport, color_scheme=color_scheme
    )
    page = explorer.page
    expect(page.locator("canvas.sample-layer[data-samples='60']")).to_have_count(2)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    for ring in ("#ring", "#second-map .ring"):
        on_top = """(ring) => {
            const box = document.querySelector(ring).getBoundingClientRect();
            const middle = [box.left + box.width / 2, box.top + box.height / 2];
            return document.elementFromPoint(...middle).closest(ring) !== null;
        }"""
        assert page.evaluate(on_top, ring), f"something covers {ring}"
