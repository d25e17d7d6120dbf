"""How the map feels: how soon it is there, how smoothly it moves, how much comes over the wire.

    python -m benchmarks.map [--model ID] [--seconds 5]

The first map is there when the page says that it is painted with all tiles of the view; the time is
from navigation, by the browser's own clock, with an empty cache and a server that is warm. Frames
are counted by `requestAnimationFrame` while the map is dragged and zoomed; beside them those of a
page of the same size on which nothing is drawn, in the same browser and run. A long task is one of
more than 50 ms, by the browser's own observer.
"""

import argparse
import math
import time
from itertools import pairwise

from playwright.sync_api import Browser, Page, sync_playwright

from tools import chromium
from tools.server import Server

SIZE = {"width": 1440, "height": 900}
HERTZ = 60
SETTLING = 2
"""Seconds; a new window of the browser has pages of its own to start first."""

WATCH = """() => {
  window.watched = { frames: [], long: [] };
  const frame = (time) => { window.watched.frames.push(time); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  const note = (list) => window.watched.long.push(...list.getEntries().map((e) => e.duration));
  new PerformanceObserver(note).observe({ type: 'longtask' });
}"""
PAINTED = "#plane[data-tiles=whole]"
EVERY_LAYER = "&layers=density,magnification,entropy,label"


def main() -> None:
    """Start a server and a browser, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="mnist-vae-2d")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        url = f"{server.url}/?model={options.model}"
        arrive(browser, url)  # the server is warm from here on
        print(f"{options.model}, {SIZE['width']} x {SIZE['height']}\n")
        arrivals = [arrive(browser, url) for _ in range(5)]
        print_arrival(arrivals)
        print(f"\n{'':26}{'frames/s':>9}{'of blank':>9}{'p95 ms':>8}{'long tasks':>12}")
        blank = measured(browser, "about:blank", options.seconds, gesture=pan)
        print_frames("blank page", blank, blank[0])
        for layers, query in (("as it opens", ""), ("every layer", EVERY_LAYER)):
            for name, gesture in (("pan", pan), ("zoom", zoom)):
                found = measured(browser, url + query, options.seconds, gesture)
                print_frames(f"{name}, {layers}", found, blank[0])
        browser.close()


def arrive(browser: Browser, url: str) -> dict[str, float]:
    """Open the page with an empty cache: milliseconds to the map, kilobytes until then."""
    page = browser.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]
    time.sleep(SETTLING)
    page.goto(url, wait_until="commit")
    page.locator(PAINTED).wait_for()
    found: dict[str, float] = page.evaluate(
        """() => {
          const map = performance.getEntriesByName('map')[0].startTime;
          const all = performance.getEntriesByType('resource').filter((e) => e.startTime < map);
          const own = all.filter(({ name }) => name.includes('/static/'));
          const [page] = performance.getEntriesByType('navigation');
          const sum = (entries) => entries.reduce((kb, e) => kb + e.encodedBodySize / 1000, 0);
          return { map, own: sum([page, ...own]), files: own.length,
                   rest: sum(all) - sum(own) };
        }"""
    )
    page.context.close()
    return found


def print_arrival(arrivals: list[dict[str, float]]) -> None:
    """The best and the middle of some arrivals."""
    times = sorted(arrival["map"] for arrival in arrivals)
    last = arrivals[-1]
    print(f"first map: best {times[0]:.0f} ms, median {times[len(times) // 2]:.0f} ms (limit 1000)")
    print(
        f"own script, style and page: {last['own']:.0f} KB compressed, {last['files']:.0f} files "
        f"(limit 120); codes, tiles and the rest: {last['rest']:.0f} KB"
    )


def measured(
    browser: Browser, url: str, seconds: float, gesture: object
) -> tuple[float, float, list[float]]:
    """Frames a second, the 95th percentile of their distance in ms, and long tasks."""
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
    page.goto(url)
    if url != "about:blank":
        page.locator(PAINTED).wait_for()
        page.wait_for_load_state("networkidle")
    page.evaluate(WATCH)
    assert callable(gesture)
    gesture(page, seconds)
    watched = page.evaluate("window.watched")
    page.close()
    frames = watched["frames"]
    gaps = sorted(after - before for before, after in pairwise(frames))
    rate = 1000 * len(gaps) / (frames[-1] - frames[0])
    return rate, gaps[int(0.95 * len(gaps))], watched["long"]


def pan(page: Page, seconds: float) -> None:
    """Drag the map in loops, 60 movements a second."""
    page.mouse.move(500, 760)
    page.mouse.down()
    for turn in paced(seconds):
        page.mouse.move(500 + 260 * math.sin(turn), 560 + 200 * math.cos(2 * turn))
    page.mouse.up()


def zoom(page: Page, seconds: float) -> None:
    """Turn the wheel in and out over the map."""
    page.mouse.move(620, 480)
    for turn in paced(seconds):
        page.mouse.wheel(0, -40 * math.cos(turn))


def paced(seconds: float) -> "list[float]":
    """Angles, once around in three seconds, each at its time."""
    start = time.perf_counter()

    def angles() -> "object":
        for move in range(round(seconds * HERTZ)):
            time.sleep(max(0.0, start + move / HERTZ - time.perf_counter()))
            yield 2 * math.pi * move / HERTZ / 3

    return angles()  # type: ignore[return-value]


def print_frames(name: str, found: tuple[float, float, list[float]], blank: float) -> None:
    """One line of the table."""
    rate, p95, long = found
    longest = f"{len(long)} (max {max(long):.0f})" if long else "0"
    print(f"{name:26}{rate:9.1f}{rate / blank:9.2f}{p95:8.1f}{longest:>12}")


if __name__ == "__main__":
    main()
