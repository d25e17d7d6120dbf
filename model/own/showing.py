"""Show a model in the browser while it is trained: a server beside the training."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from model.data.datasets import find
from model.errors import CheckpointError
from model.training.command import write_unfinished
from model.training.run import MOMENT_EPOCHS, Run

EVERY_EPOCHS = 10
"""How often the map is renewed when its first moments have passed."""


@contextmanager
def showing(folder: Path, port: int, epochs: int) -> Iterator[Callable[[Run], None]]:
    """Return what is to be called with a run after each epoch, so that a page shows its map.

    The server starts with the first call and ends with the context.

    Args:
        folder: Where the checkpoint of the unfinished model lies meanwhile.
        port: Of the server, on 127.0.0.1.
        epochs: Of the whole training.

    Raises:
        OSError: By the function that is returned: the checkpoint cannot be written.
    """
    server: subprocess.Popen[bytes] | None = None

    def show(current: Run) -> None:
        nonlocal server
        if current.epochs not in MOMENT_EPOCHS and current.epochs % EVERY_EPOCHS and server:
            return
        name = current.recipe.id
        write_unfinished(folder / name, current, find(current.recipe.dataset), epochs)
        if server is None:
            server = _start(folder, name, port)
            print(f"The map while it grows: http://127.0.0.1:{port}", flush=True)

    try:
        yield show
    finally:
        if server is not None:
            assert server.stdin
            server.stdin.close()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # the state of the run is there
            folder.parent.rmdir()


def require_free_port(port: int) -> None:
    """Raise CheckpointError if something listens on a port of 127.0.0.1 already."""
    with socket.socket() as listener:
        if os.name == "posix":  # what a stopped server left behind is no harm
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise CheckpointError(
                f"Nothing can be served on port {port}: {error.strerror}. Give another by --port, "
                "or --no-serve."
            ) from error


def _start(folder: Path, name: str, port: int) -> subprocess.Popen[bytes]:
    settings = {
        "EXPLORER_CHECKPOINTS": str(folder),
        "EXPLORER_DEFAULT_MODEL": name,
        "EXPLORER_PORT": str(port),
        "EXPLORER_FOLLOW": "on",
        "EXPLORER_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "model.own.beside"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, **settings})
