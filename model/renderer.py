"""From latents to grey levels: what every drag, tile and batch goes through.

Eager PyTorch is the reference, and draws on every device. On a processor ONNX Runtime takes its
place where it is installed: it wants a third of the time, and gives a latent the same bytes in
whatever batch, without padding. See docs/adr/0014.

Shapes: N latents, D latent dimensions, P pixels.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from model.autoencoder import SIDE, Autoencoder
from model.encoding import SMALLEST_BATCH, drawn
from model.likelihood import grey_levels

try:
    import onnx  # noqa: F401 -- PyTorch writes with it
    import onnxruntime
except ImportError:  # both are optional
    onnxruntime = None

Renderer = Callable[[Float32[np.ndarray, "n latent"]], UInt8[np.ndarray, "n 28 28"]]
"""Draws the mean images of p(x|z) in grey levels; the same bytes in whatever batch."""

OPSET = 17
"""The version of ONNX in which the decoder is written down."""


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
    session = onnxruntime.InferenceSession(
        _written_down(_Drawing(autoencoder).eval(), latent_dim), options, ["CPUExecutionProvider"]
    )

    def render(latents: Float32[np.ndarray, "n latent"]) -> UInt8[np.ndarray, "n 28 28"]:
        if not len(latents):  # at which ONNX Runtime ends the process
            return np.empty((0, SIDE, SIDE), np.uint8)
        (images,) = session.run(None, {"latents": latents})
        return np.asarray(images).reshape(-1, SIDE, SIDE)

    return render


class _Drawing(nn.Module):
    """z -> grey levels, all that a renderer does, as one network."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        super().__init__()
        self.decoder, self.likelihood = autoencoder.decoder, autoencoder.likelihood

    def forward(self, z_ND: Tensor) -> Tensor:
        return grey_levels(self.likelihood.mean(self.decoder(z_ND)))


def _written_down(network: nn.Module, latent_dim: int) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():  # of its age: its successor takes seconds, and other packages
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(SMALLEST_BATCH, latent_dim),),
            file,  # type: ignore[arg-type] # takes it, whatever its signature says
            opset_version=OPSET,
            input_names=["latents"],
            output_names=["images"],
            dynamic_axes={"latents": {0: "N"}, "images": {0: "N"}},
            dynamo=False,
        )
    return file.getvalue()
