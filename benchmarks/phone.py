"""The page on a phone: Lighthouse, a processor of a quarter of the speed, and slow networks.

    python -m benchmarks.phone [--rounds 3] [--model ID]

Lighthouse is installed by npm under `build/`; where that cannot be, the script says so and goes on.
Its mobile run simulates a phone of a quarter of the speed at 1.6 Mbit/s. Of the other figures,
`longest task after start` is the longest that held the page's main thread between the moment when
all panels were mounted and 15 seconds later, the tour of the ring included; `pointer to frame` runs
from a pointer event to the frame that shows its image; a tab switch runs from the click to the
frame that shows the panel. `first dots` is when the codes are painted first, from navigation, with
an empty cache, at the processor's own speed, with 150 ms for each answer. Other work on the machine
only adds to a figure, so the best of the rounds counts; the worst stands beside it.
"""

import argparse
import json
import os
import subprocess
import tempfile
from bisect import bisect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

from benchmarks.drag import drag, measures
from benchmarks.map import PAINTED, WATCH
from benchmarks.measuring import percentile
from tools import chromium, node
from tools.server import Server

LIGHTHOUSE = "lighthouse@12.8.2"
FOLDER = Path("build/lighthouse")
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 823},
    "device_scale_factor": 1.75,
    "is_mobile": True,
    "has_touch": True,
}
SLOWDOWN = 4
AFTER_START_SECONDS = 15
DRAG_SECONDS = 8
LATENCY_MILLISECONDS = 150
TABS = ("draw", "path", "vary", "training", "measures", "learn", "point")

NOTE_TASKS = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => e.duration)))
    .observe({ type: 'longtask' });
}"""
TIME_TAB = """(id) => new Promise((resolve) => {
  const start = performance.now();
  document.getElementById(id).click();
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(performance.now() - start);
    port2.postMessage(null);
  });
})"""


@dataclass
class Figure:
    """What was measured in each round, beside what is asked."""

    asked: float
    values: list[float] = field(default_factory=list)
    more_is_better: bool = False

    def row(self, name: str) -> str:
        """Lay out one line of the table."""
        best, worst = min(self.values), max(self.values)
        if self.more_is_better:
            best, worst = worst, best
        met = best >= self.asked if self.more_is_better else best <= self.asked
        return f"{name:40}{best:9.0f}{worst:9.0f}{self.asked:9.0f}  {'' if met else 'missed'}"


def main() -> None:
    """Measure in rounds, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="mnist-vae-2d")
    options = parser.parse_args()
    figures: dict[str, Figure] = {}
    program = lighthouse()
    with Server() as server, sync_playwright() as playwright:
        url = f"{server.url}/?model={options.model}"
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        visit(browser, url)  # the server has made its tiles and fields from here on
        for _ in range(options.rounds):
            slow_processor(browser, url, figures)
            first_dots(browser, url, figures)
            for device in ("mobile", "desktop") if program else ():
                audit(program, url, device, figures)
        browser.close()
    print(f"{options.model}, {options.rounds} rounds\n")
    print(f"{'':40}{'best':>9}{'worst':>9}{'asked':>9}")
    for name, figure in figures.items():
        print(figure.row(name))


def visit(browser: Browser, url: str) -> None:
    """Open the page once, and wait for all that it loads."""
    page = browser.new_page()
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.close()


def slow_processor(browser: Browser, url: str, figures: dict[str, Figure]) -> None:
    """Take the figures of a processor of a quarter of the speed."""
    page = browser.new_context(**PHONE).new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(url)
    page.locator("html[data-state=ready]").wait_for(state="attached", timeout=60_000)
    page.evaluate(NOTE_TASKS)
    page.wait_for_timeout(1000 * AFTER_START_SECONDS)
    tasks = page.evaluate("window.tasks")
    note(figures, "longest task after start, ms, at 1/4", 100, max(tasks, default=50))
    drag(page, seconds=1)  # compilers warm up
    page.evaluate("performance.clearMeasures()")
    page.evaluate(WATCH)
    drag(page, DRAG_SECONDS)
    page.wait_for_timeout(200)  # the last image's frame comes
    frames = page.evaluate("watched.frames")
    pixels = [(start, end) for start, end in measures(page, "pointer-to-pixel") if end < frames[-1]]
    shown = [frames[bisect(frames, end)] - start for start, end in pixels]
    note(figures, "drag, pointer to frame, p95, ms, at 1/4", 33, percentile(shown, 95))
    switches = [page.evaluate(TIME_TAB, f"tab-{tab}") for tab in TABS]
    note(figures, "slowest tab switch, ms, at 1/4", 100, max(switches))
    page.context.close()


def first_dots(browser: Browser, url: str, figures: dict[str, Figure]) -> None:
    """Open the page over slow networks with an empty cache."""
    for kilobits, asked in ((1600, 2500), (410, 4000)):
        page = browser.new_context(**PHONE).new_page()
        slow_network(page.context.new_cdp_session(page), kilobits)
        page.goto(url, wait_until="commit")
        page.locator(PAINTED).wait_for()
        time = page.evaluate("performance.getEntriesByName('dots')[0].startTime")
        note(figures, f"first dots, ms, at {kilobits} kbit/s", asked, time)
        page.context.close()


def slow_network(devtools: CDPSession, kilobits: float) -> None:
    """Let a page have so many kilobits a second."""
    rate = 1000 * kilobits / 8
    devtools.send("Network.enable")
    devtools.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MILLISECONDS,
            "downloadThroughput": rate,
            "uploadThroughput": rate,
        },
    )


def lighthouse() -> list[str]:
    """Return the command of Lighthouse, installed if need be; empty: it cannot be had here."""
    program, npm = node.get()
    script = FOLDER / "node_modules/lighthouse/cli/index.js"
    if not script.exists():
        install = [*npm, "install", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit"]
        done = subprocess.run([*install, "--no-fund", LIGHTHOUSE], capture_output=True, text=True)
        if done.returncode:
            print(f"Lighthouse cannot be installed here, and is left out: {done.stderr.strip()}\n")
            return []
    return [program, str(script)]


def audit(program: list[str], url: str, device: str, figures: dict[str, Figure]) -> None:
    """Run Lighthouse once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        flags = " ".join(["--headless=new", *chromium.FLAGS])
        preset = ["--preset=desktop"] if device == "desktop" else []
        output = ["--output=json", f"--output-path={path}", f"--chrome-flags={flags}", "--quiet"]
        subprocess.run(
            [*program, url, *preset, *output],
            env={**os.environ, "CHROME_PATH": chromium.find() or ""},
            check=True,
        )
        report = json.loads(path.read_text())
    for name, category in report["categories"].items():
        least = 100 if name != "performance" else 90 if device == "mobile" else 98
        score = 100 * category["score"]
        note(figures, f"Lighthouse {device}, {name}", least, score, more_is_better=True)
    for name, asked in (
        ("first-contentful-paint", 1800),
        ("largest-contentful-paint", 2500),
        ("speed-index", 3400),
        ("total-blocking-time", 200),
    ):
        value = report["audits"][name]["numericValue"]
        note(figures, f"  {device}, {name}, ms", asked, value)
    shift = 1000 * report["audits"]["cumulative-layout-shift"]["numericValue"]
    note(figures, f"  {device}, layout shift, thousandths", 100, shift)


def note(
    figures: dict[str, Figure],
    name: str,
    asked: float,
    value: float,
    *,
    more_is_better: bool = False,
) -> None:
    """Keep a value of this round."""
    figure = figures.setdefault(name, Figure(asked, more_is_better=more_is_better))
    figure.values.append(value)


if __name__ == "__main__":
    main()
