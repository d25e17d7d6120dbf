"""Cold start: from the command to a ready server, against `import torch` alone.

    python -m benchmarks.start [--rounds 5]

Ready means that `/readyz` has decoded with the default model; the cards of all shipped models are
read by then. Importing torch is the limit: no server that runs it can be ready sooner. Both run in
turns, in new processes, and the best of the rounds counts, by the clock and by processor time.
"""

import argparse
import resource
import subprocess
import sys
import time

from tools.server import Server


def main() -> None:
    """Print both times and their ratio, by wall and by processor."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = range(parser.parse_args().rounds)
    serves, imports = zip(*[(_serve(), _import_torch()) for _ in rounds], strict=True)
    for clock, ready, limit in zip(("wall", "CPU"), _best(serves), _best(imports), strict=True):
        times = f"ready {ready:.2f} s, import torch {limit:.2f} s"
        print(f"{clock}: {times}, ratio {ready / limit:.2f}")


def _best(times: tuple[tuple[float, float], ...]) -> list[float]:
    return [min(column) for column in zip(*times, strict=True)]


def _serve() -> tuple[float, float]:
    began = time.perf_counter()
    with Server() as server:  # entered when it is ready
        return time.perf_counter() - began, server.cpu_seconds()


def _import_torch() -> tuple[float, float]:
    began, used = time.perf_counter(), _cpu_seconds_of_children()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - began, _cpu_seconds_of_children() - used


def _cpu_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
