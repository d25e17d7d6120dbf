"""Tiles: which are asked for, what stands in for them, and how they are painted."""

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.camera import INKED, PIXELS_OF, at_rest, whole, width
from tests.browser.conftest import Visitor


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
    only_tiles = "layers=tiles~100,label~off,codes~off,images~off,names~off,prior~off"
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
        "?z=2,2&layers=label~off,codes~off,images~off,names~off,prior~off", color_scheme="dark"
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
