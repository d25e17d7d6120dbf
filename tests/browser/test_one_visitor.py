"""One visitor in a hurry asks for all that the page offers, and is refused nothing."""

from playwright.sync_api import Browser, Response

from tests.browser.conftest import Visitor
from tools.server import Server

PACE_MILLISECONDS = 800
"""From one lesson to the next: about a third of what somebody takes who looks at each for a moment.

So the server has as little time for each as a machine of a third of the speed.
"""
PRESS_EACH = """async ([lessons, pause]) => {
  for (const lesson of lessons) {
    lesson.click();
    await new Promise((go) => setTimeout(go, pause));
  }
}"""


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
        page.evaluate(PRESS_EACH, [lessons, PACE_MILLISECONDS])
        page.context.close()
    assert failed == []
