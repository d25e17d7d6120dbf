"""What a frame of a drag costs the page, by the browser's own tracing.

    python -m benchmarks.page [--seconds 5] [--model ID]

The ring is dragged by two mice: a real one that moves 60 times a second, and one of 1,000 Hz whose
events are made in the page, because no test driver is as fast: raw updates each millisecond, and
before each frame the one move that sums them up, as the browser tells of them. The numbers are of
one frame, milliseconds those of the main thread's processor time. A forced layout is one that a
script asked for by reading a place. `bytes allocated` are those of the page's scripts on the
JavaScript heap, sampled in a drag of their own. A question is a latent that went out; an answer is
overtaken if another came before the frame that would have shown it. `pointer to frame` runs, for
each frame that showed a new image, from the event that it answers.
"""

import argparse
import bisect
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.drag import drag, measures
from benchmarks.map import SIZE, WATCH
from tools import chromium
from tools.server import Server

CATEGORIES = ["-*", "devtools.timeline", "v8", "disabled-by-default-devtools.timeline.stack"]
SAMPLING_BYTES = 1024
MOST_NAMED = 8

FAST_MOUSE = """async (seconds) => {
  const clock = `const cell = new Int32Array(
    new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  for (;;) { Atomics.wait(cell, 0, 0, 1); postMessage(0); }`;
  const ticks = new Worker(URL.createObjectURL(new Blob([clock])));
  const free = document.getElementById('clear').getBoundingClientRect();
  const ring = document.querySelector('.ring');
  const start = performance.now();
  let sent = 0, told = 0, last = 0;
  function tell(kind) {
    const turn = 2 * Math.PI * (performance.now() - start) / 4000;
    ring.dispatchEvent(new PointerEvent(kind, {
      clientX: free.x + free.width * (0.5 + 0.4 * Math.sin(turn)),
      clientY: free.y + free.height * (0.5 + 0.4 * Math.sin(1.5 * turn)),
      pointerId: window.held, buttons: 1, pointerType: 'mouse', isPrimary: true, bubbles: true,
    }));
  }
  ticks.onmessage = () => {
    if (performance.now() - last < 0.5) return; // the browser too joins what has waited
    last = performance.now();
    sent++;
    tell('pointerrawupdate');
  };
  await new Promise((resolve) => requestAnimationFrame(function frame() {
    if (performance.now() - start > 1000 * seconds) return resolve();
    requestAnimationFrame(frame);
    if (told < sent) tell('pointermove');
    told = sent;
  }));
  ticks.terminate();
  return sent;
}"""
NOTE_HOLDER = "() => addEventListener('pointerdown', (e) => { window.held = e.pointerId; }, true)"


def main() -> None:
    """Start a server and a browser, drag with either mouse, and print what it cost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--model", default="mnist-vae-2d")
    options = parser.parse_args()
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        page = browser.new_page(viewport=SIZE, bypass_csp=True)  # type: ignore[arg-type]
        page.goto(f"{server.url}/?model={options.model}")
        page.locator("#status[data-connection=open]").wait_for()
        page.wait_for_load_state("networkidle")
        page.evaluate(NOTE_HOLDER)
        drag(page, seconds=1)  # caches and compilers warm up
        page.evaluate(WATCH)
        for name, mouse in (("60 Hz", drag), ("1,000 Hz", fast_drag)):
            print(f"\n{options.model}, a mouse of {name}\n")
            measure(browser, page, mouse, options.seconds)
        browser.close()


def fast_drag(page: Page, seconds: float) -> int:
    """Lead the ring by 1,000 events a second; return how many the page could take."""
    drag(page, seconds=0.05)
    page.mouse.down()
    events: int = page.evaluate(FAST_MOUSE, seconds)
    page.mouse.up()
    return events


def measure(
    browser: Browser, page: Page, mouse: Callable[[Page, float], int], seconds: float
) -> None:
    """Drag three times: undisturbed, traced, and with allocations sampled; print the tables."""
    page.wait_for_timeout(500)  # what followed the last drag has ended
    page.evaluate("performance.clearMeasures(); watched.frames.length = watched.long.length = 0")
    start = time.perf_counter()
    events = mouse(page, seconds)
    hertz = events / (time.perf_counter() - start)
    page.wait_for_timeout(100)
    frames, long = page.evaluate("[watched.frames, watched.long]")
    print_latency(page, hertz, frames, long)

    page.evaluate("watched.frames.length = 0")
    browser.start_tracing(page=page, categories=CATEGORIES)
    mouse(page, seconds)
    count = page.evaluate("watched.frames.length")
    print_trace(json.loads(browser.stop_tracing())["traceEvents"], count)

    devtools = page.context.new_cdp_session(page)
    page.evaluate("watched.frames.length = 0")
    print_allocations(*allocations(devtools, lambda: mouse(page, seconds)), page)
    devtools.detach()


def print_latency(page: Page, hertz: float, frames: list[float], long: list[float]) -> None:
    """What was asked, what was seen of it, and how old it was when it was seen."""
    trips, pixels = measures(page, "round-trip"), measures(page, "pointer-to-pixel")
    shown_in = [bisect.bisect(frames, end) for _, end in trips]
    overtaken = len(shown_in) - len(set(shown_in))
    newest = {bisect.bisect(frames, end): start for start, end in pixels}
    ages = [frames[at] - start for at, start in newest.items() if at < len(frames)]
    cuts = statistics.quantiles(ages, n=20, method="inclusive")
    print(f"{hertz:.0f} events a second, {len(frames)} frames, {len(trips)} questions; ", end="")
    print(f"{overtaken} answers overtaken ({overtaken / len(trips):.0%})")
    print(f"pointer to frame: p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms")
    print(f"long tasks: {len(long)}, the longest {max(long, default=0):.0f} ms\n")


def print_trace(events: list[dict[str, Any]], frames: int) -> None:
    """Where the main thread's time went, and who forced layouts."""
    own = Counter((e["pid"], e["tid"]) for e in events if e["name"] == "FunctionCall")
    main = [e for e in events if (e["pid"], e["tid"]) == own.most_common(1)[0][0] and "tdur" in e]
    scripts = [e for e in main if e["name"] == "FunctionCall"]
    forced = Counter[str]()
    print(f"{'a frame':22}{'times':>8}{'ms':>8}")
    for name, kinds in (
        ("script", {"FunctionCall"}),
        ("style", {"UpdateLayoutTree"}),
        ("layout", {"Layout"}),
        ("paint", {"PrePaint", "Paint", "Layerize", "UpdateLayer"}),
        ("garbage collection", {"MinorGC", "MajorGC"}),
    ):
        found = [e for e in main if e["name"] in kinds]
        spent = union([(e["tts"], e["tts"] + e["tdur"]) for e in found]) / 1000
        print(f"{name:22}{len(found) / frames:8.2f}{spent / frames:8.3f}")
        if name in {"style", "layout"}:
            for event in found:
                if stack := event["args"].get("beginData", {}).get("stackTrace"):
                    top = stack[0]
                    forced[f"{name} by {top['functionName']}, line {top['lineNumber']}"] += 1
    print(f"{'forced':22}{sum(forced.values()) / frames:8.2f}")
    for place, times in forced.most_common(MOST_NAMED):
        print(f"  {times:6} {place}")
    handlers = Counter[str]()
    for event in scripts:
        data = event["args"].get("data", {})
        if "/static/" in data.get("url", ""):
            handlers[f"{data['functionName'] or 'anonymous'}, line {data['lineNumber']}"] += event[
                "dur"
            ]
    print("\nscript, by what the browser called, ms a frame")
    for place, microseconds in handlers.most_common(MOST_NAMED):
        print(f"  {microseconds / 1000 / frames:6.3f} {place}")


def union(spans: list[tuple[float, float]]) -> float:
    """How long at least one of some spans lasted."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def allocations(devtools: CDPSession, run: Callable[[], object]) -> tuple[Counter[str], int]:
    """Bytes that the page's functions allocated meanwhile, each with what it called outside."""
    devtools.send(
        "HeapProfiler.startSampling",
        {
            "samplingInterval": SAMPLING_BYTES,
            "includeObjectsCollectedByMajorGC": True,
            "includeObjectsCollectedByMinorGC": True,
        },
    )
    run()
    head = devtools.send("HeapProfiler.stopSampling")["profile"]["head"]
    found = Counter[str]()

    def walk(node: dict[str, Any], owner: str) -> Iterator[tuple[str, int]]:
        call = node["callFrame"]
        if "/static/" in call["url"]:
            owner = f"{call['functionName'] or 'anonymous'}, line {call['lineNumber']}"
        yield owner, node["selfSize"]
        for child in node["children"]:
            yield from walk(child, owner)

    for owner, size in walk(head, ""):
        if owner:
            found[owner] += size
    return found, sum(found.values())


def print_allocations(found: Counter[str], total: int, page: Page) -> None:
    """Bytes a frame, by function."""
    frames = page.evaluate("watched.frames.length")
    print(f"\nbytes allocated a frame: {total / frames:.0f}")
    for place, size in found.most_common(MOST_NAMED):
        print(f"  {size / frames:6.0f} {place}")


if __name__ == "__main__":
    main()
