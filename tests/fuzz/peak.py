"""How many bytes a process takes at most to read an image file: `python -m tests.fuzz.peak FILE`.

A process of its own, for the peak of one never falls. Linux.
"""

import re
import sys
from contextlib import suppress
from pathlib import Path

from app.formats.image_files import prepare
from model.data.datasets import MNIST
from model.errors import ImageError


def peak() -> int:
    """Tell the most bytes that this process has had in memory."""
    (kilobytes,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) * 1024


def main() -> None:
    """Read the files one after the other, and print what that added."""
    contents = [Path(name).read_bytes() for name in sys.argv[1:]]
    before = peak()
    for content in contents:
        with suppress(ImageError):
            prepare(content, MNIST.form)
    print(peak() - before)


if __name__ == "__main__":
    main()
