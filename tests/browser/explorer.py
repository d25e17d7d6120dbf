"""The open page in the words of a visitor, and what the API answers for the same point."""

import math
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from playwright.sync_api import Page, expect

expect.set_options(timeout=20_000)

PATIENCE_FRAMES = 1500

PIXELS_ARE = """([selector, wanted]) => {
    const canvas = new OffscreenCanvas(28, 28);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(document.querySelector(selector), 0, 0);
    const { data } = context.getImageData(0, 0, 28, 28);
    return wanted.every((grey, i) => [0, 1, 2].every((channel) => data[4 * i + channel] === grey));
}"""

POINT_IS_AT = """(wanted) => {
    const shown = document.querySelector('#readout').dataset.latent.split(',').map(Number);
    return wanted.every((coordinate, i) => Math.abs(coordinate - shown[i]) < 1e-4);
}"""


@dataclass
class Explorer:
    """One page of the explorer.

    Args:
        page: Open, its map painted.
        home: The server's address; where the numbers come from that the page is held against.
    """

    page: Page
    home: str

    @property
    def model(self) -> str:
        """The id of the model that the visitor has chosen."""
        return self.page.locator("#choose-model").get_attribute("data-model") or ""

    def choose(self, model: str) -> None:
        """Choose another model from the list."""
        self.page.locator("#choose-model").click()
        self.page.locator(f"#model-list [data-model='{model}']").click()

    @property
    def latent(self) -> list[float]:
        """The point as the page holds it."""
        shown = self.page.locator("#readout").get_attribute("data-latent") or ""
        return [float(number) for number in shown.split(",")]

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask the API about the chosen model."""
        url = f"{self.home}/api/v1/models/{self.model}{path}"
        # The client would read all certificates anew for each question.
        answer = httpx.request(method, url, trust_env=False, verify=False, timeout=30, **request)
        return answer.raise_for_status()

    def plane(self) -> dict[str, Any]:
        """The first plane of the chosen model: origin, axes, extent."""
        plane: dict[str, Any] = self.ask("GET", "/planes").json()[0]
        return plane

    def middle(self, right: float = 0.0, up: float = 0.0) -> tuple[int, int]:
        """A place on the screen, in latent units from where the map's middle is free of panels."""
        _, _, width, height = self._map()
        u0, v0, u1, v1 = self._view()
        clear = self.page.locator("#clear").bounding_box()
        assert clear
        x = clear["x"] + clear["width"] / 2 + right * width / (u1 - u0)
        y = clear["y"] + clear["height"] / 2 - up * height / (v1 - v0)
        return round(x), round(y)

    def away(self) -> tuple[int, int]:
        """A place near the map's middle that neither the ring nor a card covers."""
        x, y = self.middle()
        across, down = self.ring()
        places = [(x + dx, y + dy) for dx in (-60, 60) for dy in (-60, 60)]
        bare = "([x, y]) => document.elementFromPoint(x, y).closest('#map') !== null"
        places = [place for place in places if self.page.evaluate(bare, place)]
        return max(places, key=lambda place: math.dist(place, (across, down)))

    def latent_at(self, x: float, y: float) -> list[float]:
        """The latent under a place of the screen, by the plane that the API describes."""
        left, top, width, height = self._map()
        u0, v0, u1, v1 = self._view()
        u = u0 + (x - left) / width * (u1 - u0)
        v = v1 - (y - top) / height * (v1 - v0)
        plane = self.plane()
        first, second = plane["axes"]
        return [
            origin + u * a + v * b
            for origin, a, b in zip(plane["origin"], first, second, strict=True)
        ]

    def codes(self) -> list[list[float]]:
        """The codes of the test images, one a row."""
        data = self.ask("GET", "/codes").content
        count, dim = np.frombuffer(data, "<u4", 2)
        codes: list[list[float]] = (
            np.frombuffer(data, "<f4", count * dim, 8).reshape(-1, dim).tolist()
        )
        return codes

    def place_of(self, latent: list[float]) -> tuple[float, float]:
        """Where on the screen a latent of a 2-D model is."""
        left, top, width, height = self._map()
        u0, v0, u1, v1 = self._view()
        x = left + (latent[0] - u0) / (u1 - u0) * width
        y = top + (v1 - latent[1]) / (v1 - v0) * height
        return x, y

    def ring(self) -> tuple[float, float]:
        """Where the middle of the ring is on the screen."""
        box = self.page.locator("#ring").bounding_box()
        assert box
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def expect_image_of(self, latent: list[float]) -> None:
        """Wait until the point is there and both its pictures are what `/decode` answers for it.

        Byte for byte, so we ask for the latent as the page holds it: one that differs in the last
        bit of a float may decode to another grey level in a pixel.
        """
        self.wait_until(POINT_IS_AT, latent)
        accept = {"Accept": "application/octet-stream"}
        answer = self.ask("POST", "/decode", json={"latents": [self.latent]}, headers=accept)
        assert len(answer.content) == 784
        self.expect_pixels(list(answer.content))

    def expect_pixels(self, grey: list[int]) -> None:
        """Wait until both pictures of the point have these 784 grey levels."""
        for canvas in ("#decoded", "#lens"):
            self.wait_until(PIXELS_ARE, [canvas, grey])

    def wait_until(self, condition: str, argument: Any = None) -> None:
        """Ask the page with every frame until a JavaScript function of `argument` says yes.

        Playwright's own way evaluates text in the page, which our security policy forbids.
        """
        asking = f"""async (argument) => {{
            const holds = {condition};
            for (let frame = 0; frame < {PATIENCE_FRAMES}; frame++) {{
                if (holds(argument)) return true;
                await new Promise(requestAnimationFrame);
            }}
            return false;
        }}"""
        assert self.page.evaluate(asking, argument), f"it never came true: {condition}"

    def _view(self) -> list[float]:
        shown = self.page.locator("#map").get_attribute("data-view") or ""
        return [float(number) for number in shown.split(",")]

    def _map(self) -> tuple[float, float, float, float]:
        box = self.page.locator("#map").bounding_box()
        assert box
        return box["x"], box["y"], box["width"], box["height"]
