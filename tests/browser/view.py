"""The page of the explorer in any browser, and what the API answers for the same point."""

import math
from abc import ABC, abstractmethod
from typing import Any

import httpx
import numpy as np

PIXELS_ARE = """([selector, wanted]) => {
    const canvas = new OffscreenCanvas(28, 28);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(document.querySelector(selector), 0, 0);
    const { data } = context.getImageData(0, 0, 28, 28);
    return wanted.every((grey, i) => [0, 1, 2].every((channel) => data[4 * i + channel] === grey));
}"""

IS_BARE = "([x, y]) => document.elementFromPoint(x, y).closest('#map') !== null"

POINT_IS_AT = """(wanted) => {
    const shown = document.querySelector('#readout').dataset.latent.split(',').map(Number);
    return wanted.every((coordinate, i) => Math.abs(coordinate - shown[i]) < 1e-4);
}"""


class View(ABC):
    """One page of the explorer, told by the attributes that tests rely on.

    Attributes:
        home: The server's address; where the numbers come from that the page is held against.
    """

    home: str

    @abstractmethod
    def attribute(self, selector: str, name: str) -> str:
        """Return an attribute of an element; nothing where it has none."""

    @abstractmethod
    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Return left, top, width and height of an element on the screen."""

    @abstractmethod
    def wait_until(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript function of `argument` says yes."""

    @abstractmethod
    def holds(self, condition: str, argument: Any) -> bool:
        """Return whether a JavaScript function of `argument` says yes now."""

    @property
    def model(self) -> str:
        """The id of the model that the visitor has chosen."""
        return self.attribute("#choose-model", "data-model")

    @property
    def latent(self) -> list[float]:
        """The point as the page holds it."""
        shown = self.attribute("#readout", "data-latent")
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
        _, _, width, height = self.box("#map")
        u0, v0, u1, v1 = self._view()
        left, top, clear_width, clear_height = self.box("#clear")
        x = left + clear_width / 2 + right * width / (u1 - u0)
        y = top + clear_height / 2 - up * height / (v1 - v0)
        return round(x), round(y)

    def away(self) -> tuple[int, int]:
        """A place near the map's middle that neither the ring nor a card covers."""
        x, y = self.middle()
        across, down = self.ring()
        places = [(x + dx, y + dy) for dx in (-60, 60) for dy in (-60, 60)]
        places = [place for place in places if self.holds(IS_BARE, place)]
        return max(places, key=lambda place: math.dist(place, (across, down)))

    def latent_at(self, x: float, y: float) -> list[float]:
        """The latent under a place of the screen, by the plane that the API describes."""
        left, top, width, height = self.box("#map")
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
        left, top, width, height = self.box("#map")
        u0, v0, u1, v1 = self._view()
        x = left + (latent[0] - u0) / (u1 - u0) * width
        y = top + (v1 - latent[1]) / (v1 - v0) * height
        return x, y

    def ring(self) -> tuple[float, float]:
        """Where the middle of the ring is on the screen."""
        left, top, width, height = self.box("#ring")
        return left + width / 2, top + height / 2

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

    def _view(self) -> list[float]:
        return [float(number) for number in self.attribute("#map", "data-view").split(",")]
