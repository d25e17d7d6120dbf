"""nginx before an explorer, as `deploy/nginx.conf` sets it up: for tests."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tools import programs
from tools.server import free_port

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx.conf"
USER = ("ada", "lovelace")


def find() -> str | None:
    """Return the path of nginx, or None."""
    return programs.find("nginx")


@contextmanager
def before(
    explorer_port: int, folder: Path, changes: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run nginx before the explorer at a port; give its own host and port.

    The configuration is the shipped one, but for ports and for where it writes, which is `folder`.

    Args:
        explorer_port: On 127.0.0.1.
        folder: Empty.
        changes: Parts of the shipped configuration, and what stands in their places.

    Raises:
        RuntimeError: It does not start; what it says is in the error.
    """
    program, host = find(), f"127.0.0.1:{free_port()}"
    assert program, "there is no nginx"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in kinds)
    text = CONFIGURATION.read_text()
    for there, here in (
        *(changes or {}).items(),
        ("127.0.0.1:8000", f"127.0.0.1:{explorer_port}"),
        ("listen 8080", f"listen {host}"),
        ("worker_processes auto;", f"worker_processes 1; pid {folder}/pid;"),
        ("http {", f"http {{ {paths}"),
    ):
        assert there in text, f"{CONFIGURATION} no longer says {there}"
        text = text.replace(there, here)
    (folder / "nginx.conf").write_text(text)
    (folder / "explorer.users").write_text(f"{USER[0]}:{{PLAIN}}{USER[1]}\n")
    log = folder / "error.log"
    flags = ["-p", str(folder), "-c", "nginx.conf", "-e", str(log)]
    alone = ["-g", "daemon off; master_process off;"]
    with subprocess.Popen([program, *flags, *alone], stderr=subprocess.DEVNULL) as process:
        try:
            while not _answers(host):
                if process.poll() is not None:
                    raise RuntimeError(f"nginx ended:\n{log.read_text()}")
                time.sleep(0.05)
            yield host
        finally:
            process.terminate()


def _answers(host: str) -> bool:
    try:
        return httpx.get(f"http://{host}/", trust_env=False).status_code > 0
    except httpx.TransportError:
        return False
