"""The explorer in a frame of a page of another site."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.sync_api import Browser, expect

from tools.server import Server, free_port


@contextmanager
def site(port: int, framed: str) -> Iterator[str]:
    """Serve a page that shows another in a frame; give its address, of another site."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            page = f"<!doctype html><title>A course</title><iframe src='{framed}' width=1200"
            self.wfile.write(f"{page} height=700></iframe>".encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_sites_that_the_operator_names_may_show_it_in_a_frame_and_no_others(
    browser: Browser,
) -> None:
    port = free_port()
    named = f"http://localhost:{port}"
    with Server("--models", "mnist-vae-2d", "--frame-ancestors", named) as server:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        with site(port, f"{server.url}/?z=2,2") as address:
            page.goto(address)
            frame = page.frame_locator("iframe")
            frame.locator("#status[data-connection=open]").wait_for()
            point = frame.locator("#readout")
            before = point.get_attribute("data-latent")
            clear = frame.locator("#clear").bounding_box()
            assert clear
            x, y = clear["x"] + clear["width"] / 2, clear["y"] + clear["height"] / 2
            page.mouse.click(x, y)
            expect(point).not_to_have_attribute("data-latent", before or "")
        with site(free_port(), f"{server.url}/?z=2,2") as address:
            with page.expect_console_message(lambda told: "frame-ancestors" in told.text):
                page.goto(address)
            assert page.frame_locator("iframe").locator("#plane").count() == 0
        page.close()
