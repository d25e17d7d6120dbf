"""The Chromium that browser tests run in: `python -m tools.chromium` makes sure of one.

The system's own is taken first, as it comes with all its libraries; then, for root, what the
system's package manager installs; then Playwright's download. Chromium without windows, the
"headless shell", is preferred: a page of the explorer opens in two thirds of the processor time.
"""

import os
import shutil
import subprocess
import sys

NAMES = [
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]

IS_ROOT = sys.platform != "win32" and os.geteuid() == 0

FLAGS = [
    # It asks nothing of any other host by itself.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    # Chromium refuses to box itself in for root.
    *(["--no-sandbox"] if IS_ROOT else []),
]

PLAYWRIGHT = [sys.executable, "-m", "playwright"]


def find() -> str | None:
    """Return the system's Chromium, or None: then Playwright knows where its own lies."""
    for path in map(shutil.which, NAMES):
        # Ubuntu's chromium-browser may be a stub that only asks for a snap.
        if path and succeeds([path, "--version"]):
            return path
    return None


def get() -> None:
    """Install what is missing for the browser tests, if anything is.

    Raises:
        SystemExit: Something is still missing; the message says what to install by hand.
    """
    if IS_ROOT and shutil.which("apt-get") and not (find() and playwright_runs()):
        # Without any font Chromium lays out no text; Playwright's own Node needs libatomic.
        apt_install("chromium-headless-shell", "fonts-dejavu-core", "libatomic1")
    if not playwright_runs():
        run([*PLAYWRIGHT, "--version"])
        raise SystemExit(
            "Playwright does not run here; its reason stands above. Where it misses libatomic, "
            "install that: apt-get install libatomic1, or dnf install libatomic."
        )
    if not find() and not run([*PLAYWRIGHT, "install", "--only-shell", "chromium"]):
        raise SystemExit(
            "There is no Chromium, and it could not be downloaded. "
            "Install Chromium or Google Chrome, then run the command again."
        )


def playwright_runs() -> bool:
    """Tell whether Playwright's driver, a program with needs of its own, starts."""
    return succeeds([*PLAYWRIGHT, "--version"])


def apt_install(*packages: str) -> None:
    """Install Debian packages without a question."""
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    run([*apt, "update"])
    run([*apt, "install", "--yes", "--no-install-recommends", *packages])


def run(command: list[str]) -> bool:
    """Run a command in sight, and tell whether it succeeded."""
    print("+", *command, flush=True)
    return subprocess.run(command).returncode == 0


def succeeds(command: list[str]) -> bool:
    """Run a command unseen, and tell whether it succeeded."""
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    get()
