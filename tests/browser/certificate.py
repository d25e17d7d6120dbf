"""A certificate for 127.0.0.1 that nobody has signed, made by the program openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import programs

OPENSSL = programs.find("openssl")


@dataclass(frozen=True)
class Certificate:
    """Two files.

    Args:
        chain: The certificate.
        key: Its private key.
    """

    chain: Path
    key: Path


def make(folder: Path) -> Certificate:
    """Write a new one into a folder."""
    assert OPENSSL, "there is no openssl"
    made = Certificate(folder / "chain.pem", folder / "key.pem")
    kind = ["-x509", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-keyout", str(made.key), "-out", str(made.chain)]
    command = [OPENSSL, "req", *kind, "-subj", "/CN=127.0.0.1", *files]
    subprocess.run(command, check=True, capture_output=True)
    return made
