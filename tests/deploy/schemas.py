"""Published shapes of files, which the dependency group `deploy` brings along."""

import subprocess
import sys
from pathlib import Path

import pytest

MISSING = "the dependency group `deploy` is not installed: make test-deploy"


def complaints(schema: str, file: Path) -> str:
    """Return what `check-jsonschema` says against a file; empty if it has the shape."""
    pytest.importorskip("check_jsonschema", reason=MISSING)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    run = subprocess.run([*command, str(file)], capture_output=True, text=True)
    return "" if run.returncode == 0 else run.stdout + run.stderr
