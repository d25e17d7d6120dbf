"""The paths of a model: from one latent to another, and how long they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float32

from model.card import Card
from model.errors import PlaneError
from model.geometry.geodesic import Geodesics
from model.geometry.interpolation import LatentPath, linear_path, spherical_path
from model.geometry.plane import Plane
from model.vae.autoencoder import Autoencoder


class Paths:
    """All ways through the latent space of a model whose latents are vectors."""

    def __init__(
        self,
        card: Card,
        autoencoder: Autoencoder,
        codes: Float32[np.ndarray, "codes latent"],
        plane: Plane,
    ) -> None:
        self._card, self._autoencoder = card, autoencoder
        self._geodesics = Geodesics(autoencoder, codes, plane)

    def pieces(
        self,
        start: Float[np.ndarray, " latent"],
        end: Float[np.ndarray, " latent"],
        steps: int,
        path: Literal["linear", "spherical", "geodesic"],
    ) -> list[Callable[[], LatentPath | None]]:
        """What to call, in this order; the last gives the path in `steps` points."""
        if path == "geodesic":
            return self._geodesics.pieces(start, end, steps)
        return [partial(spherical_path if path == "spherical" else linear_path, start, end, steps)]

    def distances(
        self, start: Float[np.ndarray, " latent"]
    ) -> list[Callable[[], Float[np.ndarray, "96 96"] | None]]:
        """As `Geodesics.distances`; raises PlaneError if the model has more than two dimensions."""
        if len(start) != 2:
            raise PlaneError(
                f"{self._card.id} has {len(start)} dimensions; distances are measured on "
                "the plane of a model with two. Of any model, interpolate with the path geodesic "
                "gives the distance of two latents."
            )
        return self._geodesics.distances(start)

    @torch.inference_mode()
    def seen_lengths(
        self, latents: Float[np.ndarray, "count latent"]
    ) -> Float[np.ndarray, " count-1"]:
        """The Fisher-Rao distance of each latent's image from the one before."""
        device = next(self._autoencoder.parameters()).device
        output_NP = self._autoencoder.decode(torch.from_numpy(latents).to(device))
        place_NP = self._autoencoder.likelihood.embed(output_NP)
        return np.asarray(place_NP.diff(dim=0).square().sum(-1).sqrt().cpu().numpy())
