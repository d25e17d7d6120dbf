"""The page of the explorer, open in a browser that WebDriver drives."""

from typing import Any

from tests.browser.view import View
from tests.waiting import until
from tools.webdriver import Browser, Place

SELDOM = 60
"""Seconds after which what is waited for has failed; a browser without a GPU paints slowly."""

# That an observer is told of a size one frame later is no error, though it comes as one.
LISTEN = """() => {
    globalThis.complaints = [];
    const note = (what) => complaints.push(String(what));
    addEventListener('error', ({ message }) => {
        if (!message.startsWith('ResizeObserver')) note(message);
    });
    addEventListener('unhandledrejection', ({ reason }) => note(reason));
    addEventListener('securitypolicyviolation', ({ blockedURI }) => note(`refused ${blockedURI}`));
    console.error = note;
}"""
READY = """() => document.documentElement.dataset.state === 'ready'
    && document.querySelector('#plane').dataset.tiles === 'whole'"""
REST = """async () => {
    const view = () => document.querySelector('#map').dataset.view;
    for (let last = view(), same = 0; same < 10; same++) {
        await new Promise(requestAnimationFrame);
        if (view() !== last) same = 0;
        last = view();
    }
}"""
BOX = """(selector) => {
    const { left, top, width, height } = document.querySelector(selector).getBoundingClientRect();
    return [left, top, width, height];
}"""
SHOW = """(selector) => document.querySelector(selector)
    .scrollIntoView({ block: 'center', behavior: 'instant' })"""
IS_REACHED = """([x, y], selector) => {
    const wanted = document.querySelector(selector);
    const found = document.elementFromPoint(x, y);
    return wanted.contains(found) || (found?.closest('label')?.contains(wanted) ?? false);
}"""


class Opened(View):
    """One page of the explorer.

    Args:
        browser: Its page is led to the explorer, and listened to.
        home: The server that the API is asked of.
        address: Of the page.
    """

    def __init__(self, browser: Browser, home: str, address: str) -> None:
        self.browser = browser
        self.home = home
        browser.open(address)
        browser.evaluate(LISTEN)
        self.wait_until(READY)
        browser.evaluate(REST)

    def attribute(self, selector: str, name: str) -> str:
        find = "(selector, name) => document.querySelector(selector).getAttribute(name) ?? ''"
        return str(self.browser.evaluate(find, selector, name))

    def box(self, selector: str) -> tuple[float, float, float, float]:
        left, top, width, height = self.browser.evaluate(BOX, selector)
        return left, top, width, height

    def holds(self, condition: str, argument: Any) -> bool:
        return bool(self.browser.evaluate(condition, argument))

    def wait_until(self, condition: str, argument: Any = None) -> None:
        until(lambda: self.holds(condition, argument), condition, seconds=SELDOM)

    def place(self, selector: str, across: float = 0.5, down: float = 0.5) -> Place:
        """Bring an element into sight, and return a place on it, in parts of its size."""
        self.browser.evaluate(SHOW, selector)
        left, top, width, height = self.box(selector)
        return left + across * width, top + down * height

    def click(self, selector: str) -> None:
        """Click on an element with the mouse, once nothing lies over it."""

        def reached() -> list[Place]:
            place = self.place(selector)
            return [place] if self.browser.evaluate(IS_REACHED, place, selector) else []

        [place] = until(reached, f"{selector} to be reached", seconds=SELDOM)
        self.browser.click(place)

    def expect_no_complaint(self) -> None:
        """Fail if the page has met an error, or tells the visitor of one."""
        assert self.browser.evaluate("() => complaints") == []
        assert self.browser.evaluate("() => document.querySelector('#notice').hidden")
