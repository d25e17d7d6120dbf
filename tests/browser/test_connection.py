"""The server is full, or can be reached by requests alone."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor


def mute_streams(page: Page) -> None:
    """Let the streams of a page open and never answer."""
    page.route_web_socket(re.compile("/stream$"), lambda stream: None)


def test_live_over_http_is_a_button_that_says_why(visitor: Visitor) -> None:
    page = visitor.open(before=mute_streams, connection="http").page
    why = page.locator("#why-http")
    button = page.get_by_role("button", name="live over HTTP")
    expect(button).to_have_attribute("aria-expanded", "false")
    asked: list[str] = []

    def explain(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=426, json={"title": "Upgrade", "detail": "The proxy is too old."})

    page.route("**/stream?origin=*", explain)
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(why).to_have_text("The proxy is too old.")
    assert parse_qs(urlsplit(asked[0]).query) == {"origin": [visitor.home]}
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(why).to_be_hidden()
    page.unroute("**/stream?origin=*")
    page.route("**/stream?origin=*", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(why).to_contain_text("passes no WebSockets")  # what the page knows by itself
    visitor.forgive("426")
    visitor.complaints = [one for one in visitor.complaints if "ERR_FAILED" not in one]


def test_a_full_server_is_asked_again_before_the_visitor_hears_of_it(visitor: Visitor) -> None:
    asked = 0

    def refuse_once(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            problem = {"title": "Overloaded", "status": 503, "detail": "Too much waits."}
            route.fulfill(status=503, headers={"Retry-After": "1"}, json=problem)
        else:
            route.continue_()

    page = visitor.open("?model=mnist-vae-2d&twin=mnist-ae-2d").page
    page.route("**/mnist-ae-2d/sample", refuse_once)
    page.get_by_role("button", name="Throw 60 draws").click()
    expect(page.locator("canvas.sample-layer[data-samples='60']:visible")).to_have_count(2)
    assert asked == 2
    expect(page.locator("#second-map .problem")).to_be_empty()
    visitor.forgive("503")
