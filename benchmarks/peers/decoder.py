"""What every peer serves: our network, the grey levels that it gives, and our way to pack them."""

import base64
from collections.abc import Sequence

import numpy as np
import torch

from app.formats import png
from app.settings import ROOT
from model.engine import Engine

MODEL = "mnist-vae-2d"
MOST = 32
"""Images in a batch; no more come at once than connections are open."""
SEQUENCE_BYTES = 4

Picture = dict[str, object]


class Decoder:
    """The default model on the CPU, one thread, warm."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.engine = Engine.load(ROOT / "checkpoints" / MODEL, "cpu")
        self.engine.warm_up()

    def pictures(self, latents: Sequence[Sequence[float]]) -> list[Picture]:
        """Decode latents in one batch, as the `images` of our own answer."""
        images = self.engine.decode(np.array(latents, np.float32))
        return [
            {"width": 28, "height": 28, "png": base64.b64encode(png.encode(image)).decode()}
            for image in images
        ]

    def frame(self, question: bytes) -> bytes:
        """Answer a message of our stream: sequence and latent in, sequence and pixels out."""
        latent = np.frombuffer(question, "<f4", offset=SEQUENCE_BYTES)[None]
        (image,) = self.engine.decode(latent)
        return question[:SEQUENCE_BYTES] + bytes(image.data)
