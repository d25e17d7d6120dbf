"""One visitor asks a slow machine for all that the page offers, and is refused nothing."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Browser, Response

from tests.browser.conftest import Visitor
from tools.server import Server

PACE_MILLISECONDS = 1200
"""From one lesson to the next, for somebody who looks at each for a moment."""
PRESS_EACH = """async ([lessons, pause]) => {
  for (const lesson of lessons) {
    lesson.click();
    await new Promise((go) => setTimeout(go, pause));
  }
}"""


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep the processor busy."""
    with ExitStack() as stack:
        for _ in range(processes):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def test_whoever_presses_one_lesson_after_the_other_is_never_refused(browser: Browser) -> None:
    failed: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 500:
            failed.append(f"{response.status} {response.request.method} {response.url}")

    with Server() as server:
        explorer = Visitor(browser, server.url).open("?panel=learn")
        page = explorer.page
        page.on("response", note)
        lessons = page.locator("#panel-learn button[data-model]:visible").element_handles()
        assert len(lessons) > 20
        with busy(processes=2):
            page.evaluate(PRESS_EACH, [lessons, PACE_MILLISECONDS])
        page.context.close()
    assert failed == []
