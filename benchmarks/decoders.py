"""The decoder's trade: exact log-likelihood against microseconds an image.

    python -m benchmarks.decoders [--rounds 8] [--plot FOLDER] [--also FOLDER]

Each two-dimensional MNIST model whose card has the exact log-likelihood of the test images, drawn
in batches of 16, as a server with sixteen people does: by the renderer that a processor gets and by
eager torch, on one thread, in turns, the cheapest round of each. `--also` names a folder of further
checkpoints, such as students of other widths; `python -m model evaluate ID --checkpoints FOLDER
--only likelihood --write` gives their cards the figure.

On the frontier is a decoder than which no other is both faster and likelier.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.growth import ACCENT, PALE
from model.card import Card
from model.checkpoint import read_checkpoint
from model.evaluation.figures import INK, PAPER
from model.inference import onnx_session
from model.inference.decoding import renderer, torch_renderer

BATCH = 16
ROUND_SECONDS = 0.1
TICKS = (5, 10, 20, 50, 100, 200)
SHOWN_NATS = 12
"""The figure leaves out what lies further below the best; the table has it."""


@dataclass
class Decoder:
    """One decoder; its times are microseconds of the processor for an image, the best so far."""

    id: str
    multiply_adds: int
    nats: float
    draw: Callable[[], object]
    draw_eager: Callable[[], object]
    cost: float = field(default=math.inf)
    eager_cost: float = field(default=math.inf)

    def measure(self) -> None:
        """Have one round of each renderer."""
        self.cost = min(self.cost, microseconds(self.draw))
        self.eager_cost = min(self.eager_cost, microseconds(self.draw_eager))


def microseconds(call: Callable[[], object]) -> float:
    """Processor time for an image of a batch of 16."""
    call()
    began, calls = time.process_time(), 0
    while (used := time.process_time() - began) < ROUND_SECONDS:
        call()
        calls += 1
    return 1e6 * used / calls / BATCH


def read(folder: Path) -> Decoder | None:
    """Make one ready to be measured; None for a model that has no figure to compare."""
    card = Card.load(folder)
    nats = (card.metrics.get("likelihood") or {}).get("exact")
    if card.dataset != "mnist" or nats is None:
        return None
    autoencoder = read_checkpoint(folder).autoencoder
    latents = np.random.default_rng(0).standard_normal((BATCH, card.latent_dim), np.float32)
    chosen = renderer(autoencoder, card.latent_dim, "cpu")
    eager = torch_renderer(autoencoder, "cpu")
    return Decoder(
        card.id,
        card.multiply_adds["decoder"],
        nats,
        lambda: chosen(latents),
        lambda: eager(latents),
    )


def frontier(decoders: list[Decoder]) -> list[Decoder]:
    """Those that no other beats in both, the fastest first."""
    best: list[Decoder] = []
    for decoder in sorted(decoders, key=lambda one: (one.cost, -one.nats)):
        if not best or decoder.nats > best[-1].nats:
            best.append(decoder)
    return best


def plot(decoders: list[Decoder], folder: Path) -> Path:
    """Draw the curve; on paper, so that it can be read on any ground."""
    figure = Figure((6.4, 3.6), layout="constrained")
    ax = figure.add_subplot()
    least = max(decoder.nats for decoder in decoders) - SHOWN_NATS
    shown = [decoder for decoder in decoders if decoder.nats > least]
    best = [decoder for decoder in frontier(decoders) if decoder.nats > least]
    ax.plot(
        [decoder.cost for decoder in best],
        [decoder.nats for decoder in best],
        color=ACCENT,
        linewidth=1,
        drawstyle="steps-post",
    )
    for decoder in shown:
        chosen = decoder in best
        ax.plot(decoder.cost, decoder.nats, "o", color=ACCENT if chosen else PALE, markersize=4)
        ax.annotate(
            decoder.id.removeprefix("mnist-"),
            (decoder.cost, decoder.nats),
            xytext=(3, 4),
            textcoords="offset points",
            fontsize=7,
            color=INK,
            weight="bold" if chosen else "normal",
        )
    ax.set_xscale("log")
    ax.set_xticks(TICKS, map(str, TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    costs = [decoder.cost for decoder in shown]
    ax.set_xlim(min(costs) / 1.2, 1.8 * max(costs))
    title = f"us an image in batches of {BATCH}, renderer: {onnx_session.name()}"
    ax.set_xlabel(title, fontsize=8, color=INK)
    ax.set_ylabel("exact log-likelihood, nats an image", fontsize=8, color=INK)
    ax.tick_params(which="both", labelsize=7, colors=INK)
    for spine in ax.spines.values():
        spine.set_color(PALE)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "decoders.png"
    figure.savefig(path, dpi=110, facecolor=PAPER, metadata={"Software": None})
    return path


def main() -> None:
    """Print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw decoders.png into it")
    parser.add_argument("--also", type=Path, metavar="FOLDER", help="of more checkpoints")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cards = [*Path("checkpoints").glob("*/card.json")]
    known = {card.parent.name for card in cards}
    if options.also:
        cards += [c for c in options.also.glob("*/card.json") if c.parent.name not in known]
    decoders = [decoder for card in cards if (decoder := read(card.parent))]
    for _ in range(options.rounds):
        for decoder in decoders:
            decoder.measure()
    best = frontier(decoders)
    print(f"| decoder | multiply-adds | nats | {onnx_session.name()}, us | eager, us | frontier |")
    print("|---|---|---|---|---|---|")
    for decoder in sorted(decoders, key=lambda one: -one.nats):
        mark = "yes" if decoder in best else ""
        size = f"{decoder.multiply_adds:,} | {decoder.nats:.2f}"
        times = f"{decoder.cost:.1f} | {decoder.eager_cost:.1f}"
        print(f"| `{decoder.id}` | {size} | {times} | {mark} |")
    if options.plot:
        print(f"\n{plot(decoders, options.plot)} is written.")


if __name__ == "__main__":
    main()
