"""The server goes away and comes back, is full, or can be reached by requests alone."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from tests.browser.conftest import Visitor
from tools.server import Server


def test_the_page_says_that_it_lost_the_server_and_finds_it_again(browser: Browser) -> None:
    with Server() as server:
        visitor = Visitor(browser, server.url)
        explorer = visitor.open()
        status = explorer.page.locator("#status")
        server.stop()
        expect(status).to_have_attribute("data-connection", "reconnecting")
        expect(status).to_contain_text("connection lost")
        server.start()
        expect(status).to_have_attribute("data-connection", "open")
        place = explorer.middle(0.5, 0.5)
        explorer.page.mouse.click(*place)
        explorer.expect_image_of(explorer.latent_at(*place))
        explorer.page.context.close()


def mute_streams(page: Page, count: float) -> None:
    """Let the first streams of a page open and never answer."""
    opened = 0

    def answer(stream: WebSocketRoute) -> None:
        nonlocal opened
        opened += 1
        if opened > count:
            stream.connect_to_server()

    page.route_web_socket(re.compile("/stream$"), answer)


def test_where_streams_never_answer_the_image_follows_the_point_over_http(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2", before=lambda page: mute_streams(page, float("inf")))
    expect(explorer.page.locator("#status")).to_have_attribute("data-connection", "http")
    explorer.expect_image_of([2, 2])
    mouse = explorer.page.mouse
    mouse.click(*explorer.middle())
    mouse.down()
    for right, up in [(0.6, 0.3), (-0.4, 0.6)]:
        place = explorer.middle(right, up)
        mouse.move(*place, steps=12)
        explorer.expect_image_of(explorer.latent_at(*place))


def test_live_over_http_is_a_button_that_says_why(visitor: Visitor) -> None:
    page = visitor.open(before=lambda page: mute_streams(page, float("inf"))).page
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


def test_a_stream_that_answers_takes_over_from_http(visitor: Visitor) -> None:
    explorer = visitor.open(before=lambda page: mute_streams(page, 2))
    status = explorer.page.locator("#status")
    expect(status).to_have_attribute("data-connection", "http")
    expect(status).to_have_attribute("data-connection", "open")
    place = explorer.middle(0.5, 0.5)
    explorer.page.mouse.click(*place)
    explorer.expect_image_of(explorer.latent_at(*place))


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
