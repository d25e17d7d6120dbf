"""The open page in the words of a visitor, driven by Playwright."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.view import View

expect.set_options(timeout=20_000)

PATIENCE_FRAMES = 1500


@dataclass
class Explorer(View):
    """One page of the explorer.

    Args:
        page: Open, its map painted.
        home: The server's address.
    """

    page: Page
    home: str

    def choose(self, model: str) -> None:
        """Choose another model from the list."""
        self.page.locator("#choose-model").click()
        self.page.locator(f"#model-list [data-model='{model}']").click()

    def attribute(self, selector: str, name: str) -> str:
        return self.page.locator(selector).get_attribute(name) or ""

    def box(self, selector: str) -> tuple[float, float, float, float]:
        box = self.page.locator(selector).bounding_box()
        assert box
        return box["x"], box["y"], box["width"], box["height"]

    def holds(self, condition: str, argument: Any) -> bool:
        return bool(self.page.evaluate(condition, argument))

    def wait_until(self, condition: str, argument: Any = None) -> None:
        """Ask the page with every frame.

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
