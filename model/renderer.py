"""From latents to grey levels: what every drag, tile and batch goes through.

Eager PyTorch is the reference, and draws on every device. On a processor ONNX Runtime takes its
place where it is installed: it wants a third of the time, and gives a latent the same bytes in
whatever batch, without padding. See docs/adr/0014.

Shapes: N latents, D latent dimensions, P pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from model.autoencoder import SIDE, Autoencoder
from model.encoding import SMALLEST_BATCH, drawn
from model.onnx_decoder import INPUT, written_down

try:
    import onnxruntime
except ImportError:  # it is optional
    onnxruntime = None

Renderer = Callable[[Float32[np.ndarray, "n latent"]], UInt8[np.ndarray, "n 28 28"]]
"""Draws the mean images of p(x|z) in grey levels; the same bytes in whatever batch."""


def renderer(autoencoder: Autoencoder, latent_dim: int, device: str) -> Renderer:
    """Choose the fastest renderer that there is for a device."""
    if device == "cpu" and name() == "onnx":
        return onnx_renderer(autoencoder, latent_dim)
    return torch_renderer(autoencoder, device)


def name() -> str:
    """Which one draws on a processor, `onnx` or `torch`: they differ by a grey level at times."""
    return "torch" if onnxruntime is None else "onnx"


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


def onnx_renderer(autoencoder: Autoencoder, latent_dim: int) -> Renderer:
    """Draw with ONNX Runtime, on one thread as torch does (docs/adr/0004)."""
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = written_down(autoencoder, latent_dim)
    session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])

    def render(latents: Float32[np.ndarray, "n latent"]) -> UInt8[np.ndarray, "n 28 28"]:
        if not len(latents):  # at which ONNX Runtime ends the process
            return np.empty((0, SIDE, SIDE), np.uint8)
        (images,) = session.run(None, {INPUT: latents})
        return np.asarray(images).reshape(-1, SIDE, SIDE)

    return render
