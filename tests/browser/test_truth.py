"""What the page says while the server is slow, silent, busy or gone, and when that is over."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tests.waiting import until
from tools.proxy import Proxy
from tools.server import Server

STILL = "?z=2,2"
DIMMED = "(element) => Number(getComputedStyle(element).opacity) < 0.5"
GREEN = "(element) => getComputedStyle(element, '::before').backgroundColor === 'rgb(63, 174, 107)'"
WAITING = "waiting for the image of this point …"
NOTE_SPOKEN = """(region) => {
    window.spoken = [];
    new MutationObserver(() => window.spoken.push(region.textContent))
        .observe(region, { childList: true, characterData: true, subtree: true });
}"""


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """End the server that all tests ask, and start it anew on its port."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def silent(server: Server) -> Iterator[None]:
    """Let the server hold its connections and answer nothing."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def images(page: Page) -> list[Locator]:
    return [page.locator(".decoded-image .plate"), page.locator("#lens")]


def expect_behind(page: Page, *, said: str) -> None:
    """The image and the ring's are dimmed, the status says why, and nothing looks live."""
    state = page.locator("#status [data-part=state]")
    expect(state).to_have_text(said)
    until(lambda: all(image.evaluate(DIMMED) for image in images(page)), "dimmed images")
    assert not page.locator("#status [data-part=state]").evaluate(GREEN)


def expect_current(page: Page) -> None:
    expect(page.locator("#status [data-part=state]")).to_contain_text("live")
    until(lambda: not any(image.evaluate(DIMMED) for image in images(page)), "bright images")
    assert page.locator("#status [data-part=state]").evaluate(GREEN)


def spoken(page: Page) -> list[str]:
    said: list[str] = page.evaluate("window.spoken")
    return said


def test_a_point_without_an_image_is_marked_and_its_words_are_its_own(
    browser: Browser, server: Server
) -> None:
    explorer = Visitor(browser, server.url).open(STILL)
    page = explorer.page
    start, end = explorer.middle(), explorer.middle(1.2, -0.6)
    page.mouse.click(*end)
    explorer.expect_image_of(explorer.latent_at(*end))
    title, shares = page.locator("#panel-point [data-part=title]"), page.locator("#shares")
    expect(title).not_to_be_empty()
    there = (title.inner_text(), shares.inner_text())
    page.mouse.click(*start)
    explorer.expect_image_of(explorer.latent_at(*start))
    expect(title).not_to_have_text(there[0])
    expect_current(page)
    connection = page.locator("#connection")
    connection.evaluate(NOTE_SPOKEN)
    with silent(server):
        page.mouse.click(*end)
        expect_behind(page, said=WAITING)
        expect(title).to_have_text(there[0])
        assert shares.inner_text() == there[1]
        assert spoken(page) == [], "the wait is no change of the connection"
        page.locator("#status[data-connection=reconnecting]").wait_for()
        expect_behind(page, said="connection lost, reconnecting …")
        expect(connection).to_have_text(re.compile("connection is lost"))
    explorer.expect_image_of(explorer.latent_at(*end))
    expect_current(page)
    assert [said.split()[0] for said in spoken(page)] == ["The", "Connected"]
    page.context.close()


def test_over_http_a_point_without_an_image_is_not_live(browser: Browser, server: Server) -> None:
    with Proxy(to=server.port, upgrades=False) as proxy:
        visitor = Visitor(browser, proxy.url)
        page = visitor.open(STILL, connection="http").page
        explorer = Explorer(page, server.url)
        place = explorer.middle(1.2, -0.6)
        with silent(server):
            page.mouse.click(*place)
            expect_behind(page, said=WAITING)
            expect(page.locator("#status [data-part=why]")).to_have_text("over HTTP")
            assert not page.locator("#status [data-part=why]").evaluate(GREEN)
        explorer.expect_image_of(explorer.latent_at(*place))
        expect(page.locator("#status [data-part=why]")).to_have_text("live over HTTP")
        assert not any(image.evaluate(DIMMED) for image in images(page))
        page.context.close()


def test_a_browser_without_network_says_so_at_once(visitor: Visitor) -> None:
    page = visitor.open(STILL).page
    connection = page.locator("#connection")
    page.context.set_offline(True)
    expect(page.locator("#status[data-connection=offline] [data-part=state]")).to_have_text(
        "no network"
    )
    expect(connection).to_have_text("There is no network.")
    page.context.set_offline(False)
    expect(page.locator("#status")).to_contain_text("live")
    expect(connection).to_have_text("Connected again.")
    visitor.forgive_streams()


def refuse_as_busy(route: Route) -> None:
    detail = "67 images wait to be decoded; this server lets 64 wait. Try again in a second."
    problem = {"title": "Overloaded", "status": 503, "detail": detail}
    route.fulfill(status=503, headers={"Retry-After": "0"}, json=problem)


def test_a_refusal_of_draws_is_told_in_words_and_goes_when_the_visitor_goes_on(
    visitor: Visitor,
) -> None:
    explorer = visitor.open("?model=mnist-vae-2d&twin=mnist-ae-2d&z=1,1")
    page = explorer.page
    page.route("**/sample", refuse_as_busy)
    page.get_by_role("button", name="Throw 60 draws").click()
    problem = page.locator("#second-map .problem")
    expect(problem).to_have_text("The server is busy. Try again in a moment.")
    page.locator("#tab-learn").click()
    expect(problem).to_be_empty()
    visitor.forgive("503")


def test_a_problem_of_the_drawing_goes_with_its_panel(visitor: Visitor) -> None:
    page = visitor.open(f"{STILL}&panel=draw").page
    page.route("**/encode", refuse_as_busy)
    page.get_by_role("button", name="Any").click()
    problem = page.locator("#draw-problem")
    expect(problem).to_have_text("The server is busy. Try again in a moment.")
    page.locator("#tab-path").click()
    page.locator("#tab-draw").click()
    expect(problem).to_be_empty()
    visitor.forgive("503")


def test_what_failed_without_the_server_is_done_once_it_is_back(
    browser: Browser, server: Server
) -> None:
    explorer = Visitor(browser, server.url).open(STILL)
    page = explorer.page
    status, problem = page.locator("#status"), page.locator("#path-problem")
    with stopped(server):
        expect(status).to_have_attribute("data-connection", "reconnecting")
        expect(status).to_contain_text("connection lost")
        page.locator("#tab-path").click()
        expect(problem).to_contain_text("The server does not answer")
    expect(status).to_have_attribute("data-connection", "open")
    expect(page.locator("#play")).to_be_enabled()
    expect(problem).to_be_empty()
    place = explorer.middle(0.5, 0.5)
    page.mouse.click(*place)
    explorer.expect_image_of(explorer.latent_at(*place))
    page.context.close()
