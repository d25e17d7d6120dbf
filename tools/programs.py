"""What the tests use of the system besides Chromium: `python -m tools.programs` installs it.

For root on Debian only; elsewhere the tests of what is missing are skipped, and say so.
"""

import shutil

from tools.chromium import IS_ROOT, apt_install

PLACES = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/bin"
PACKAGES = {"curl": "curl", "nginx": "nginx-light", "openssl": "openssl"}
"""The Debian package of each program."""


def find(program: str) -> str | None:
    """Return the path of a program, also of one that only root has in its PATH; or None."""
    return shutil.which(program) or shutil.which(program, path=PLACES)


def get() -> None:
    """Install what is missing, where that asks nobody."""
    missing = [package for program, package in PACKAGES.items() if not find(program)]
    if missing and IS_ROOT and shutil.which("apt-get"):
        apt_install(*missing)


if __name__ == "__main__":
    get()
