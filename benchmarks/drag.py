"""How long from the pointer to the pixel: a real drag in real Chromium, 60 movements a second.

    python -m benchmarks.drag [--seconds 10] [--model ID]

`pointer to pixel` runs from the browser's pointer event to the image on its canvas, `round trip`
from the latent's sending to its image's arrival; both are the page's own performance measures.
`pointer to frame` runs on to where the browser begins the next frame, the first to show the image.
The limit is one frame of a 60 Hz screen: nobody can see what is faster. Tasks that held the page up
for more than 50 ms are counted as the browser counts them.
"""

import argparse
import bisect
import math
import statistics
import time

from playwright.sync_api import Page, sync_playwright

from benchmarks.map import WATCH
from tools import chromium
from tools.server import Server

HERTZ = 60
FRAME_MILLISECONDS = 1000 / HERTZ


def main() -> None:
    """Start a server and a browser, drag, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--model", default="mnist-vae-2d")
    options = parser.parse_args()
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/?model={options.model}")
        page.locator("#status[data-connection=open]").wait_for()
        page.wait_for_load_state("networkidle")
        drag(page, seconds=1)  # caches and compilers warm up
        page.evaluate("performance.clearMeasures()")
        page.evaluate(WATCH)
        used = server.cpu_seconds()
        moves = drag(page, options.seconds)
        used = server.cpu_seconds() - used
        pixels, trips = measures(page, "pointer-to-pixel"), measures(page, "round-trip")
        page.wait_for_timeout(FRAME_MILLISECONDS * 4)  # the last image's frame comes
        frames, long_tasks = page.evaluate("[watched.frames, watched.long]")
        browser.close()
    shown = [(start, frames[bisect.bisect(frames, end)]) for start, end in pixels]
    times = {"pointer to pixel": pixels, "pointer to frame": shown, "round trip": trips}
    print(f"{options.model}, {moves} movements at {HERTZ} Hz, milliseconds\n")
    print(f"{'':18}{'images':>8}{'p50':>8}{'p95':>8}{'max':>8}{'p95 / frame':>14}")
    for name, spans in times.items():
        print(row(name, [end - start for start, end in spans]))
    print(f"\nlong tasks: {len(long_tasks)}, the longest {max(long_tasks, default=0):.0f} ms")
    print(f"server: {1e6 * used / len(trips):.0f} CPU microseconds an image")


def drag(page: Page, seconds: float) -> int:
    """Lead the ring along a smooth curve in the free part of the map; return the movements."""
    free = page.locator("#clear").bounding_box()
    assert free, "the page does not say where its map is free"
    moves = round(seconds * HERTZ)
    start = time.perf_counter()
    for move in range(moves):
        time.sleep(max(0.0, start + move / HERTZ - time.perf_counter()))
        turn = 2 * math.pi * move / HERTZ / 4  # once around in four seconds
        x = free["x"] + free["width"] * (0.5 + 0.4 * math.sin(turn))
        y = free["y"] + free["height"] * (0.5 + 0.4 * math.sin(1.5 * turn))
        page.mouse.move(x, y)
        if move == 0:
            page.mouse.click(x, y)  # brings the ring
            page.mouse.down()
    page.mouse.up()
    return moves


def measures(page: Page, name: str) -> list[tuple[float, float]]:
    """Return where each of the page's performance measures of a name starts and ends, in ms."""
    spans: list[list[float]] = page.evaluate(
        "(name) => performance.getEntriesByName(name)"
        ".map(({ startTime, duration }) => [startTime, startTime + duration])",
        name,
    )
    return [(start, end) for start, end in spans]


def row(name: str, durations: list[float]) -> str:
    """Lay out one line of the table."""
    cuts = statistics.quantiles(durations, n=20, method="inclusive")
    p50, p95 = cuts[9], cuts[18]
    numbers = f"{len(durations):8}{p50:8.1f}{p95:8.1f}{max(durations):8.1f}"
    return f"{name:18}{numbers}{p95 / FRAME_MILLISECONDS:14.2f}"


if __name__ == "__main__":
    main()
