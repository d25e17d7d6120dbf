"""The pictures of the page in `docs/images`: `python -m tools.screenshots` makes them all anew.

Each is taken of a real server in a real Chromium, in the dark and in the light theme, and kept as a
PNG of 256 colours: half the bytes or less, and the same to the eye.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tools import chromium
from tools.server import Server

FOLDER = Path(__file__).parents[1] / "docs" / "images"
COLOURS = 256
PATIENCE_MS = 120_000
A_WHILE_MS = 1500
"""For the words that follow the point once it rests."""

WALK = "?panel=path&walk=3~2~geodesic"
HALF_WAY = "30"
POINT = "?z=0.3,0.9"
TWIN = "?z=0.3,0.9&twin=mnist-ae-2d&draws=1"
LAID_OUT = {1440: (900, WALK), 768: (1024, POINT), 390: (844, POINT)}
"""By width: the height, and the address."""

Scheme = Literal["dark", "light"]


class Shot(NamedTuple):
    """A picture to take: which file, of which address, in which window."""

    name: str
    address: str
    width: int
    height: int
    scheme: Scheme


def shots() -> Iterator[Shot]:
    """Name every picture of `docs/images` that this command makes."""
    schemes: tuple[Scheme, Scheme] = ("dark", "light")
    for scheme in schemes:
        for width, (height, address) in LAID_OUT.items():
            yield Shot(f"explorer-{scheme}-{width}.png", address, width, height, scheme)
    yield Shot("explorer-twin-1440.png", TWIN, 1440, 900, "light")


def take(browser: Browser, home: str, shot: Shot) -> Image.Image:
    """Open the page at rest, with all that it fetches for this view, and picture the window."""
    page = browser.new_page(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=shot.scheme,
        reduced_motion="reduce",
    )
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{home}/{shot.address}")
    page.locator("html[data-state=ready]").wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    for plane in page.locator(".plane").all():
        plane.and_(
            page.locator("[data-state=painted][data-tiles=whole][data-fields=whole]")
        ).wait_for()
    settle(page)
    picture = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    return picture


def settle(page: Page) -> None:
    """Go half-way on a walk, if there is one; make the round trip shown one of many; rest."""
    if page.locator("#panel-path").is_visible():
        page.locator("#play:enabled").wait_for()
        page.locator("#scrub").fill(HALF_WAY)
    page.locator("#map").focus()
    for key in ["ArrowRight", "ArrowLeft"] * 30:
        page.keyboard.press(key, delay=20)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(A_WHILE_MS)


def save(picture: Image.Image, path: Path) -> None:
    """Write a PNG with a palette that covers the rare colours, such as the codes', as well."""
    covering = Image.Quantize.MAXCOVERAGE
    palette = picture.convert("RGB").quantize(
        COLOURS, method=covering, kmeans=2, dither=Image.Dither.NONE
    )
    palette.save(path, optimize=True)


def main() -> None:
    """Make every picture."""
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for shot in shots():
            path = FOLDER / shot.name
            save(take(browser, server.url, shot), path)
            print(f"{path.relative_to(FOLDER.parents[1])}: {path.stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    main()
