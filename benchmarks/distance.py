"""A drag from afar: real Chromium, 60 movements a second, through a proxy that delays bytes.

    python -m benchmarks.distance [--seconds 6] [--rounds 2] [--only stream|http]

The distances take turns, and of the rounds of each the one with most images counts.
*images a second* are those that the page paints, *ratio* is to those of the same way at 0 ms. *lag*
runs from the browser's pointer event to the image of that point on its canvas, by the page's own
performance measures; the last column is its p95 without the round trip. Jitter makes a round trip
shorter or longer by up to so much; with pauses nothing arrives for so long, every 5 seconds.

Over HTTP the proxy passes no WebSocket, so the page asks by `POST .../decode`. Chromium opens 6
connections to a host that speaks HTTP/1.1 as ours does.
"""

import argparse
import time
from dataclasses import dataclass
from itertools import product

from playwright.sync_api import Browser, sync_playwright

from benchmarks.drag import FRAME_MILLISECONDS, drag, measures
from benchmarks.measuring import percentile
from tools import chromium
from tools.proxy import Proxy
from tools.server import Server

ASKED_RATIO = 0.9
ASKED_BEYOND_MILLISECONDS = 2 * FRAME_MILLISECONDS
ASKED_HTTP_RATIO = 2
WAYS = {"stream": "open", "http": "http"}
"""What the page's status says while it asks that way."""


@dataclass(frozen=True)
class Distance:
    """How far the server is, in milliseconds."""

    round_trip: int
    jitter: int = 0
    pause: int = 0

    def __str__(self) -> str:
        jitter = f", jitter {self.jitter}" if self.jitter else ""
        pause = f", pauses of {self.pause}" if self.pause else ""
        return f"{self.round_trip}{jitter}{pause}"


NEAR = Distance(0)
DISTANCES = (
    NEAR,
    *(Distance(round_trip) for round_trip in (20, 50, 100, 200)),
    Distance(100, jitter=20),
    Distance(100, pause=300),
)


@dataclass(frozen=True)
class Drag:
    """How it went."""

    rate: float
    """Images a second."""
    lags: list[float]
    """Milliseconds from a pointer event to its image."""

    @property
    def p95(self) -> float:
        """The lag that one image in twenty exceeds."""
        return percentile(self.lags, 95)


def main() -> None:
    """Start a server, proxies and a browser, drag, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=WAYS)
    options = parser.parse_args()
    ways = [options.only] if options.only else list(WAYS)
    best: dict[tuple[str, Distance], Drag] = {}
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for _, way, distance in product(range(options.rounds), ways, DISTANCES):
            found = drag_at(distance, browser, server.port, way, options.seconds)
            former = best.setdefault((way, distance), found)
            best[way, distance] = max(former, found, key=lambda one: one.rate)
        browser.close()
    print("| way | round trip, ms | images a second | ratio | lag p50, ms | p95 | beyond |")
    print("|---|---|---|---|---|---|---|")
    for (way, distance), found in best.items():
        print(row(way, distance, found, near=best[way, NEAR]))
    print(f"\nasked: a ratio of {ASKED_RATIO}, at most {ASKED_BEYOND_MILLISECONDS:.0f} ms beyond")
    if len(ways) == len(WAYS):
        ratio = best["http", NEAR].p95 / best["stream", NEAR].p95
        print(f"p95 over HTTP against the stream, 0 ms: {ratio:.2f} (asked: {ASKED_HTTP_RATIO})")


def row(way: str, distance: Distance, found: Drag, near: Drag) -> str:
    """Lay out one line of the table."""
    beyond = found.p95 - distance.round_trip
    return (
        f"| {way} | {distance} | {found.rate:.1f} | {found.rate / near.rate:.2f} | "
        f"{percentile(found.lags, 50):.1f} | {found.p95:.1f} | {beyond:.1f} |"
    )


def drag_at(distance: Distance, browser: Browser, port: int, way: str, seconds: float) -> Drag:
    """Drag so far from the server."""
    proxy = Proxy(
        to=port,
        upgrades=way == "stream",
        round_trip_seconds=distance.round_trip / 1000,
        jitter_seconds=distance.jitter / 1000,
        pause_seconds=distance.pause / 1000,
    )
    with proxy:
        return dragged(browser, f"{proxy.url}/?z=0,0", WAYS[way], seconds)


def dragged(browser: Browser, url: str, connection: str, seconds: float) -> Drag:
    """Open a page, wait until its status says how it is connected, and drag."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url)
    page.locator(f"#status[data-connection={connection}]").wait_for()
    page.wait_for_load_state("networkidle")
    drag(page, seconds=1)  # caches and compilers warm up, and the page learns the round trip
    page.wait_for_timeout(1000)  # the last images arrive
    page.evaluate("performance.clearMeasures()")
    began = time.perf_counter()
    drag(page, seconds)
    took = time.perf_counter() - began
    page.wait_for_timeout(1000)
    spans = measures(page, "pointer-to-pixel")
    page.context.close()
    return Drag(len(spans) / took, [end - start for start, end in spans])


if __name__ == "__main__":
    main()
