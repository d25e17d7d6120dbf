"""What a field costs: CPU seconds for all of it, and the longest that a drag waits for a piece.

    python -m benchmarks.fields [--kind magnification] [MODEL ...]

All times are CPU time of this process, on one thread, in which the pieces run one by one. Each
model is measured on the plane on which it opens; one of more than two dimensions on another too,
whose density is not known beforehand. The limits: a request may take 30 seconds, of which others
leave it a part, and a piece should take 10 milliseconds at most.
"""

from __future__ import annotations

import argparse
import statistics
import time

from app.settings import ROOT, Settings
from model.engine import Engine

KINDS = ("density", "magnification", "entropy", "label")
PIECE_MILLISECONDS = 10


def measure(engine: Engine, plane: str, kind: str) -> tuple[int, list[float]]:
    """How many cells a field has, and the CPU seconds of each of its pieces."""
    work, field, pieces = engine.field(plane, kind), None, []
    while field is None:
        before = time.process_time()
        field = work.advance()
        pieces.append(time.process_time() - before)
    return field.levels.size, pieces


def row(cells: int, pieces: list[float]) -> str:
    """The figures of a field, as cells of a Markdown table."""
    seconds, middle, longest = sum(pieces), 1e3 * statistics.median(pieces), 1e3 * max(pieces)
    limit = Settings().request_timeout_seconds
    return (
        f"{cells} | {seconds:.2f} | {seconds / limit:.2f} | {len(pieces)} | {middle:.1f} | "
        f"{longest:.1f} | {longest / PIECE_MILLISECONDS:.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    everyone = sorted(path.parent.name for path in (ROOT / "checkpoints").glob("*/card.json"))
    parser.add_argument("models", nargs="*", default=everyone)
    parser.add_argument("--kind", action="append", choices=KINDS)
    options = parser.parse_args()
    columns = [
        *("plane", "field", "cells", "CPU s", "/ limit"),
        *("pieces", "middle, ms", "longest, ms", "/ limit"),
    ]
    print(f"| model | {' | '.join(columns)} |\n|---{'|---' * len(columns)}|")
    for name in options.models:
        engine = Engine.load(ROOT / "checkpoints" / name, "cpu")
        if not engine.decodes:
            continue
        engine.warm_up()
        for plane in engine.planes[:2]:
            for kind in options.kind or KINDS:
                figures = row(*measure(engine, plane.id, kind))
                print(f"| `{name}` | {plane.id} | {kind} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
