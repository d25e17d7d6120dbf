"""A trial of an encoder and a decoder of somebody's, in a process of its own with a limit.

`python -m model.inference.onnx_trial` reads both files from standard input and writes what it found
as JSON. A network of `onnx_file` takes as long for every image, so one trial tells of all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import NetworkError
from model.inference.onnx_file import Signature
from model.inference.onnx_session import TOGETHER, ForeignRun

MOST_SECONDS = 0.25
"""Of a processor, for one image or latent."""
MOST_BYTES = 2**30
"""Of memory, for `TOGETHER` images or latents at once; the weights come on top, packed or not."""
COPIES = 3
"""Of the weights, while they are packed."""
SECONDS_IN_ALL = 60
"""Of a processor, for loading and trying both."""
PATIENCE_SECONDS = 600
"""For the process; a busy machine gives it less than a processor."""
RUNS = 3
ALIKE = 1e-3
"""Difference that rounding may make to an output, in units of the largest number."""


@dataclass(frozen=True)
class Tried:
    """What a network gave and took."""

    shapes: tuple[tuple[int, ...], ...]
    """Of its outputs for `TOGETHER` rows."""
    seconds: float
    """Of a processor, for one row."""


def tried(files: dict[str, tuple[bytes, Signature]]) -> dict[str, Tried]:
    """Try networks that `onnx_file.inspect` has passed; return what each gave and took.

    Args:
        files: Content and signature of each, by the name that errors call it.

    Raises:
        NetworkError: One cannot be loaded or run, takes more time or memory than the limits, or
            gives an image another result among others than alone.
    """
    head = [
        {"name": name, "size": len(content), "signature": signature._asdict()}
        for name, (content, signature) in files.items()
    ]
    sent = b"".join([json.dumps(head).encode(), b"\n", *(content for content, _ in files.values())])
    command = [sys.executable, "-m", "model.inference.onnx_trial"]
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(
            command, input=sent, capture_output=True, cwd=root, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise NetworkError(_too_slow(" and ".join(files))) from error
    told: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    results = {}
    for name, one in zip_longest(files, told):
        if one is None:
            raise NetworkError(_ended(name, done.returncode))
        if "error" in one:
            raise NetworkError(one["error"])
        results[name] = Tried(tuple(map(tuple, one["shapes"])), one["seconds"])
    return results


def _ended(name: str, status: int) -> str:
    if sys.platform != "win32":
        import signal

        if status == -signal.SIGXCPU:
            return _too_slow(name)
    return (
        f"{name} ended the process in which it was tried (status {status}): it takes more memory "
        f"than {MOST_BYTES / 2**20:,.0f} MiB for {TOGETHER} images, or ONNX Runtime cannot run it."
    )


def _too_slow(name: str) -> str:
    return (
        f"{name} takes more than {SECONDS_IN_ALL} seconds to load and try. Make the network "
        "smaller."
    )


def main() -> None:
    """Try the networks on standard input, one after another."""
    head = json.loads(sys.stdin.buffer.readline())
    contents = [sys.stdin.buffer.read(one["size"]) for one in head]
    _limit(sum(map(len, contents)))
    for one, content in zip(head, contents, strict=True):
        name, parts = one["name"], one["signature"]
        signature = Signature(parts["input"], tuple(parts["sizes"]), tuple(parts["outputs"]))
        try:
            print(json.dumps(asdict(_try(content, signature))), flush=True)
        except _Refused as error:
            print(json.dumps({"error": f"{name} {error}"}))
            return
        except MemoryError:
            print(json.dumps({"error": f"{name} {_TOO_LARGE}"}))
            return
        except Exception as error:  # ONNX Runtime has a dozen types, and none of them is public
            about = _TOO_LARGE if _is_for_memory(error) else f"cannot be run: {_first(error)}"
            print(json.dumps({"error": f"{name} {about}"}))
            return


_TOO_LARGE = (
    f"takes more than {MOST_BYTES / 2**20:,.0f} MiB of memory for {TOGETHER} images. "
    "Make the network smaller."
)


class _Refused(Exception):
    """What is wrong with a network; the sentence goes on after its name."""


def _try(content: bytes, signature: Signature) -> Tried:
    network = ForeignRun(content, signature)
    rng = np.random.default_rng(0)
    rows = rng.random((TOGETHER, *signature.sizes), dtype=np.float32)
    alone = network(rows[:1])
    seconds = min(_seconds(network, rows[:1]) for _ in range(RUNS))
    if seconds > MOST_SECONDS:
        raise _Refused(
            f"takes {seconds:.2f} seconds of a processor for one image; it may take "
            f"{MOST_SECONDS:g}. Make the network smaller."
        )
    together = network(rows)
    _require_alike(alone, together)
    return Tried(tuple(tuple(output.shape) for output in together), seconds)


def _seconds(network: ForeignRun, row: np.ndarray) -> float:
    started = time.process_time()
    network(row)
    return time.process_time() - started


def _require_alike(alone: Sequence[np.ndarray], together: Sequence[np.ndarray]) -> None:
    """Refuse outputs that an image would have to share with others, or that are not finite."""
    for one, several in zip(alone, together, strict=True):
        if not one.ndim or len(one) != 1 or len(several) != TOGETHER:
            raise _Refused(
                f"gives an output of the shape {list(several.shape)} for {TOGETHER} rows; each row "
                "must give one."
            )
        largest = np.abs(several).max(initial=1e-6)
        apart = float(np.abs(one[0] - several[0]).max(initial=0.0) / largest)
        if not apart <= ALIKE:  # nor is it, if one of them is not a number
            raise _Refused(
                "gives an image another result among others than alone, or gives numbers that are "
                "not finite. Export it for inference: model.eval()."
            )


def _limit(size: int) -> None:
    """Limit the processor time, and on Linux the memory, of this process."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_IN_ALL, SECONDS_IN_ALL + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        (used,) = (
            int(line.split()[1]) * 1024
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("VmData:")
        )
        most = used + MOST_BYTES + COPIES * size
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _is_for_memory(error: Exception) -> bool:
    text = str(error)
    return "bad_alloc" in text or "bad allocation" in text or "allocate memory" in text


def _first(error: Exception) -> str:
    """Return the first line of a message, which may have hundreds."""
    return str(error).strip().splitlines()[0][:300]


if __name__ == "__main__":
    main()
