"""Where a peer runs: its packages, pinned, apart from ours, and a network without a way out."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path

from app.settings import ROOT

ENCLOSED = "PEERS_ENCLOSED"


def python(peer: str) -> Path:
    """Return the Python that has a peer's packages, having installed them if need be.

    Its virtual environment is `build/peers/PEER`. What it lacks of what our decoder needs, torch
    above all, it finds in ours, whose packages stand behind its own on its path; uvloop and
    httptools too, where a peer takes them if they are there but does not ask for them.
    """
    folder = ROOT / "build" / "peers" / peer
    program, installed = folder / "bin" / "python", folder / "installed.txt"
    packages = Path(__file__).with_name(f"{peer}.txt")
    if not installed.exists() or installed.read_text() != packages.read_text():
        print(f"installing {peer} into {folder.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip: list[str | Path] = [
            program,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        subprocess.run([*pip, "--no-deps", "--requirement", packages], check=True)  # it names all
        (behind,) = folder.glob("lib/python*/site-packages")
        (behind / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
        installed.write_text(packages.read_text())
    return program


def enter_own_network() -> None:
    """Begin this program again in a network of its own: nothing but a loopback.

    Some peers listen on all addresses for their own affairs, and some would call home; here nobody
    hears them. Needs `unshare` of util-linux and a kernel that lets users have namespaces.
    """
    if ENCLOSED not in os.environ:
        os.environ[ENCLOSED] = "1"
        again = [sys.executable, "-m", "benchmarks.peers", *sys.argv[1:]]
        os.execvp("unshare", ["unshare", "--map-root-user", "--net", *again])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh", b"lo", 0x1)  # IFF_UP, see netdevice(7)
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS
