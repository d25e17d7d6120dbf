"""The examples of a document, run as a reader would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from app.settings import ROOT


def blocks(text: str) -> list[tuple[str, str]]:
    """Return language and content of each fenced block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def environment() -> dict[str, str]:
    """Return the environment of a shell whose `python` is this one and finds the project."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    local = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return {**os.environ, **local, "PATH": path, "PYTHONPATH": str(ROOT)}


def follow(language: str, code: str, folder: Path, host: str = "127.0.0.1:8000") -> str:
    """Run one block in a folder, against the server at `host`, and return what it printed."""
    runner = ["bash", "-o", "pipefail", "-ec"] if language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*runner, code.replace("127.0.0.1:8000", host)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout
