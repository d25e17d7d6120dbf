"""How cost grows with work: five tables, a figure, and the power with which each grows.

    python -m benchmarks.growth [--only WORD] [--rounds 4] [--plot FOLDER]

- *batch*: the server's processor time an image, for raw batches of 1 to 1,024 on one connection.
- *connections*: p99 of a drag's frame while 1 to 1,000 connections ask as fast as they can.
- *zoom*: the server's processor time for a tile that it has not kept.
- *models*: the server's resident memory, after each model was asked for once, against what the
  weights and atlases take by themselves.
- *parameters*: processor time of an epoch of 60,000 images on one thread, extrapolated from 12
  batches, the best of six rounds; of recipes, and of one of them in several widths.

Nothing may grow faster than its work: the exponent of the fitted power law is 1 at most.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import random
import resource
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import numpy as np
import torch
import uvloop
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from app.serving.loading import memory_needed
from benchmarks import training
from benchmarks.limits import get, message, post
from benchmarks.measuring import Load, cpu_seconds, http_load, websocket_load
from benchmarks.memory import resident
from model.card import Card
from model.evaluation.figures import INK, PAPER
from model.recipes.recipe import Recipe
from model.vae.autoencoder import build_autoencoder
from tools.server import Server

MODEL = "mnist-vae-2d"
API = f"/api/v1/models/{MODEL}"
BATCHES = (1, 4, 16, 64, 256, 1024)
CONNECTIONS = (1, 3, 10, 32, 100, 320, 1000)
ZOOMS = range(9)
RECIPES = ("mnist-vae-20d", "mnist-vae-2d-beta-1", "mnist-ae-2d", "mnist-vae-2d-best")
LADDER, WIDTHS = "mnist-vae-20d", (100, 200, 800, 1600)
"""A recipe of one hidden layer, and the widths that it does not have itself."""
EPOCH = 60_000
SECONDS = 1.5
ACCENT, PALE = "#2a6f97", "#bbbbbb"

Table = list[tuple[float, float]]
"""Of each row the work, and what it cost."""


@dataclasses.dataclass(frozen=True)
class Growth:
    """One of the five: its table, and the words around it."""

    title: str
    work: str
    cost: str
    digits: int
    rows: Table
    labels: Sequence[str] = ()
    whole: bool = True
    """Whether the cost is that of all the work, which may grow as it; or of a part, as nothing."""
    based: bool = False
    """Whether the first row is where it starts from, and only what is more than that grows."""

    @property
    def power(self) -> float:
        """The exponent of the cost of all the work, by least squares of the logarithms."""
        if len(self.rows) < 2:
            return math.nan
        rows = np.array(self.rows)
        x, y = np.log(rows[1:] - rows[0] if self.based else rows).T
        return float(np.polyfit(x, y, 1)[0]) + (0 if self.whole else 1)


def batch(rounds: int) -> Growth:
    """Microseconds an image, by the size of a batch."""
    with Server("--models", MODEL, "--device", "cpu") as server:

        def cost(size: int) -> float:
            latents = [[random.uniform(-2, 2), random.uniform(-2, 2)] for _ in range(size)]
            body = json.dumps({"latents": latents}).encode()
            accept = "Accept: application/octet-stream"
            request = post(f"{API}/decode", "application/json", body, accept)
            return 1e6 * _cost(server, request) / size

        rows = _best(cost, BATCHES, rounds)
    title, part = "batch", "server CPU, us an image"
    return Growth(title, "images in a batch", part, 1, rows, whole=False)


def connections(rounds: int) -> Growth:
    """Milliseconds of the slowest hundredth, by the number of streams."""
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    room = [f"--max-{name}={2 * CONNECTIONS[-1]}" for name in ("connections", "streams")]
    with Server("--models", MODEL, "--device", "cpu", *room) as server:
        url = f"ws://127.0.0.1:{server.port}{API}/stream"

        def slowest(count: int) -> float:
            return (
                1e3
                * _good(uvloop.run(websocket_load(url, message, count, 2 * SECONDS))).p99_seconds
            )

        rows = _best(slowest, CONNECTIONS, rounds)
    return Growth("connections", "connections", "p99 of a frame, ms", 2, rows)


def zoom(rounds: int) -> Growth:
    """Microseconds of a tile, by its zoom."""
    numbers = itertools.count()
    with Server("--models", MODEL, "--device", "cpu", "--tile-cache-bytes", "1") as server:

        def cost(level: int) -> float:
            def tile(_: int) -> bytes:
                x, y = random.randrange(2**level), random.randrange(2**level)
                version = next(numbers)  # or the answer would come from where whole answers lie
                return get(f"{API}/planes/latent/tiles/{level}/{x}/{y}.png?v={version}")

            return 1e6 * _cost(server, tile)

        measured = _best(cost, ZOOMS, rounds)
    rows = [(2.0**level, spent) for level, spent in measured]
    labels = [str(level) for level in ZOOMS]
    cost_of_one = "server CPU, us a tile"
    return Growth("zoom", "tiles in a row", cost_of_one, 0, rows, labels, whole=False)


def models(_: int) -> Growth:
    """Megabytes of the server, by how many models it has loaded."""
    folders = sorted(card.parent for card in Path("checkpoints").glob("*/card.json"))
    folders.sort(key=lambda folder: folder.name != MODEL)  # the default one is there from the start
    cards = [Card.load(folder) for folder in folders]
    rows: Table = []
    needed = 0
    with (
        Server("--device", "cpu", "--model-memory-bytes", str(2**30)) as server,
        httpx.Client(base_url=f"{server.url}/api/v1", trust_env=False, timeout=60) as client,
    ):
        for folder, card in zip(folders, cards, strict=True):
            if card.family == "vqvae":
                body = {"images": [[[0.0] * 28] * 28]}
                answer = client.post(f"/models/{card.id}/encode", json=body)
            else:
                z = ",".join(["0.5"] * card.latent_dim)
                answer = client.get(f"/models/{card.id}/decode.png", params={"z": z})
            answer.raise_for_status()
            needed += memory_needed(folder)
            rows.append((needed / 2**20, resident(server.pid) / 2**10))
    labels = [str(number) for number in range(1, len(rows) + 1)]
    return Growth("models", "weights and atlases, MB", "resident, MB", 0, rows, labels, based=True)


def parameters(_: int) -> Growth:
    """Seconds of an epoch, by the parameters of the networks."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    recipes = [(name, Recipe.load(name)) for name in RECIPES]
    base = Recipe.load(LADDER)
    for width in WIDTHS:
        sides = {
            side: dataclasses.replace(getattr(base, side), hidden=(width,))
            for side in ("encoder", "decoder")
        }
        recipes.append((f"{LADDER}, width {width}", dataclasses.replace(base, **sides)))
    found = []
    for name, recipe in recipes:
        count = sum(p.numel() for p in build_autoencoder(recipe).parameters())
        step = training.in_turns(training.steps_of(recipe)[0])[0][0]
        found.append((count / 1e6, EPOCH / recipe.training.batch_size * step, name))
    found.sort()
    rows = [(millions, seconds) for millions, seconds, _ in found]
    labels = [name for *_, name in found]
    return Growth("parameters", "million parameters", "CPU s an epoch", 1, rows, labels)


def _cost(server: Server, request: bytes | Callable[[int], bytes]) -> float:
    """Processor seconds of the server for a request, one after the other on one connection."""
    used = cpu_seconds(server.pid)
    load = _good(uvloop.run(http_load(server.port, request, 1, SECONDS)))
    return (cpu_seconds(server.pid) - used) / load.count


def _good(load: Load) -> Load:
    if load.failed or not load.count:
        raise SystemExit(f"{load.failed} requests failed, {load.count} went well")
    return load


def _best(cost: Callable[[int], float], of: Sequence[int], rounds: int) -> Table:
    """The cheapest of several rounds, each of which goes through all sizes."""
    tried = [[cost(size) for size in of] for _ in range(rounds)]
    return [(size, min(costs)) for size, costs in zip(of, zip(*tried, strict=True), strict=True)]


def show(growth: Growth) -> None:
    """Print a table."""
    first = f"{growth.title} | " if growth.labels else ""
    share = f" | {growth.cost} / {growth.work}" if growth.whole and not growth.based else ""
    print(f"\n| {first}{growth.work} | {growth.cost}{share} |")
    print("|---" * (2 + bool(first) + bool(share)) + "|")
    for place, (work, cost) in enumerate(growth.rows):
        label = f"{growth.labels[place]} | " if growth.labels else ""
        part = f" | {cost / work:.{growth.digits + 1}f}" if share else ""
        print(f"| {label}{work:,.4g} | {cost:,.{growth.digits}f}{part} |")
    what = "what is more than at first" if growth.based else "all of it"
    print(f"\n{what} grows as the work to the power {growth.power:.2f}", flush=True)


def draw(grown: list[Growth], folder: Path) -> Path:
    """Draw them side by side; on paper, so that it can be read on any ground."""
    figure = Figure((10, 2.2 * -(-len(grown) // 3) + 0.6), layout="constrained")
    down = -(-len(grown) // 3)
    for place, growth in enumerate(grown, 1):
        plot(figure.add_subplot(down, min(3, len(grown)), place), growth)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "growth.png"
    figure.savefig(path, dpi=110, facecolor=PAPER, metadata={"Software": None})
    return path


def plot(ax: Axes, growth: Growth) -> None:
    """Draw one as points, with the line of what grows as its work does."""
    x, y = np.array(growth.rows).T
    if growth.based:
        ax.plot(x[[0, -1]], y[[0, -1]], color=PALE, linewidth=1)
    else:
        ax.set_xscale("log")
        ax.set_yscale("log")
        law = x / x[-1] if growth.whole else np.ones_like(x)
        ax.plot(x, y[-1] * law, color=PALE, linewidth=1)
    ax.plot(x, y, "o", color=ACCENT, markersize=3.5)
    if growth.based:
        ax.set_ylim(0, 1.1 * y.max())
    else:
        _tick(ax.xaxis, min(x) / 1.3, 1.3 * max(x))
        _tick(ax.yaxis, min(y) / 2, 2 * max(y))
    ax.set_xlabel(growth.work, fontsize=8, color=INK)
    ax.set_ylabel(growth.cost, fontsize=8, color=INK)
    ax.tick_params(labelsize=7, colors=INK)
    for spine in ax.spines.values():
        spine.set_color(PALE)


def _tick(axis: Axis, least: float, most: float) -> None:
    """Give a logarithmic axis plain numbers: powers of ten, and where these are few 2 and 5."""
    tens = [10.0**power for power in range(-3, 6)]
    finer = sorted(digit * ten for ten in tens for digit in (1, 2, 5))
    wide = most / least > 300
    ticks = [tick for tick in (tens if wide else finer) if least <= tick <= most]
    axis.set_ticks(ticks, [f"{tick:,g}" for tick in ticks])
    axis.set_minor_locator(NullLocator())
    axis.set_view_interval(least, most, ignore=True)


ALL = (batch, connections, zoom, models, parameters)


def main() -> None:
    """Measure what is asked for, print the tables, draw the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="WORD", help="those whose name holds it")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw growth.png into it")
    options = parser.parse_args()
    grown = []
    for measure in ALL:
        if options.only in measure.__name__:
            grown.append(measure(options.rounds))
            show(grown[-1])
    if options.plot:
        print(f"\n{draw(grown, options.plot)} is written.")


if __name__ == "__main__":
    main()
