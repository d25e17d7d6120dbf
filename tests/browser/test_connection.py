"""The server goes away and comes back while the page is open."""

from playwright.sync_api import Browser, expect

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
