"""Decoding: from latents to grey levels, for every drag, tile and batch.

Shapes: N latents, D latent dimensions, P numbers of an image.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from model.inference import onnx_session
from model.inference.encoding import mean_images, padded
from model.inference.onnx_autoencoder import drawing
from model.vae.autoencoder import Autoencoder

Renderer = Callable[[Float32[np.ndarray, "n latent"]], UInt8[np.ndarray, "n ..."]]
"""Returns mean images of p(x|z) in grey levels; a latent gives the same bytes in every batch."""


def renderer(autoencoder: Autoencoder, latent_dim: int, device: str) -> Renderer:
    """Return the fastest renderer for a device."""
    if onnx_session.chosen(device):
        return drawing(autoencoder, latent_dim)
    return torch_renderer(autoencoder, device)


def torch_renderer(autoencoder: Autoencoder, device: str) -> Renderer:
    """Return a renderer that uses PyTorch."""

    @torch.inference_mode()
    def render(latents: Float32[np.ndarray, "n latent"]) -> UInt8[np.ndarray, "n ..."]:
        z_ND = padded(latents).to(device)
        return mean_images(autoencoder, autoencoder.decode(z_ND))[: len(latents)]

    return render
