"""The map under its camera: panning, zooming, tiles, layers, and the address that keeps them."""

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

PHONE = {"width": 390, "height": 844}
STILL = "?z=2,2"
INKED = """() => {
    const canvas = document.querySelector('#plane');
    const context = new OffscreenCanvas(400, 400).getContext('2d');
    context.drawImage(canvas, -400, -300);
    const { data } = context.getImageData(0, 0, 400, 400);
    let inked = 0;
    for (let i = 0; i < data.length; i += 4) inked += data[i] > 60;
    return inked;
}"""
PIXELS_OF = """([x, y, side]) => {
    const context = new OffscreenCanvas(side, side).getContext('2d');
    context.drawImage(document.querySelector('#plane'), -x, -y);
    const { data } = context.getImageData(0, 0, side, side);
    return Array.from({ length: side * side }, (_, i) => [...data.slice(4 * i, 4 * i + 3)]);
}"""


def whole(explorer: Explorer) -> None:
    """Wait until every tile of the view is painted, and the camera rests."""
    explorer.wait_until("() => document.querySelector('#plane').dataset.tiles === 'whole'")


def at_rest(explorer: Explorer) -> list[float]:
    """Wait until the camera rests; return what the map shows."""
    explorer.page.evaluate("() => { globalThis.resting = null; }")
    explorer.wait_until("""() => {
        const { view } = document.querySelector('#map').dataset;
        const { last, since } = globalThis.resting ?? {};
        globalThis.resting = { last: view, since: last === view ? (since ?? 0) + 1 : 0 };
        return globalThis.resting.since > 8;
    }""")
    shown = explorer.page.locator("#map").get_attribute("data-view") or ""
    return [float(number) for number in shown.split(",")]


def width(view: list[float]) -> float:
    return view[2] - view[0]


def test_dragging_the_map_pans_it_and_the_ring_stays_at_its_latent(visitor: Visitor) -> None:
    explorer = visitor.open(STILL, reduced_motion="reduce")
    mouse = explorer.page.mouse
    latent, ring = explorer.latent, explorer.ring()
    x, y = explorer.middle()
    held = explorer.latent_at(x, y)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 90, y + 60, steps=6)
    mouse.up()
    at_rest(explorer)
    assert explorer.latent == latent
    assert explorer.latent_at(x - 90, y + 60) == pytest.approx(held, abs=1e-6)
    assert explorer.ring() == pytest.approx((ring[0] - 90, ring[1] + 60), abs=0.6)


def test_the_ring_is_dragged_and_the_map_stays(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    mouse = explorer.page.mouse
    mouse.click(*explorer.middle())
    before = at_rest(explorer)
    mouse.move(*explorer.ring())
    mouse.down()
    mouse.move(*explorer.middle(0.5, 0.5), steps=5)
    mouse.up()
    assert at_rest(explorer) == before
    explorer.expect_image_of(explorer.latent_at(*explorer.middle(0.5, 0.5)))


def test_a_flick_lets_the_map_glide_on_but_not_for_those_who_prefer_stillness(
    visitor: Visitor,
) -> None:
    ways = []
    for preference in ("no-preference", "reduce"):
        explorer = visitor.open(STILL, reduced_motion=preference)
        before = at_rest(explorer)
        x, y = explorer.middle()
        explorer.page.mouse.move(x, y)
        explorer.page.mouse.down()
        explorer.page.mouse.move(x - 80, y, steps=4)
        explorer.page.mouse.up()
        after = at_rest(explorer)
        scale = explorer.page.viewport_size["width"] / width(after)  # type: ignore[index]
        ways.append((after[0] - before[0]) * scale)
    assert ways[0] > 85
    assert ways[1] == pytest.approx(80, abs=0.6)


def test_the_wheel_zooms_about_the_pointer_in_and_out_again(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    x, y = explorer.middle(0.7, -0.4)
    before, held = at_rest(explorer), explorer.latent_at(x, y)
    explorer.page.mouse.move(x, y)
    for turn in (-240, 240):
        explorer.page.mouse.wheel(0, turn)
        after = at_rest(explorer)
        assert explorer.latent_at(x, y) == pytest.approx(held, abs=1e-4)
        if turn < 0:
            assert width(after) < 0.7 * width(before)
    assert after == pytest.approx(before, abs=1e-4)


def test_a_double_click_zooms_in_and_with_shift_out(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    before = at_rest(explorer)
    explorer.page.mouse.dblclick(*explorer.middle(0.4, 0.4))
    near = at_rest(explorer)
    assert width(near) == pytest.approx(width(before) / 2, rel=1e-3)
    explorer.page.wait_for_timeout(400)  # or the next click would be the third of these
    explorer.page.keyboard.down("Shift")
    explorer.page.mouse.dblclick(*explorer.middle(-0.4, 0.4))
    explorer.page.keyboard.up("Shift")
    assert width(at_rest(explorer)) == pytest.approx(width(before), rel=1e-3)


def test_two_fingers_zoom_about_their_midpoint_and_do_not_move_the_point(visitor: Visitor) -> None:
    explorer = visitor.open(STILL, viewport=PHONE, has_touch=True, is_mobile=True)
    devtools = explorer.page.context.new_cdp_session(explorer.page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(fingers)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before, latent = at_rest(explorer), explorer.latent
    x, y = explorer.middle()
    held = explorer.latent_at(x, y)
    touch("touchStart", (x - 30, y))
    touch("touchStart", (x - 30, y), (x + 30, y))
    for way in (40, 60, 90):
        touch("touchMove", (x - way, y), (x + way, y))
    touch("touchEnd")
    after = at_rest(explorer)
    assert width(after) == pytest.approx(width(before) / 3, rel=0.02)
    assert explorer.latent_at(x, y) == pytest.approx(held, abs=0.02)
    assert explorer.latent == latent
    assert explorer.page.evaluate("visualViewport.scale") == 1


def test_the_keyboard_zooms_pans_and_shows_the_whole_again(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    explorer.page.locator("#map").focus()
    press = explorer.page.keyboard.press
    before, latent = at_rest(explorer), explorer.latent
    press("+")
    near = at_rest(explorer)
    assert width(near) == pytest.approx(width(before) / 2, rel=1e-3)
    press("Alt+ArrowRight")
    press("Alt+ArrowUp")
    moved = at_rest(explorer)
    assert moved[0] > near[0]
    assert moved[1] > near[1]
    assert width(moved) == pytest.approx(width(near))
    press("-")
    assert width(at_rest(explorer)) == pytest.approx(width(before), rel=1e-3)
    press("0")
    assert at_rest(explorer) == pytest.approx(before)
    assert explorer.latent == latent


def test_a_point_moved_by_keys_out_of_sight_takes_the_map_along(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,-0.5&at=0.5,-0.5,16")
    explorer.page.locator("#map").focus()
    for _ in range(40):
        explorer.page.keyboard.press("ArrowRight")
    u0, v0, u1, v1 = at_rest(explorer)
    assert explorer.latent[0] > 0.6
    assert u0 < explorer.latent[0] < u1
    assert v0 < explorer.latent[1] < v1


def test_the_map_cannot_be_lost_however_it_is_driven(visitor: Visitor) -> None:
    explorer = visitor.open(STILL, reduced_motion="reduce")
    mouse = explorer.page.mouse
    (low, _), (high, _) = explorer.plane()["extent"]
    mouse.move(*explorer.middle())
    for _ in range(12):
        mouse.wheel(0, 900)
    out = at_rest(explorer)
    assert width(out) < 8 * (high - low)
    for _ in range(6):
        x, y = explorer.middle()
        mouse.move(x, y)
        mouse.down()
        mouse.move(x - 250, y, steps=3)
        mouse.up()
    assert low <= explorer.latent_at(*explorer.middle())[0] <= high + 1e-6
    mouse.move(*explorer.middle())
    for _ in range(30):
        mouse.wheel(0, -900)
    assert width(at_rest(explorer)) > (high - low) / 256


def test_the_tiles_asked_for_are_those_in_sight_under_the_planes_version(visitor: Visitor) -> None:
    asked: list[str] = []
    explorer = visitor.open(
        "?z=0.5,0.5&at=1,1,40",
        before=lambda page: page.on("request", lambda request: asked.append(request.url)),
    )
    whole(explorer)
    u0, v0, u1, v1 = at_rest(explorer)
    plane = explorer.plane()
    (low, _), (high, top) = plane["extent"]
    side = high - low
    tiles = [re.search(r"/planes/latent/tiles/(\d+)/(\d+)/(\d+)\.png\?v=(\w+)$", u) for u in asked]
    found = {tuple(map(int, t.groups()[:3])) for t in tiles if t}
    assert {t[4] for t in tiles if t} == {plane["version"]}
    (zoom,) = {z for z, _, _ in found} - {0}
    width_of_tile = explorer.page.viewport_size["width"] / width([u0, v0, u1, v1]) * side / 2**zoom  # type: ignore[index]
    assert 224 / 1.42 < width_of_tile < 224 * 1.42
    needed = {
        (zoom, x, y)
        for x in range(2**zoom)
        for y in range(2**zoom)
        if low + x * side / 2**zoom < u1
        and low + (x + 1) * side / 2**zoom > u0
        and top - y * side / 2**zoom > v0
        and top - (y + 1) * side / 2**zoom < v1
    }
    assert found - {(0, 0, 0)} == needed


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_at_its_own_size_a_tile_is_painted_with_the_servers_bytes(
    visitor: Visitor, scheme: Any
) -> None:
    only_tiles = "layers=tiles~100,codes~off,images~off,names~off,prior~off"
    explorer = visitor.open(f"?z=2,2&{only_tiles}", color_scheme=scheme)
    zoom, x, y = 4, 8, 8
    (low, _), (high, top) = explorer.plane()["extent"]
    side = (high - low) / 2**zoom
    wide = explorer.page.viewport_size["width"]  # type: ignore[index]
    factor = (224 / side) / (wide / width(at_rest(explorer)))
    u, v = low + (x + 0.5) * side, top - (y + 0.5) * side
    explorer.page.goto(f"{explorer.home}/?z=2,2&{only_tiles}&at={u},{v},{factor:.12g}")
    explorer.page.locator("#plane[data-state=painted]").wait_for()
    whole(explorer)
    left, above = explorer.place_of([low + x * side, top - y * side])
    painted = np.array(explorer.page.evaluate(PIXELS_OF, [round(left), round(above), 224]), float)
    tile = explorer.ask("GET", f"/planes/latent/tiles/{zoom}/{x}/{y}.png").content
    grey = np.asarray(Image.open(io.BytesIO(tile)), float).reshape(-1, 1) / 255
    read = "(n) => getComputedStyle(document.documentElement).getPropertyValue(n)"
    ground, ink = (
        np.array([int(explorer.page.evaluate(read, name)[i : i + 2], 16) for i in (1, 3, 5)])
        for name in ("--ground", "--ink")
    )
    wanted = ground + (ink - ground) * grey
    # The graticule's lines lie on it, and blending rounds.
    off = np.abs(painted - wanted).max(1)
    assert np.quantile(off, 0.9) <= 2
    assert np.median(off) <= 1


def test_a_coarser_tile_stands_in_until_the_finer_one_arrives(visitor: Visitor) -> None:
    explorer = visitor.open(
        "?z=2,2&layers=codes~off,images~off,names~off,prior~off", color_scheme="dark"
    )
    whole(explorer)
    explorer.page.route("**/tiles/**", lambda route: None)  # no answer, for now
    before = explorer.page.evaluate(INKED)
    explorer.page.locator("#zoom-in").click()
    explorer.page.locator("#zoom-in").click()
    at_rest(explorer)
    assert explorer.page.evaluate(INKED) > 0.3 * before, "nothing but paper"
    expect(explorer.page.locator("#plane")).to_have_attribute("data-tiles", "loading")
    explorer.page.unroute("**/tiles/**")
    whole(explorer)


def test_a_layer_is_switched_off_and_on_and_its_opacity_shows(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2", color_scheme="dark")
    page = explorer.page
    whole(explorer)
    colours = {"as it is": page.evaluate(INKED)}
    page.locator("#open-layers").click()
    switches = page.get_by_role("switch")
    for name in ("Decoded images", "Codes of test images", "Names of the labels"):
        switches.and_(page.get_by_role("switch", name=name)).uncheck()
    at_rest(explorer)
    colours["bare"] = page.evaluate(INKED)
    assert colours["bare"] < 0.3 * colours["as it is"]
    page.get_by_role("switch", name="Decoded images").check()
    opacity = page.get_by_role("slider", name="Opacity: Decoded images")
    opacity.fill("10")
    at_rest(explorer)
    assert page.evaluate(INKED) < colours["as it is"] / 2
    page.locator("#plain-layers").click()
    at_rest(explorer)
    assert page.evaluate(INKED) == pytest.approx(colours["as it is"], rel=0.02)


def test_a_field_is_fetched_when_it_is_switched_on_and_says_its_scale(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2")
    page = explorer.page
    page.locator("#open-layers").click()
    with page.expect_response("**/fields/density.png?v=*") as answer:
        page.get_by_role("switch", name="Density of the codes").check()
    ramp = page.locator("#layers [data-layer=density] .ramp")
    expect(ramp).to_be_visible()
    high = re.search(r"high=([\d.e+-]+)", answer.value.headers["explorer-field"])
    assert high
    expect(ramp).to_contain_text(f"{float(high[1]):.3g}"[:4])
    expect(ramp).to_contain_text("per squared unit")


def test_deep_in_the_map_codes_become_their_own_images(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    u, v = explorer.codes()[1234]
    with explorer.page.expect_response("**/datasets/mnist/sprites/1.png"):
        explorer.page.goto(f"{explorer.home}/?z={u},{v}&at={u},{v},60&layers=tiles~off")
    explorer.page.locator("#plane[data-state=painted]").wait_for()


def test_the_minimap_leads_to_a_place_and_hides_with_the_whole(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    minimap = explorer.page.locator("#minimap")
    expect(minimap).to_be_hidden()
    for _ in range(3):
        explorer.page.locator("#zoom-in").click()
    at_rest(explorer)
    expect(minimap).to_be_visible()
    box = minimap.bounding_box()
    assert box
    explorer.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    at_rest(explorer)
    (low, bottom), (high, top) = explorer.plane()["extent"]
    u, v = explorer.latent_at(*explorer.middle())
    assert u == pytest.approx(low + 0.75 * (high - low), abs=0.15)
    assert v == pytest.approx(top - 0.25 * (top - bottom), abs=0.15)
    explorer.page.locator("#show-whole").click()
    expect(minimap).to_be_hidden()
    expect(explorer.page.locator("#show-whole")).to_be_disabled()


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


def test_what_is_strange_in_a_link_is_said_and_the_rest_holds(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0.5,-0.5&mood=blue&layers=density,fog")
    remark = explorer.page.locator("#remark")
    expect(remark).to_contain_text("mood=blue")
    expect(remark).to_contain_text("layers=fog")
    assert explorer.latent == pytest.approx([0.5, -0.5])
    remark.get_by_role("button").click()
    expect(remark).to_be_hidden()
