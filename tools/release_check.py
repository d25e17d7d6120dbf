"""Before a release: try the last commit as a stranger would: `python -m tools.release_check`.

Works in a clone of its own, in a temporary folder. `--skip test image` leaves out what takes long.
Exits with 1 if anything is amiss; what cannot be tried here is named.
"""

import argparse
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from app.main import VERSION
from tools import chromium
from tools.server import free_port

ROOT = Path(__file__).parents[1]


PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    *("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"),
    *("aarch64-apple-darwin", "x86_64-pc-windows-msvc"),
)
MACOS = "14.0"
"""The oldest macOS for which onnxruntime has a wheel."""


class Amiss(Exception):
    """Something a release must not have; the message is a sentence."""


def main() -> int:
    """Run all checks, even after one has failed; 0 if all is well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--skip", nargs="*", choices=CHECKS, default=[], help="checks to leave out")
    skipped = parser.parse_args().skip
    failed = []
    with tempfile.TemporaryDirectory(prefix="latent-explorer-release-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        for name, check in CHECKS.items():
            print(f"== {name}", flush=True)
            try:
                print("left out" if name in skipped else check(clone), flush=True)
            except (Amiss, subprocess.CalledProcessError) as error:
                print(f"AMISS: {error}", flush=True)
                failed.append(name)
    print(f"amiss: {', '.join(failed)}" if failed else "All is well.")
    return 1 if failed else 0


def tree(clone: Path) -> str:
    """Nothing is forgotten outside the commit."""
    changed = output("git", "-C", str(ROOT), "status", "--porcelain")
    if changed:
        raise Amiss(f"not committed:\n{changed}")
    return f"clean at {output('git', '-C', str(clone), 'rev-parse', 'HEAD')}"


def version(clone: Path) -> str:
    """The changelog tells of this version, and no tag of that name lies elsewhere."""
    changes = (clone / "CHANGELOG.md").read_text()
    if not re.search(rf"^## {re.escape(VERSION)}\b", changes, re.M):
        raise Amiss(f"CHANGELOG.md has no heading for {VERSION}; move what is unreleased under it.")
    if f"v{VERSION}" in output("git", "-C", str(ROOT), "tag").split():
        commit = output("git", "-C", str(ROOT), "rev-list", "-n1", f"v{VERSION}")
        if commit != output("git", "-C", str(clone), "rev-parse", "HEAD"):
            raise Amiss(f"v{VERSION} is the tag of another commit; raise VERSION in app/main.py.")
    return VERSION


def checkpoints(clone: Path) -> str:
    """The weights are those that their cards speak of."""
    cards = sorted(clone.glob("checkpoints/*/card.json"))
    for card in cards:
        said = json.loads(card.read_text())
        for file, hashed in (("model.safetensors", "sha256"), ("atlas.npz", "atlas_sha256")):
            there = hashlib.sha256((card.parent / file).read_bytes()).hexdigest()
            if there != said[hashed]:
                raise Amiss(f"{card.parent.name}: {file} is not what card.json says.")
    if not cards:
        raise Amiss("there is no checkpoint")
    return f"{len(cards)} have the hash of their cards"


def documents(clone: Path) -> str:
    """Every link, command, setting and example of the documents is there."""
    run(clone, sys.executable, "-m", "pytest", "-q", "tests/architecture")
    return "links and commands lead somewhere"


def platforms(clone: Path) -> str:
    """Every package that serves and tests has a wheel of the pinned version on each system."""
    uv = (sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header")
    pins = ("--output-file", os.devnull, "--constraints", "constraints.txt")
    wheels = ("--only-binary", ":all:")
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
    for group, python, system in itertools.product(("serve", "dev"), PYTHONS, SYSTEMS):
        wanted = ("--group", group, "--python-version", python, "--python-platform", system)
        asked = subprocess.run(
            [*uv, *pins, *wheels, *wanted],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
        )
        if asked.returncode != 0:
            raise Amiss(f"{group} on {system} with Python {python}:\n{asked.stderr}")
    return f"{len(PYTHONS)} Pythons on {len(SYSTEMS)} systems find every pinned package"


def serve(clone: Path) -> str:
    """`make serve` sets itself up, opens and answers."""
    port = free_port()
    server = subprocess.Popen(["make", "serve", f"PORT={port}"], cwd=clone)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            while not is_ready(client):
                if server.poll() is not None:
                    raise Amiss(f"make serve ended with {server.returncode}")
            for path in ("/", "/docs", "/api/v1/models/mnist-vae-2d/decode.png?z=0,0"):
                client.get(path).raise_for_status()
    finally:
        server.terminate()
        server.wait()
    return "opens and answers"


def is_ready(client: httpx.Client) -> bool:
    """Tell whether the server decodes."""
    try:
        return client.get("/readyz").is_success
    except httpx.TransportError:
        return False


def test(clone: Path) -> str:
    """`make test` passes."""
    run(clone, "make", "test")
    return "passes"


def deploy(clone: Path) -> str:
    """Manifests, compose file and workflows have the shapes that others publish."""
    run(clone, "make", "test-deploy")
    return "of the published shapes"


def image(clone: Path) -> str:
    """The image builds."""
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    ):
        run(clone, "docker", "build", "--tag", f"latent-explorer:{VERSION}", ".")
        return "built by docker"
    if shutil.which("buildah") and chromium.IS_ROOT:
        storage = {"STORAGE": str(ROOT / "build" / "containers"), **os.environ}
        subprocess.run(["deploy/image.sh", "build"], cwd=clone, env=storage, check=True)
        return "built by buildah"
    return "NOT TRIED: neither a docker daemon nor buildah as root is here"


CHECKS: dict[str, Callable[[Path], str]] = {
    check.__name__: check
    for check in (tree, version, checkpoints, documents, platforms, serve, test, deploy, image)
}


def run(folder: Path, *command: str) -> None:
    """Run a command in sight."""
    subprocess.run(command, cwd=folder, check=True)


def output(*command: str) -> str:
    """Return what a command writes."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
