"""Where to take PyTorch from: `python tools/torch_index.py` prints its index for processors.

The usual package brings CUDA along, 4.6 GB that a machine without an NVIDIA GPU cannot use. Nothing
is printed where that package is the right one, and where the other index does not answer at once.
Runs before anything is installed, so it needs Python's own library alone.
"""

import shutil
import sys
from pathlib import Path
from urllib.request import urlopen

FOR_PROCESSORS = "https://download.pytorch.org/whl/cpu"
SECONDS = 3.0
"""After which an index does not answer; pip would try it again for minutes."""


def needs_no_cuda() -> bool:
    """Return whether CUDA comes along on this machine, and no NVIDIA GPU is here to use it."""
    has_gpu = Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None
    return sys.platform == "linux" and not has_gpu


def answers(index: str, seconds: float = SECONDS) -> bool:
    """Return whether an index answers within this time."""
    try:
        with urlopen(f"{index.rstrip('/')}/torch/", timeout=seconds):
            return True
    except (OSError, ValueError):  # no such address; nobody there; too late; refused
        return False


def main(arguments: list[str]) -> int:
    """Print the index given, else the one that suits this machine, if it answers."""
    if arguments or needs_no_cuda():
        index = arguments[0] if arguments else FOR_PROCESSORS
        if answers(index):
            print(index)
            told = f"PyTorch comes from {index}, without CUDA: TORCH_INDEX= takes the usual one."
        else:
            told = (
                f"PyTorch comes with CUDA, gigabytes more, for {index} does not answer: "
                "TORCH_INDEX=<address> names another index."
            )
        print(told, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
