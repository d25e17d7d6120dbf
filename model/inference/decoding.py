"""From latents to grey levels: what every drag, tile and batch goes through.

Shapes: N latents, D latent dimensions, P pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from model.inference import onnx_session
from model.inference.encoding import SMALLEST_BATCH, drawn
from model.inference.onnx_autoencoder import drawing
from model.vae.autoencoder import Autoencoder

Renderer = Callable[[Float32[np.ndarray, "n latent"]], UInt8[np.ndarray, "n 28 28"]]
"""Draws the mean images of p(x|z) in grey levels; the same bytes in whatever batch."""


def renderer(autoencoder: Autoencoder, latent_dim: int, device: str) -> Renderer:
    """Choose the fastest renderer that there is for a device."""
    if onnx_session.chosen(device):
        return drawing(autoencoder, latent_dim)
    return torch_renderer(autoencoder, device)


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
