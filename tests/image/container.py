"""The image as `deploy/image.sh` runs it: its one process, seen from outside."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tools.server import Server

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "image.sh"
STORAGE = Path(os.environ.get("STORAGE", ROOT / "build" / "containers"))
"""Where the script keeps images."""


class Container(Server):
    """A running container; settings are `EXPLORER_` variables without that prefix."""

    def __init__(self, **settings: str) -> None:
        super().__init__()
        given = {"HOST": "127.0.0.1", "PORT": str(self.port), **settings}
        variables = [f"EXPLORER_{name}={value}" for name, value in given.items()]
        self._command = ["env", *variables, str(SCRIPT), "run"]

    @property
    def init(self) -> Path:
        """`/proc` of its process 1: below the script, and what makes its name spaces."""
        (outer,) = children(self.pid)
        (inner,) = children(outer)
        return Path(f"/proc/{inner}")

    @property
    def files(self) -> Path:
        """Its root, with what is mounted there."""
        return self.init / "root"

    def status(self) -> dict[str, str]:
        lines = (self.init / "status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def check_health(self) -> int:
        """Run the image's HEALTHCHECK within it, and give its exit status."""
        variables = (self.init / "environ").read_bytes().decode().split("\0")[:-1]
        enter = ["nsenter", "--target", self.init.name, "--mount", "--pid", "--root", "--wd"]
        test = configuration()["Healthcheck"]["Test"]
        assert test[0] == "CMD"
        return subprocess.run([*enter, "env", "-i", *variables, *test[1:]]).returncode

    def terminate(self) -> None:
        """Ask it to end, as an engine does, and do not wait."""
        os.kill(int(self.init.name), signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it has ended, and give its exit status."""
        assert self._process is not None
        return self._process.wait(timeout=60)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def configuration() -> dict[str, Any]:
    """Return what the image says of itself, in Docker's words."""
    run = subprocess.run([SCRIPT, "inspect"], check=True, capture_output=True)
    said: dict[str, Any] = json.loads(run.stdout)["Docker"]["config"]
    return said
