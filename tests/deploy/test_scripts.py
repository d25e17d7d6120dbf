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


def test_all_that_is_missing_to_build_an_image_is_told_at_once_and_first(tmp_path: Path) -> None:
    dirname, shell = (Path(shutil.which(name) or "") for name in ("dirname", "sh"))
    (tmp_path / "dirname").symlink_to(dirname)
    told = subprocess.run(
        [shell, ROOT / "deploy" / "image.sh", "build"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1
    assert "apt-get install buildah debootstrap" in told.stderr
