"""The page behind a real nginx, as deploy/nginx.conf sets it up: a password, a path of its own."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tools import nginx
from tools.server import Server


@pytest.mark.skipif(nginx.find() is None, reason="there is no nginx here")
def test_the_page_works_under_a_path_and_behind_a_password(
    browser: Browser, tmp_path: Path
) -> None:
    user, password = nginx.USER
    with (
        Server("--root-path", "/explorer") as server,
        nginx.before(server.port, tmp_path) as host,
    ):
        visitor = Visitor(browser, f"http://{host}/explorer")
        credentials = {"username": user, "password": password}
        explorer = visitor.open(http_credentials=credentials)
        page = explorer.page
        expect(page.locator("#status")).to_have_attribute("data-connection", "open")
        before = explorer.latent
        page.locator("#ring").focus()
        page.keyboard.press("ArrowRight")
        explorer.wait_until(
            "(z) => document.querySelector('#readout').dataset.latent !== z",
            ",".join(map(str, before)),
        )
        expect(page.locator("#status")).to_have_attribute("data-p50", re.compile(r"\d"))
        page.context.close()
        assert visitor.complaints == []
