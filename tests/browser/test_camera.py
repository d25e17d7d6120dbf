"""The camera: drag, flick, wheel, fingers, keys and the map in small."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.camera import STILL, at_rest, width
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tests.browser.test_page import PHONE


@pytest.fixture(scope="module")
def opened(resident: Visitor) -> Explorer:
    return resident.open(STILL)


@pytest.fixture
def still(opened: Explorer) -> Explorer:
    """A page that shows the whole map."""
    opened.page.locator("#map").focus()
    opened.page.keyboard.press("0")
    at_rest(opened)
    return opened


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
        flick(explorer, -80)
        after = at_rest(explorer)
        scale = explorer.page.viewport_size["width"] / width(after)  # type: ignore[index]
        ways.append((after[0] - before[0]) * scale)
    assert ways[0] > 85
    assert ways[1] == pytest.approx(80, abs=0.6)


def flick(explorer: Explorer, pixels: float) -> None:
    """Pan to the right, or by less than 0 to the left, within 40 ms of the events' own clock."""
    x, y = explorer.middle()
    tools = explorer.page.context.new_cdp_session(explorer.page)
    start = time.time()
    for kind, part in [("Pressed", 0.0), ("Moved", 0.5), ("Moved", 1.0), ("Released", 1.0)]:
        event = {"type": f"mouse{kind}", "x": x + part * pixels, "y": y, "button": "left"}
        event |= {"buttons": 1, "clickCount": 1, "timestamp": start + 0.04 * part}
        tools.send("Input.dispatchMouseEvent", event)


def test_the_wheel_zooms_about_the_pointer_in_and_out_again(still: Explorer) -> None:
    x, y = still.middle(0.7, -0.4)
    before, held = at_rest(still), still.latent_at(x, y)
    still.page.mouse.move(x, y)
    for turn in (-240, 240):
        still.page.mouse.wheel(0, turn)
        after = at_rest(still)
        assert still.latent_at(x, y) == pytest.approx(held, abs=1e-4)
        if turn < 0:
            assert width(after) < 0.7 * width(before)
    assert after == pytest.approx(before, abs=1e-4)


PINCH = """(map, [x, y, scales]) => {
  const tell = (name, scale) => {
    const more = { bubbles: true, cancelable: true };
    const event = Object.assign(new Event(name, more), { scale, clientX: x, clientY: y });
    return map.dispatchEvent(event);
  };
  return [tell('gesturestart', 1), ...scales.map((scale) => tell('gesturechange', scale))];
}"""
"""Dispatches what Safari on a Mac reports of a pinch on the touchpad; returns which may zoom
the page."""


def test_a_pinch_on_the_touchpad_of_a_mac_zooms_the_map_and_not_the_page(still: Explorer) -> None:
    x, y = still.middle(0.7, -0.4)
    before, held = at_rest(still), still.latent_at(x, y)
    told = still.page.locator("#plane").evaluate(PINCH, [x, y, [1.2, 1.6, 2]])
    assert not any(told)
    after = at_rest(still)
    assert still.latent_at(x, y) == pytest.approx(held, abs=1e-4)
    assert width(after) == pytest.approx(width(before) / 2, rel=1e-3)


def test_a_double_click_zooms_in_and_with_shift_out(still: Explorer) -> None:
    before = at_rest(still)
    still.page.mouse.dblclick(*still.middle(0.4, 0.4))
    near = at_rest(still)
    assert width(near) == pytest.approx(width(before) / 2, rel=1e-3)
    still.page.keyboard.down("Shift")
    still.page.mouse.dblclick(*still.middle(-0.4, 0.4))
    still.page.keyboard.up("Shift")
    assert width(at_rest(still)) == pytest.approx(width(before), rel=1e-3)


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


def test_the_keyboard_zooms_pans_and_shows_the_whole_again(still: Explorer) -> None:
    still.page.locator("#map").focus()
    press = still.page.keyboard.press
    before, latent = at_rest(still), still.latent
    press("+")
    near = at_rest(still)
    assert width(near) == pytest.approx(width(before) / 2, rel=1e-3)
    press("Alt+ArrowRight")
    press("Alt+ArrowUp")
    moved = at_rest(still)
    assert moved[0] > near[0]
    assert moved[1] > near[1]
    assert width(moved) == pytest.approx(width(near))
    press("-")
    assert width(at_rest(still)) == pytest.approx(width(before), rel=1e-3)
    press("0")
    assert at_rest(still) == pytest.approx(before)
    assert still.latent == latent


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


def test_the_minimap_leads_to_a_place_and_hides_with_the_whole(still: Explorer) -> None:
    minimap = still.page.locator("#minimap")
    expect(minimap).to_be_hidden()
    for _ in range(3):
        still.page.locator("#zoom-in").click()
    at_rest(still)
    expect(minimap).to_be_visible()
    box = minimap.bounding_box()
    assert box
    still.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    at_rest(still)
    (low, bottom), (high, top) = still.plane()["extent"]
    u, v = still.latent_at(*still.middle())
    assert u == pytest.approx(low + 0.75 * (high - low), abs=0.15)
    assert v == pytest.approx(top - 0.25 * (top - bottom), abs=0.15)
    still.page.locator("#show-whole").click()
    expect(minimap).to_be_hidden()
    expect(still.page.locator("#show-whole")).to_be_disabled()
