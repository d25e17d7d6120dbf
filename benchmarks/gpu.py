"""What a CUDA GPU makes of drags and of large batches.

    python -m benchmarks.gpu [--device auto] [--rounds 8]

*drags*: from latents to grey levels in NumPy, by wall time, as one recorded pass and by eager
PyTorch; asked is twice. *batch*: 1,024 latents by the engine, against the bare forward pass on the
device and the way of its grey levels back; asked is 0.9.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from model.checkpoint import read_checkpoint
from model.engine import Engine, choose_device
from model.errors import DeviceError
from model.likelihood import grey_levels
from model.renderer import recorded, torch_renderer

FOLDER = Path("checkpoints", "mnist-vae-2d")
DRAGS = (1, 16, 64)
BATCH = 1024
ASKED_DRAG, ASKED_BATCH = 2.0, 0.9
SECONDS = 0.2
"""Of a round of one of them."""


def microseconds(call: Callable[[], object]) -> float:
    """Of one call, on average over a round; each ends with what it gives in NumPy."""
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        call()
        calls += 1
    return 1e6 * (time.perf_counter() - began) / calls


def best(rounds: int, *calls: Callable[[], object]) -> list[float]:
    """The quickest round of each, in turns."""
    found = [math.inf] * len(calls)
    for _ in range(rounds):
        for place, call in enumerate(calls):
            found[place] = min(found[place], microseconds(call))
    return found


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    try:
        device = choose_device(options.device)
    except DeviceError as error:
        raise SystemExit(error) from None
    if not device.startswith("cuda"):
        print("There is no CUDA GPU here, so there is nothing to measure.")
        return
    checkpoint = read_checkpoint(FOLDER, device)
    autoencoder, D = checkpoint.autoencoder, checkpoint.card.latent_dim
    eager = torch_renderer(autoencoder, device)
    draw = recorded(autoencoder, D, device, eager)
    latents = np.random.default_rng(0).standard_normal((BATCH, D)).astype(np.float32)
    print(f"{torch.cuda.get_device_name(device)}\n")
    print("| drags | eager, us | recorded, us | times | asked |\n|---|---|---|---|---|")
    for count in DRAGS:
        few = latents[:count]
        slow, quick = best(options.rounds, lambda z=few: eager(z), lambda z=few: draw(z))  # type: ignore[misc]
        print(f"| {count} | {slow:.0f} | {quick:.0f} | {slow / quick:.2f} | {ASKED_DRAG:g} |")
    engine = Engine(checkpoint, device)

    @torch.inference_mode()
    def bare() -> np.ndarray:
        z_ND = torch.from_numpy(latents).to(device)
        grey_NP = grey_levels(autoencoder.likelihood.mean(autoencoder.decode(z_ND)))
        return np.asarray(grey_NP.cpu().numpy())

    limit, ours = best(options.rounds, bare, lambda: engine.decode(latents))
    print("\n| batch | engine, us | bare, us | ratio | asked |\n|---|---|---|---|---|")
    print(f"| {BATCH:,} | {ours:.0f} | {limit:.0f} | {limit / ours:.2f} | {ASKED_BATCH:g} |")


if __name__ == "__main__":
    main()
