"""The shell scripts, read by shellcheck."""

import shutil
import subprocess
from pathlib import Path

import pytest

from app.settings import ROOT

SCRIPTS = [ROOT / ".ci" / "run", *sorted((ROOT / "deploy").glob("*.sh"))]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="there is no shellcheck here")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_has_no_trap_that_shellcheck_knows(script: Path) -> None:
    assert subprocess.run(["shellcheck", script]).returncode == 0
