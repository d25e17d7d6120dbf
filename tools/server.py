"""The real server in a process of its own, on a port of its own, for tests and benchmarks."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

READ_ONLY = (
    *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c"),
    "for place in / /tmp /var/tmp /dev/shm; do "
    "mountpoint -q $place && { mount -o remount,bind,ro $place || exit 1; }; done; "
    'exec "$@"',
    "sh",
)
"""Becomes a command that finds every place read-only; on Linux, where strangers may have mounts."""


def can_be_read_only() -> bool:
    """Tell whether `READ_ONLY` works here: whether nobody within it finds a temporary folder."""
    if not shutil.which("unshare"):
        return False
    code = "import tempfile; tempfile.gettempdir()"
    within = [*READ_ONLY, sys.executable, "-c", code]
    return b"No usable temporary directory" in subprocess.run(within, capture_output=True).stderr


class Server:
    """`python -m app` on 127.0.0.1, ready when `start` returns and gone after `stop`.

    It keeps its port over a restart, so a page that was open on it can find it again.

    Args:
        arguments: Further command-line arguments, such as `--device cpu`.
        within: A command that becomes the one after it, such as `READ_ONLY`.
    """

    def __init__(self, *arguments: str, within: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = [sys.executable, "-m", "app", "--port", str(self.port)]
        self._command = [*within, *own, *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process, "the server was not started"
        return self._process.pid

    def start(self) -> None:
        """Start, and return once `/readyz` says that a model has decoded.

        Raises:
            RuntimeError: The server ended instead; the message carries what it wrote.
        """
        self._log = tempfile.NamedTemporaryFile()  # noqa: SIM115 -- lives as long as the process
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)
        try:
            # One client, and no certificates: made anew for each question, they would keep a core.
            with httpx.Client(base_url=self.url, trust_env=False, verify=False) as client:
                while not _is_ready(client):
                    try:
                        status = self._process.wait(timeout=0.02)
                    except subprocess.TimeoutExpired:
                        continue
                    raise RuntimeError(f"the server ended with status {status}:\n{self.written()}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ask the server to end, and wait for it; kill it if it lingers."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._log.close()

    def cpu_seconds(self) -> float:
        """Processor time that the server has used so far; not a number where `/proc` is missing."""
        stat = Path(f"/proc/{self.pid}/stat")
        if sys.platform != "win32" and stat.exists():
            user, system = stat.read_text().rpartition(")")[2].split()[11:13]
            return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return float("nan")

    def workers(self) -> list[int]:
        """Process ids of the workers that run now; Linux only."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if "spawn_main" in _command_line(child)]

    def written(self) -> str:
        """Return what the server has written to its output so far."""
        return Path(self._log.name).read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return ""


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    """Return a TCP port that nothing listens on now.

    It lies below those that the system gives to clients, one of which could take it before the
    server does, and it is drawn at random, for tests run side by side look for ports as well.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
