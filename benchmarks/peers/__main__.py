"""The same decoder behind four other servers: what a request costs them, and what it costs us.

    python -m benchmarks.peers [--only NAME] [--rounds 4] [--seconds 4] [--plot FOLDER]

LitServe, BentoML, Gradio and Ray Serve serve our network, tuned as their documents advise; each
file beside this one says how. The first run installs them (a gigabyte) into `build/peers`. Ours
is `python -m app` with limits and metrics on. A line in the log for each request is off in theirs,
where it can be, and so in ours: what they log of a failure, ours does.

Two kinds of load, each from one client that keeps its connections open:

- *REST*: one latent in, one PNG in JSON out, 32 connections;
- *drag*: the best way each of them offers to follow one, 16 connections. Ours is a WebSocket, as
  are those of BentoML and Ray Serve, with the same bytes; the others are asked by REST.

`--only ours-haproxy --only ours-ray` asks ours as Ray Serve runs it, behind either of its proxies,
`--only ours-granian` ours on another server than uvicorn.

What is compared is the processor time, user and system, of the server's process and all its
descendants. The servers run side by side and are asked in turn, and of the rounds the cheapest
counts. All of it happens in a network namespace of its own, on Linux.
"""

import argparse
import json
import math
import os
import random
import re
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import uvloop

from app.settings import ROOT
from benchmarks.measuring import Load, cpu_seconds, http_load, process_tree, websocket_load
from benchmarks.peers import environment
from benchmarks.picture import bars
from tools.server import Server, free_port

MODEL = "mnist-vae-2d"
API = f"/api/v1/models/{MODEL}"
REST_CONNECTIONS, DRAG_CONNECTIONS = 32, 16
DRAG_LIMIT = 10.0
START_SECONDS = 180


@dataclass(frozen=True)
class Kind:
    """How a kind of server is asked.

    Args:
        title: Its name in the table.
        path: Where one POST decodes.
        field: Of the JSON that it takes.
        stream: The path of its WebSocket, if it has one.
        limit: How many times what ours costs a request should cost it, at least.
        settings: Of its environment.
        module: Beside this one, that starts it, if that has not its name.
        packages: The list of those that it needs, if that has not its name.
    """

    title: str
    path: str
    field: str = "latents"
    stream: str | None = None
    limit: float = math.nan
    settings: tuple[str, ...] = ()
    module: str = ""
    packages: str = ""

    def request(self, latent: list[float]) -> bytes:
        """Head and body of a request for one image."""
        latents = [latent] if self.field == "latents" else [[latent]]
        body = json.dumps({self.field: latents}).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


OURS = Kind("ours", f"{API}/decode", stream=f"{API}/stream")
HAPROXY = (
    "RAY_USAGE_STATS_ENABLED=0",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED=1",
    "RAY_SERVE_ENABLE_HA_PROXY=1",
    "RAY_SERVE_HAPROXY_NBTHREAD=1",
    "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC={folder}/haproxy/haproxy.cfg",
    "RAY_SERVE_HAPROXY_SOCKET_PATH={folder}/haproxy/admin.sock",
    "RAY_SERVE_HAPROXY_SERVER_STATE_BASE={folder}/haproxy",
    "RAY_SERVE_HAPROXY_SERVER_STATE_FILE={folder}/haproxy/server-state",
)
PEERS = {
    "litserve": Kind("LitServe", "/predict", limit=4),
    "bentoml": Kind(
        "BentoML",
        "/decode",
        stream="/stream",
        limit=6,
        settings=("BENTOML_DO_NOT_TRACK=True",),
    ),
    "gradio": Kind(
        "Gradio",
        "/gradio_api/run/decode",
        field="data",
        limit=6,
        settings=("GRADIO_ANALYTICS_ENABLED=False",),
    ),
    "ray": Kind(
        "Ray Serve",
        "/decode",
        stream="/drags/stream",
        limit=2,
        settings=HAPROXY,
    ),
}
HOSTED = {
    "ours-haproxy": replace(
        OURS,
        title="ours on Ray Serve, HAProxy",
        settings=(*HAPROXY, f"EXPLORER_MODELS={MODEL}"),
        module="hosted",
        packages="ray",
    ),
    "ours-ray": replace(
        OURS,
        title="ours on Ray Serve, its own proxy",
        settings=("RAY_USAGE_STATS_ENABLED=0", f"EXPLORER_MODELS={MODEL}"),
        module="hosted",
        packages="ray",
    ),
    "ours-granian": replace(
        OURS,
        title="ours on Granian",
        settings=(f"EXPLORER_MODELS={MODEL}",),
        module="granian",
        packages="granian",
    ),
}
"""Asked only by name."""
ALL = PEERS | HOSTED


@dataclass
class Running:
    """A server that is ready, and the cheapest round of each load so far."""

    kind: Kind
    pid: int
    port: int
    best: dict[str, tuple[float, Load]]

    def measure(self, load: str, seconds: float) -> None:
        """Ask it for a while, and keep the round if it was the cheapest."""
        used = cpu_seconds(self.pid)
        found = self.ask(load, seconds)
        used = cpu_seconds(self.pid) - used
        if found.failed:
            raise SystemExit(f"{self.kind.title}: {found.failed} requests failed")
        cost = 1e6 * used / found.count
        self.best[load] = min(self.best.get(load, (math.inf, found)), (cost, found), key=_first)

    def ask(self, load: str, seconds: float) -> Load:
        """Put one of the loads on it."""
        if load == "drag" and self.kind.stream:
            url = f"ws://127.0.0.1:{self.port}{self.kind.stream}"
            return uvloop.run(websocket_load(url, _message, DRAG_CONNECTIONS, seconds))
        requests = [self.kind.request(_latent()) for _ in range(256)]
        connections = REST_CONNECTIONS if load == "REST" else DRAG_CONNECTIONS
        return uvloop.run(http_load(self.port, lambda n: requests[n % 256], connections, seconds))

    def times(self, other: "Running", load: str) -> float:
        """How many times what it costs the other a load costs this one."""
        return self.best[load][0] / other.best[load][0]

    def picture(self, latent: list[float]) -> str:
        """Return the PNG of a latent, in base64; raises ValueError if there is none."""
        body = self.kind.request(latent).partition(b"\r\n\r\n")[2]
        with httpx.Client(trust_env=False, timeout=10) as client:
            answer = client.post(
                f"http://127.0.0.1:{self.port}{self.kind.path}",
                content=body,
                headers={"Content-Type": "application/json"},
            )
        found = re.search(r'"png": ?"([^"]+)"', answer.text)
        if not found:
            raise ValueError(f"{self.kind.title} answered {answer.status_code}: {answer.text}")
        return found[1]


def _first(pair: tuple[float, Load]) -> float:
    return pair[0]


def _latent() -> list[float]:
    return [random.uniform(-2, 2), random.uniform(-2, 2)]


def _message(number: int) -> bytes:
    return struct.pack("<Iff", number, *_latent())


@contextmanager
def ours() -> Iterator[Running]:
    """Our own server."""
    options = ("--models", MODEL, "--device", "cpu", "--log-level", "warning")
    with Server(*options) as server:
        yield Running(OURS, server.pid, server.port, {})


@contextmanager
def peer(name: str) -> Iterator[Running]:
    """A peer, ready; ended with all its descendants, and what it wrote with it."""
    kind, port = ALL[name], free_port()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="peer-"))
        settings = dict(setting.format(folder=folder).split("=") for setting in kind.settings)
        here = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TMPDIR": folder}
        log = stack.enter_context(Path(folder, "log").open("w+b"))
        process = subprocess.Popen(
            [
                environment.python(kind.packages or name),
                *("-m", f"benchmarks.peers.{kind.module or name}", str(port)),
            ],
            cwd=folder,
            env={**os.environ, **here, **settings},
            stdout=log,
            stderr=log,
        )
        stack.callback(_end, process)
        running = Running(kind, process.pid, port, {})
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(running):
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise SystemExit(f"{kind.title} did not start:\n{log.read().decode()}")
            time.sleep(0.5)
        yield running


def _is_ready(running: Running) -> bool:
    with suppress(httpx.TransportError, OSError, ValueError):
        running.picture([0.0, 0.0])
        return not any(running.ask(load, 1).failed for load in ("REST", "drag"))
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    handles = []
    for pid in process_tree(process.pid):
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(pid))  # a number could be another's by then
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    for handle in handles:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
    process.wait()


def main() -> None:
    """Start everyone, ask them in turn, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=ALL, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="write peers.png there")
    options = parser.parse_args()
    names = options.only or list(PEERS)
    for name in names:
        environment.python(ALL[name].packages or name)
    environment.enter_own_network()
    with ExitStack() as stack:
        servers = [stack.enter_context(ours())]
        for name in names:
            print(f"starting {ALL[name].title}", flush=True)
            servers.append(stack.enter_context(peer(name)))
        _require_same_pictures(servers)
        for round_ in range(options.rounds):
            print(f"round {round_ + 1} of {options.rounds}", flush=True)
            for load in ("REST", "drag"):
                for server in servers:
                    server.measure(load, options.seconds)
        for load in ("REST", "drag"):
            print_table(load, servers)
        if options.plot:
            times = [
                (f"{server.kind.title}, {load}", server.times(servers[0], load), asked)
                for load in ("REST", "drag")
                for server in servers[1:]
                for asked in (server.kind.limit if load == "REST" else DRAG_LIMIT,)
            ]
            bars(options.plot / "peers.png", "times the processor time of ours", times)


def _require_same_pictures(servers: list[Running]) -> None:
    """All must answer with the same file, or they do not do the same work."""
    latent = _latent()
    pictures = {server.kind.title: server.picture(latent) for server in servers}
    for title, picture in pictures.items():
        if picture != pictures[OURS.title]:
            raise SystemExit(f"{title} decodes {latent} into another image than ours")


def print_table(load: str, servers: list[Running]) -> None:
    """A row a server: its cheapest round, and how it compares."""
    columns = ("CPU us", "requests/s", "p50 ms", "p99 ms", "/ ours", "at least")
    print(f"\n| {load} | {' | '.join(columns)} |\n|---{'|---:' * len(columns)}|")
    for server in servers:
        cost, found = server.best[load]
        limit = server.kind.limit if load == "REST" else DRAG_LIMIT
        way = "WebSocket" if load == "drag" and server.kind.stream else "REST"
        asked = "" if math.isnan(server.kind.limit) else f"{limit:.0f}"
        compared = "|" if server.kind == OURS else f"{server.times(servers[0], load):.1f} | {asked}"
        print(
            f"| {server.kind.title}, {way} | {cost:.0f} | {found.per_second:.0f} | "
            f"{1e3 * found.p50_seconds:.1f} | {1e3 * found.p99_seconds:.1f} | {compared} |"
        )


if __name__ == "__main__":
    main()
