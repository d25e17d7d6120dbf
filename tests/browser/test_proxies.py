"""The page behind proxies that pass less than it asks for, or pass it late: see tools/proxy.py."""

import math
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import certificate
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tools.proxy import Proxy
from tools.server import Server

OTHER_HOST = {"Host": "explorer.internal"}
STREAM, HTTP = "open", "http"
"""What the status says of the way that images come."""

PROXIES: dict[str, dict[str, Any]] = {
    "that rewrites Host and adds X-Forwarded-Host": {
        "rewrites": OTHER_HOST,
        "adds": {"X-Forwarded-Host": "{host}"},
    },
    "that rewrites Host and adds Forwarded": {
        "rewrites": OTHER_HOST,
        "adds": {"Forwarded": 'for=192.0.2.1;host="{host}"'},
    },
    "far away": {"round_trip_seconds": 0.1, "jitter_seconds": 0.02, "pause_seconds": 0.3},
    "under a path": {"prefix": "/explorer"},
}
"""These let a stream open."""

NO_STREAM: dict[str, tuple[str, dict[str, Any]]] = {
    "that passes no upgrades": ("let it forward Upgrade and Connection", {"upgrades": False}),
    "that rewrites Origin": (
        "the server's log names the setting that helps",
        {"rewrites": {"Origin": "http://localhost:8000"}},
    ),
    "that rewrites Host": ("EXPLORER_ALLOWED_ORIGINS=http://127.0.0.1:", {"rewrites": OTHER_HOST}),
    "whose streams never answer": ("passes no WebSockets", {"holds_bytes": math.inf}),
    "that buffers streams": ("passes no WebSockets", {"holds_bytes": 16_384}),
    "under a path and far away": (
        "passes no WebSockets",
        {"upgrades": False, "prefix": "/explorer", "round_trip_seconds": 0.1},
    ),
}
"""These do not; with a part of what the page says of them."""


@contextmanager
def arrived(browser: Browser, proxy: Proxy, connection: str, **profile: Any) -> Iterator[Explorer]:
    """Visit the page behind a proxy; it may complain of nothing but a stream that does not open."""
    with proxy:
        visitor = Visitor(browser, proxy.url)
        page = visitor.open("?z=2,2", connection=connection, **profile).page
        yield Explorer(page, f"http://127.0.0.1:{proxy.to}")
        page.context.close()
    visitor.forgive_streams()
    visitor.forgive("426")
    assert visitor.complaints == []


def drag(explorer: Explorer) -> None:
    """Drag the point, and wait for the image where it is let go."""
    start, end = explorer.middle(), explorer.middle(-0.4, 0.6)
    mouse = explorer.page.mouse
    mouse.click(*start)
    explorer.expect_image_of(explorer.latent_at(*start))
    mouse.down()
    mouse.move(*end, steps=30)
    explorer.expect_image_of(explorer.latent_at(*end))
    mouse.up()


@pytest.mark.parametrize("options", PROXIES.values(), ids=PROXIES)
def test_a_drag_has_its_stream_behind_a_proxy(
    browser: Browser, server: Server, options: dict[str, Any]
) -> None:
    with arrived(browser, Proxy(to=server.port, **options), STREAM) as explorer:
        drag(explorer)
        expect(explorer.page.locator("#status")).to_contain_text("live")


@pytest.mark.parametrize(("said", "options"), NO_STREAM.values(), ids=NO_STREAM)
def test_a_drag_goes_over_http_and_a_click_says_why_behind_a_proxy(
    browser: Browser, server: Server, said: str, options: dict[str, Any]
) -> None:
    with arrived(browser, Proxy(to=server.port, **options), HTTP) as explorer:
        drag(explorer)
        explorer.page.get_by_role("button", name="live over HTTP").click()
        expect(explorer.page.locator("#why-http")).to_contain_text(said)


@pytest.mark.skipif(certificate.OPENSSL is None, reason="there is no openssl here")
def test_a_drag_works_where_tls_ends_before_the_server(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    made = certificate.make(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.chain, made.key)
    with arrived(
        browser, Proxy(to=server.port, tls=tls), STREAM, ignore_https_errors=True
    ) as explorer:
        drag(explorer)


def test_a_drag_goes_on_while_its_streams_are_cut(browser: Browser, server: Server) -> None:
    proxy = Proxy(to=server.port, cuts_seconds=1)
    with arrived(browser, proxy, STREAM) as explorer:
        mouse = explorer.page.mouse
        mouse.click(*explorer.middle())
        mouse.down()
        while proxy.streams < 4:
            mouse.move(*explorer.middle(-0.4, 0.6), steps=10)
            mouse.move(*explorer.middle(), steps=10)
        mouse.up()
        drag(explorer)
        status = explorer.page.locator("#status")
        expect(status).to_have_attribute("data-connection", re.compile(f"{STREAM}|{HTTP}"))


def test_the_page_takes_the_stream_as_soon_as_the_proxy_passes_it(
    browser: Browser, server: Server
) -> None:
    proxy = Proxy(to=server.port, upgrades=False)
    with arrived(browser, proxy, HTTP) as explorer:
        drag(explorer)
        proxy.upgrades = True
        expect(explorer.page.locator("#status")).to_have_attribute("data-connection", STREAM)
        drag(explorer)
