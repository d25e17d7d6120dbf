"""The longest piece of each operation that the server runs between drags.

    python -m benchmarks.pieces [MODEL ...]

A drag waits for at most one piece. Times are CPU milliseconds of this thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from app.settings import ROOT
from model.engine import Engine

MODELS = ["mnist-vae-2d", "mnist-conv-vae-2d", "mnist-recurrent-ae-2d", "mnist-vae-20d"]
STEPS = 256


def operations(engine: Engine) -> Iterator[tuple[str, list[float]]]:
    """Yield each operation's name and the time of each of its pieces."""
    start, end, other = engine.codes[:3]
    yield "first geodesic", timed(engine.walk(start, end, STEPS, "geodesic"))
    yield "geodesic", timed(engine.walk(start, other, STEPS, "geodesic"))
    if engine.card.latent_dim == 2:
        yield "distances", timed(engine.distances(start))
    path = engine.interpolate(start, end, STEPS)
    yield "seen lengths", timed(engine.seen_length_pieces(path.latents))
    yield "1,024 samples", timed([lambda: engine.sample(1024, 0)])
    yield "neighbours", timed([lambda: engine.neighbours(start, 100)])
    if engine.card.latent_dim > 2:
        yield "a plane", timed([lambda: engine.plane("dims-0-1")])
    images = np.random.default_rng(0).random((8, 28, 28)).astype(np.float32)
    yield "encode of 1", timed([lambda: engine.encode(images[:1])])
    yield "encode of 8", timed([lambda: engine.encode(images)])
    for kind in ("density", "entropy", "magnification", "label"):
        field = engine.field(engine.planes[-1].id, kind)
        times: list[float] = []
        while not field.is_done:
            times += timed([field.advance])
        yield f"field: {kind}", times


def timed(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Call in order; return the CPU milliseconds of each call."""
    times = []
    for call in calls:
        before = time.thread_time()
        call()
        times.append(1e3 * (time.thread_time() - before))
    return times


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    for name in parser.parse_args().models:
        engine = Engine.load(ROOT / "checkpoints" / name, "cpu")
        engine.warm_up()
        print(f"| `{name}` | longest, ms | p99, ms | pieces |\n|---|---|---|---|")
        for operation, times in operations(engine):
            longest, p99 = max(times), float(np.percentile(times, 99))
            print(f"| {operation} | {longest:.1f} | {p99:.1f} | {len(times)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
