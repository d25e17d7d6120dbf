"""The page behind a real nginx, as deploy/nginx.conf sets it up, and as it might be changed.

What proxies may do to a page otherwise is in test_proxies.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import certificate
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tools import nginx
from tools.server import Server

pytestmark = pytest.mark.skipif(nginx.find() is None, reason="there is no nginx here")

PASS = "proxy_pass http://explorer;"
CONFIGURATIONS = {
    "as shipped": {},
    "without the path": {PASS: f"rewrite ^/explorer/(.*)$ /$1 break; {PASS}"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The explorer under the path of the shipped configuration."""
    with Server("--root-path", "/explorer") as running:
        yield running


@pytest.mark.parametrize("changes", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_drag_works_under_a_path_and_behind_a_password(
    browser: Browser, server: Server, tmp_path: Path, changes: dict[str, str]
) -> None:
    with nginx.before(server.port, tmp_path, changes) as host:
        drag(browser, f"http://{host}/explorer", server)


@pytest.mark.skipif(certificate.OPENSSL is None, reason="there is no openssl here")
def test_a_drag_works_over_tls(browser: Browser, server: Server, tmp_path: Path) -> None:
    made = certificate.make(tmp_path)
    listen = f"ssl_certificate {made.chain}; ssl_certificate_key {made.key}; listen 8080 ssl"
    with nginx.before(server.port, tmp_path, {"listen 8080": listen}) as host:
        drag(browser, f"https://{host}/explorer", server)


def drag(browser: Browser, home: str, server: Server) -> None:
    """Drag the point, and hold the image where it is let go against the server's own answer."""
    user, password = nginx.USER
    visitor = Visitor(browser, home)
    page = visitor.open(
        "?z=2,2",
        http_credentials={"username": user, "password": password},
        ignore_https_errors=True,
    ).page
    explorer = Explorer(page, server.url)
    page.mouse.click(*explorer.middle())
    page.mouse.down()
    page.mouse.move(*explorer.middle(-0.4, 0.6), steps=20)
    explorer.expect_image_of(explorer.latent_at(*explorer.middle(-0.4, 0.6)))
    page.mouse.up()
    expect(page.locator("#status")).to_have_attribute("data-connection", "open")
    page.context.close()
    assert visitor.complaints == []
