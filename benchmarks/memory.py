"""What one worker keeps in memory, against torch and the same weights, without which it cannot be.

    python -m benchmarks.memory [--model mnist-vae-2d]

The worker has answered a hundred requests of each kind, for the default model alone. The limit is a
process that has imported torch and read the weights. Below them, in a process of its own, what each
step adds on the way from the one to the other: resident memory, the part that no file backs, and
processor time.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
from pathlib import Path

import httpx
from websockets.sync.client import connect

from tools.server import Server

MEGABYTE = 1024
"""In the kibibytes that the kernel counts in."""
REQUESTS = 100
LIMIT = 1.35
STEPS = {
    "python": "pass",
    "import torch": "import torch",
    "the weights: the limit": (
        "from safetensors.torch import load_file\n"
        "weights = {name: t.float() for name, t in load_file('{folder}/model.safetensors').items()}"
    ),
    "import onnxruntime": "import onnxruntime",
    "import model.engine": "from pathlib import Path; from model.engine import Engine",
    "Engine.load": "engine = Engine.load(Path('{folder}'), 'cpu')",
    "warm_up": "engine.warm_up()",
    "import app.main": "import app.main",
}
CHILD = """
import sys, time
for step in sys.argv[1:]:
    began = time.process_time()
    exec(step)
    used = time.process_time() - began
    status = open('/proc/self/status').read()
    modules = len(sys.modules)
    print(*(status.partition(key)[2].split()[0] for key in ('VmRSS:', 'RssAnon:')), used, modules)
"""


def resident(pid: int) -> int:
    """Kibibytes of a process that are in memory, with its share of files, on Linux."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found, f"/proc/{pid}/status does not say what is resident"
    return int(found[1])


def worker(model: str) -> int:
    """Kibibytes of a worker that has answered a hundred requests of each kind."""
    path = f"/api/v1/models/{model}"
    with Server("--default-model", model, "--device", "cpu") as server:
        with httpx.Client(base_url=server.url + path, trust_env=False) as client:
            plane = client.get("/planes").raise_for_status().json()[0]
            dimensions = len(plane["origin"])
            for _ in range(REQUESTS):
                z = [random.uniform(-2, 2) for _ in range(dimensions)]
                place = f"{random.randrange(256)}/{random.randrange(256)}"
                answers = [
                    client.get("/decode.png", params={"z": ",".join(map(str, z))}),
                    client.get(f"/planes/{plane['id']}/tiles/8/{place}.png"),
                    client.post("/decode", json={"latents": [z] * 64}),
                    client.post("/encode", json={"images": [[[0.0] * 28] * 28]}),
                ]
                for answer in answers:
                    answer.raise_for_status()
        address = f"ws://127.0.0.1:{server.port}{path}/stream"
        with connect(address, compression=None, proxy=None) as stream:
            for _ in range(REQUESTS):
                stream.send(bytes(4 + 4 * dimensions))
                stream.recv()
        return resident(server.pid)


def steps(folder: Path) -> dict[str, list[float]]:
    """Kibibytes resident and not backed by files, CPU seconds, modules: after each step."""
    commands = [step.replace("{folder}", str(folder)) for step in STEPS.values()]
    child = subprocess.run(
        [sys.executable, "-c", CHILD, *commands], capture_output=True, text=True, check=True
    )
    rows = [list(map(float, line.split())) for line in child.stdout.splitlines()]
    return dict(zip(STEPS, rows, strict=True))


def main() -> None:
    """Print the table and the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="mnist-vae-2d")
    model = parser.parse_args().model
    rows = steps(Path("checkpoints", model))
    print("| after | MB | of them no file's | CPU s | modules |\n|---|---|---|---|---|")
    for name, (kilobytes, anonymous, seconds, modules) in rows.items():
        sizes = f"{kilobytes / MEGABYTE:.0f} | {anonymous / MEGABYTE:.0f}"
        print(f"| {name} | {sizes} | {seconds:.2f} | {modules:.0f} |")
    ours, limit = worker(model), rows["the weights: the limit"][0]
    sizes = f"worker {ours / MEGABYTE:.0f} MB, limit {limit / MEGABYTE:.0f} MB"
    print(f"\n{sizes}, ratio {ours / limit:.2f} (asked: at most {LIMIT})")


if __name__ == "__main__":
    main()
