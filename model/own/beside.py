"""`python -m model.own.beside`: the server, until the command that started it ends in any way.

That command holds the other end of standard input, which the system closes even after a kill.
"""

from __future__ import annotations

import os
import runpy
import sys
from threading import Thread


def main() -> None:
    """Serve as `python -m app` does, by the environment."""
    Thread(target=_end_with_the_other, daemon=True).start()
    sys.argv[1:] = []
    runpy.run_module("app", run_name="__main__")


def _end_with_the_other() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # a page asks again at once; there is nothing to finish for it


if __name__ == "__main__":
    main()
