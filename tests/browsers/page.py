"""The page in Firefox and WebKit, as wide as a desk and as a phone: `make test-browsers`.

Its name keeps it out of `make test`: it needs browsers that few machines have. `KEEP=folder` keeps
a picture of what each test leaves.
"""

import base64
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.settings import ROOT
from tests.browser.test_draw import DRAWN_PNG
from tests.browser.test_learn import SCENE, is_whole
from tests.browsers.opened import SELDOM, Opened
from tests.waiting import until
from tools.proxy import Proxy
from tools.server import Server
from tools.webdriver import Browser, Firefox, WebKit

Open = Callable[..., Opened]

BROWSERS = (Firefox, WebKit)
SIZES = {"1440": (1440, 900), "390": (390, 844)}
COLOURS = """() => {
    const plane = document.querySelector('#plane');
    const context = new OffscreenCanvas(plane.width, plane.height).getContext('2d');
    context.drawImage(plane, 0, 0);
    const { data } = context.getImageData(0, 0, plane.width, plane.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""
FIELDS_ARE_WHOLE = """() => document.querySelector('#plane').dataset.fields === 'whole'
    && [...document.querySelectorAll('#layers [data-part=computing]')].every((it) => it.hidden)"""
SECOND_IS_PAINTED = (
    "() => document.querySelector('#second-map .plane[data-state=painted]') !== null"
)
SHOWN_ELBO = "() => document.querySelector('#elbo [data-part=total]').textContent"
LESSONS = """() => [...document.querySelectorAll('.lessons:not(#own-lessons) [data-lesson]')].map(
    (it) => it.dataset.lesson)"""
"""Those on the models that ship."""
LAYERS = "() => [...document.querySelectorAll('#layers [role=switch]')].map((it) => it.checked)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="module", params=BROWSERS, ids=lambda kind: kind.name)
def browser(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    with request.param(tmp_path_factory.mktemp("browser")) as running:
        print(running.name, running.version)
        yield running


@pytest.fixture(params=SIZES)
def visit(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Open]:
    """How to open a page, which may complain of nothing."""
    browser.resize(*SIZES[request.param])
    opened: list[Opened] = []

    def visit(query: str, home: str = server.url) -> Opened:
        opened.append(Opened(browser, server.url, f"{home}/{query}"))
        return opened[-1]

    yield visit
    if folder := os.environ.get("KEEP"):
        name = request.node.name.translate(str.maketrans("[]", "--"))
        Path(folder, f"{name}.png").write_bytes(browser.screenshot())
    opened[-1].expect_no_complaint()


def test_the_map_is_painted_at_the_size_of_the_window(visit: Open, browser: Browser) -> None:
    explorer = visit("?z=2,2")
    with Image.open(io.BytesIO(browser.screenshot())) as picture:
        assert picture.size in SIZES.values()
    assert browser.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert browser.evaluate(COLOURS) > 500
    explorer.expect_image_of([2, 2])


def test_the_image_under_the_dragged_ring_is_that_of_the_api(visit: Open) -> None:
    explorer = visit("?z=2,2")
    grasp_and_drag(explorer)
    assert explorer.attribute("#status", "data-connection") == "open"


def grasp_and_drag(explorer: Opened) -> None:
    """Call the ring to the middle, and lead it from there to another place."""
    places = explorer.middle(), explorer.middle(0.4, 0.3), explorer.middle(-0.4, 0.5)
    explorer.browser.click(places[0])
    explorer.expect_image_of(explorer.latent_at(*places[0]))
    explorer.browser.drag(*places)
    explorer.expect_image_of(explorer.latent_at(*places[-1]))


def test_arrow_keys_move_the_point(visit: Open, browser: Browser) -> None:
    explorer = visit("?z=2,2")
    browser.evaluate("() => document.querySelector('#map').focus()")
    browser.press("Home")
    explorer.expect_image_of([0, 0])
    browser.press("ArrowRight")
    explorer.wait_until("() => document.querySelector('#readout').dataset.latent !== '0,0'")
    step, none = explorer.latent
    assert step > 0
    assert none == 0
    explorer.expect_image_of([step, 0])


def test_the_wheel_zooms_and_keeps_the_place_under_it(visit: Open, browser: Browser) -> None:
    explorer = visit("?z=2,2")
    place = explorer.middle(0.3, 0.2)
    before, width = explorer.latent_at(*place), explorer.box("#map")[2]
    zoom = "() => document.querySelector('#map').dataset.view.split(',').map(Number)"
    u0, _, u1, _ = browser.evaluate(zoom)
    browser.turn_wheel(place, -300)
    explorer.wait_until(
        f"(span) => {{ const v = ({zoom})(); return v[2] - v[0] < span; }}", u1 - u0
    )
    explorer.wait_until("() => document.querySelector('#plane').dataset.tiles === 'whole'")
    assert explorer.latent_at(*place) == pytest.approx(before, abs=2 * (u1 - u0) / width)


def test_a_drawing_is_encoded(visit: Open, browser: Browser) -> None:
    explorer = visit("?panel=draw")
    corners = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]
    browser.drag(*(explorer.place("#drawing", *corner) for corner in corners), steps=15)
    explorer.wait_until("() => !document.querySelector('#encoding').hidden")
    drawn = base64.b64decode(browser.evaluate(f"() => {DRAWN_PNG}"))
    with Image.open(io.BytesIO(drawn)) as image:
        assert np.asarray(image.convert("L")).std() > 20
    expect_elbo_of(explorer, drawn)


def test_an_uploaded_file_is_encoded(visit: Open, browser: Browser) -> None:
    explorer = visit("?panel=draw")
    file = ROOT / "examples" / "seven.png"
    browser.choose_file("#image-file", file)
    expect_elbo_of(explorer, file.read_bytes())


def expect_elbo_of(explorer: Opened, image: bytes) -> None:
    """Wait until the page shows the ELBO that the API tells of an image."""
    answer = explorer.ask("POST", "/encode", files={"file": ("digit.png", image, "image/png")})
    [item] = answer.json()["items"]

    def is_shown() -> bool:
        text = explorer.browser.evaluate(SHOWN_ELBO).replace("−", "-")
        return bool(text) and float(text) == pytest.approx(item["elbo"]["total"], abs=0.011)

    until(is_shown, f"the ELBO {item['elbo']['total']:.2f}", seconds=SELDOM)


def test_every_lesson_comes_without_an_error(visit: Open, browser: Browser) -> None:
    explorer = visit("?panel=learn")
    lessons = browser.evaluate(LESSONS)
    assert len(lessons) > 35
    for lesson in lessons:
        explorer.click("#tab-learn")
        explorer.click(f"[data-lesson='{lesson}']")

        def has_come(lesson: str = lesson) -> bool:
            scene = browser.evaluate(SCENE)
            return scene["lessons"] == [lesson] and is_whole(scene)

        until(has_come, f"the lesson {lesson}", seconds=SELDOM)
        explorer.expect_no_complaint()


def test_every_layer_is_painted(visit: Open, browser: Browser) -> None:
    explorer = visit("?z=2,2")
    explorer.click("#open-layers")
    count = len(browser.evaluate(LAYERS))
    assert count > 6
    for number in range(1, count + 1):
        switch = f"#layers li:nth-child({number}) [role=switch]"
        if not browser.evaluate("(at) => document.querySelector(at).checked", switch):
            explorer.click(switch)
        explorer.wait_until("(at) => document.querySelector(at).checked", switch)
        explorer.wait_until(FIELDS_ARE_WHOLE)
        explorer.expect_no_complaint()
    assert all(browser.evaluate(LAYERS))


def test_compare_lays_a_second_map_beside_and_links_the_points(
    visit: Open, browser: Browser
) -> None:
    explorer = visit("?model=mnist-vae-2d&z=2,2")
    explorer.click("#compare")
    explorer.wait_until(SECOND_IS_PAINTED)
    was = explorer.box("#second-map .ring")
    browser.evaluate("() => document.querySelector('#map').focus()")
    browser.press("Home")
    explorer.expect_image_of([0, 0])
    until(lambda: explorer.box("#second-map .ring") != was, "the second ring", seconds=SELDOM)


def test_a_picture_of_the_view_is_saved(visit: Open, browser: Browser) -> None:
    explorer = visit("?z=0.5,0.5")
    _, _, width, height = explorer.box("#map")
    for old in browser.downloads.iterdir():
        old.unlink()
    explorer.click("#open-save")
    explorer.click("#save-png")

    def saved() -> list[Image.Image]:
        for file in browser.downloads.glob("*.png"):
            try:
                with Image.open(file) as image:
                    return [image.convert("RGB")]
            except OSError:
                pass  # not whole yet
        return []

    [image] = until(saved, "the picture", seconds=SELDOM)
    assert image.size == (round(2 * width), round(2 * height))
    assert np.asarray(image).std() > 8


def test_where_no_stream_opens_the_image_follows_over_http(visit: Open, server: Server) -> None:
    with Proxy(to=server.port, upgrades=False) as proxy:
        explorer = visit("?z=2,2", proxy.url)
        explorer.wait_until("() => document.querySelector('#status').dataset.connection === 'http'")
        grasp_and_drag(explorer)
