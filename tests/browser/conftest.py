"""A real server, a real Chromium, and pages that remember everything that went wrong in them."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from tests.browser.explorer import Explorer
from tools import chromium
from tools.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The explorer on the shipped models; a test that stops a server starts its own."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; they come last, for its event loop would be in others' way."""
    with sync_playwright() as playwright:
        executable = chromium.find()
        running = playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS)
        yield running
        running.close()


class Visitor:
    """Opens pages, each in a browser profile of its own, and collects what they complain of."""

    def __init__(self, browser: Browser, home: str) -> None:
        self.browser = browser
        self.home = home
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    def page(self, **profile: Any) -> Page:
        """Make an empty page in a browser profile of its own."""
        page = self.browser.new_context(**profile).new_page()
        page.on("console", self.note_if_bad)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self.note_if_foreign)
        self.contexts.append(page.context)
        return page

    def leave(self) -> None:
        """Close all pages, of which none may have complained."""
        for context in self.contexts:
            context.close()
        assert self.complaints == []

    def open(
        self,
        address: str = "",
        *,
        before: Callable[[Page], object] | None = None,
        connection: str = "open",
        **profile: Any,
    ) -> Explorer:
        """Open an address relative to the home page, once the map is painted.

        Args:
            address: For example `?model=mnist-ae-2d`.
            before: Called with the page while it is still empty.
            connection: How images come: `open`, by the stream, or `http`.
            profile: What the visitor's browser is like, in Playwright's words: `viewport`,
                `color_scheme`, `reduced_motion`, `has_touch`.
        """
        page = self.page(**profile)
        if before:
            before(page)
        page.goto(f"{self.home}/{address}")
        page.locator("#plane[data-state=painted]").wait_for()
        page.locator(f"#status[data-connection={connection}]").wait_for()
        page.locator("html[data-state=ready]").wait_for(state="attached")
        return Explorer(page, self.home)

    def note_if_bad(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def forgive(self, status: str) -> None:
        """Take back what the browser itself reports of requests refused with a status."""
        self.complaints = [one for one in self.complaints if f"a status of {status}" not in one]

    def forgive_streams(self) -> None:
        """Take back what the browser itself reports of streams that did not open."""
        self.complaints = [one for one in self.complaints if "WebSocket connection to" not in one]

    def note_if_foreign(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in {"data", "blob"} and asked.netloc != urlsplit(self.home).netloc:
            self.complaints.append(f"asked another host: {request.url}")


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Who opens pages. No page may complain: of an error, a refused script, a foreign host."""
    visitor = Visitor(browser, server.url)
    yield visitor
    visitor.leave()


@pytest.fixture(scope="module")
def resident(browser: Browser, server: Server) -> Iterator[Visitor]:
    """A visitor who stays for all tests of a file: each leaves the page as the next expects it."""
    visitor = Visitor(browser, server.url)
    yield visitor
    visitor.leave()
