"""Geodesics against straight lines: how much shorter, how much more even, how long they take.

    python -m benchmarks.geodesic [MODEL ...]

The first search of a model measures its metric and its grid; visitors wait for the later ones. Both
are timed in CPU milliseconds of this process, on one thread, in which the pieces run one by one.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from app.settings import ROOT
from model.engine import Engine

PAIRS, STEPS = 25, 64
MODELS = ["mnist-vae-2d", "mnist-ae-2d", "fashion-vae-2d", "mnist-vae-20d"]


def measure(name: str) -> list[float]:
    """The means over pairs of test images, the columns of the table."""
    engine = Engine.load(ROOT / "checkpoints" / name, "cpu")
    pairs = np.random.default_rng(0).integers(0, len(engine.codes), (PAIRS + 1, 2))
    rows, first = [], 0.0
    for pair in pairs:
        start, end = engine.codes[pair]
        times = []
        for piece in engine.walk(start, end, STEPS, "geodesic"):
            before = time.process_time()
            path = piece()
            times.append(1e3 * (time.process_time() - before))
        assert path is not None
        assert path.straight_length is not None
        if not first:
            first = sum(times)
            continue
        seen = engine.seen_lengths(path.latents)
        straight = engine.seen_lengths(engine.interpolate(start, end, STEPS).latents)
        rows.append(
            [
                path.step_lengths.sum() / path.straight_length,
                seen.sum() / straight.sum(),
                seen.max() / straight.max(),
                sum(times),
                max(times),
            ]
        )
    return [*np.mean(rows, axis=0).tolist(), first]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS)
    columns = ["length", "change seen", "greatest step", "ms", "longest piece", "first, ms"]
    print(f"| geodesic / straight | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for name in parser.parse_args().models:
        *ratios, mean, longest, first = measure(name)
        cells = [*(f"{ratio:.2f}" for ratio in ratios), f"{mean:.0f}", f"{longest:.0f}"]
        print(f"| `{name}` | {' | '.join(cells)} | {first:.0f} |", flush=True)


if __name__ == "__main__":
    main()
