"""Cold start: from the command to a ready server, against `import torch` alone.

    python -m benchmarks.start [--rounds 4]

Ready means that `/readyz` has decoded with the default model; all shipped models are loaded by
then. Importing torch is the limit: no server that runs it can be ready sooner. Both run in turns,
in new processes, and the best of the rounds counts.
"""

import argparse
import subprocess
import sys
import time

from tools.server import Server


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=4)
    rounds = range(parser.parse_args().rounds)
    times = [(_serve(), _import_torch()) for _ in rounds]
    serve, limit = (min(column) for column in zip(*times, strict=True))
    print(f"ready {serve:.2f} s, import torch {limit:.2f} s, ratio {serve / limit:.2f}")


def _serve() -> float:
    began = time.perf_counter()
    with Server():  # entered when it is ready
        return time.perf_counter() - began


def _import_torch() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
