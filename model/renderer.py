"""From latents to grey levels: what every drag, tile and batch goes through.

Shapes: N latents, D latent dimensions, P pixels.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from model import runtime
from model.autoencoder import SIDE, Autoencoder
from model.encoding import SMALLEST_BATCH, drawn
from model.likelihood import grey_levels
from model.onnx_autoencoder import drawing

RECORDED = 64
"""Rows of the pass that CUDA records: as many as a tile has, and as are decoded at once."""
WARM_UPS = 3
"""Passes in which libraries choose how to compute, before one is recorded."""

log = logging.getLogger("explorer")

Renderer = Callable[[Float32[np.ndarray, "n latent"]], UInt8[np.ndarray, "n 28 28"]]
"""Draws the mean images of p(x|z) in grey levels; the same bytes in whatever batch."""


def renderer(autoencoder: Autoencoder, latent_dim: int, device: str) -> Renderer:
    """Choose the fastest renderer that there is for a device."""
    if runtime.chosen(device):
        return drawing(autoencoder, latent_dim)
    eager = torch_renderer(autoencoder, device)
    if not device.startswith("cuda"):
        return eager
    try:
        return recorded(autoencoder, latent_dim, device, eager)
    except RuntimeError as error:  # whatever of a network cannot be recorded
        log.warning("%s draws without a CUDA graph, more slowly: %s", device, error)
        return eager


@torch.inference_mode()
def recorded(autoencoder: Autoencoder, latent_dim: int, device: str, beyond: Renderer) -> Renderer:
    """Draw up to 64 latents by one launch: on a GPU those of a decoder take longer than its work.

    The pass is of 64 rows, however few are drawn, so that each has the same bytes in whatever
    batch. It may be recorded while another thread uses the GPU.

    Args:
        autoencoder: On a CUDA GPU.
        latent_dim: D.
        device: Which.
        beyond: Draws more than 64.

    Raises:
        RuntimeError: CUDA cannot record it.

    Source: docs.pytorch.org, "CUDA semantics", section "CUDA Graphs".
    """
    with torch.cuda.device(device):
        z_ND = torch.zeros(RECORDED, latent_dim, device=device)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        graph = torch.cuda.CUDAGraph()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                _grey(autoencoder, z_ND)
        torch.cuda.current_stream().wait_stream(side)
        with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            grey_NP = _grey(autoencoder, z_ND)

    def run() -> None:
        with torch.cuda.device(device):
            graph.replay()

    return in_place(z_ND, run, grey_NP, beyond)


def in_place(z_ND: Tensor, run: Callable[[], None], grey_NP: Tensor, beyond: Renderer) -> Renderer:
    """Draw by a pass that reads and writes the same memory each time.

    Args:
        z_ND: What it reads.
        run: The pass.
        grey_NP: What it writes; of fewer latents than there are rows, the others mean nothing.
        beyond: Draws more than there are rows.
    """

    @torch.inference_mode()
    def render(latents: Float32[np.ndarray, "n latent"]) -> UInt8[np.ndarray, "n 28 28"]:
        count = len(latents)
        if count > len(z_ND):
            return beyond(latents)
        z_ND[:count].copy_(torch.from_numpy(latents))
        run()
        return grey_NP[:count].to("cpu", copy=True).numpy().reshape(-1, SIDE, SIDE)

    return render


def _grey(autoencoder: Autoencoder, z_ND: Tensor) -> UInt8[Tensor, "count pixels"]:
    return grey_levels(autoencoder.likelihood.mean(autoencoder.decode(z_ND)))


def torch_renderer(autoencoder: Autoencoder, device: str) -> Renderer:
    """Draw with the autoencoder itself."""

    @torch.inference_mode()
    def render(latents: Float32[np.ndarray, "n latent"]) -> UInt8[np.ndarray, "n 28 28"]:
        count = len(latents)
        if count < SMALLEST_BATCH:
            padding = np.zeros((SMALLEST_BATCH - count, latents.shape[1]), np.float32)
            latents = np.concatenate([latents, padding])
        z_ND = torch.from_numpy(latents).to(device)
        return drawn(autoencoder, autoencoder.decode(z_ND))[:count]

    return render
