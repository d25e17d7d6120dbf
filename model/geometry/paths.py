"""The paths of a model: from one latent to another, and how long they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float32

from model.card import Card
from model.errors import PlaneError
from model.geometry.computation import Computation, Pieces, complete
from model.geometry.geodesic import Geodesics
from model.geometry.interpolation import LatentPath, linear_path, spherical_path
from model.geometry.plane import Plane
from model.vae.autoencoder import Autoencoder

DECODED = 47
"""Steps whose lengths are taken in one piece."""


class Paths:
    """The paths through the latent space of a model whose latents are vectors."""

    def __init__(
        self,
        card: Card,
        autoencoder: Autoencoder,
        codes: Float32[np.ndarray, "codes latent"],
        plane: Plane,
    ) -> None:
        self._card, self._autoencoder = card, autoencoder
        self._geodesics = Geodesics(autoencoder, codes, plane)
        self._seen_geodesics = Geodesics(autoencoder, codes, plane, emptiness=0.0)

    def pieces(
        self,
        start: Float[np.ndarray, " latent"],
        end: Float[np.ndarray, " latent"],
        steps: int,
        path: Literal["linear", "spherical", "geodesic"],
        *,
        density: bool = True,
    ) -> list[Callable[[], LatentPath | None]]:
        """Return what to call in order; the last returns the path in `steps` points."""
        if path == "geodesic":
            return (self._geodesics if density else self._seen_geodesics).pieces(start, end, steps)
        return [partial(spherical_path if path == "spherical" else linear_path, start, end, steps)]

    def distances(
        self, start: Float[np.ndarray, " latent"]
    ) -> list[Callable[[], Float[np.ndarray, "96 96"] | None]]:
        """Return what `Geodesics.distances` does; raise PlaneError beyond two dimensions."""
        if len(start) != 2:
            raise PlaneError(
                f"{self._card.id} has {len(start)} dimensions; distances are measured on "
                "the plane of a model with two. Of any model, interpolate with the path geodesic "
                "gives the distance of two latents."
            )
        return self._geodesics.distances(start)

    def seen_lengths(
        self, latents: Float[np.ndarray, "count latent"]
    ) -> Float[np.ndarray, " count-1"]:
        """Return the Fisher-Rao distance of each latent's image from the one before."""
        return complete(self._seen(latents))

    def seen_length_pieces(
        self, latents: Float[np.ndarray, "count latent"]
    ) -> list[Callable[[], Float[np.ndarray, " count-1"] | None]]:
        """Return what to call in order; the last returns what `seen_lengths` does."""
        computation = Computation(partial(self._seen, latents))
        return computation.calls(math.ceil(len(latents) / DECODED))

    def _seen(self, latents: Float[np.ndarray, "count latent"]) -> Pieces[np.ndarray]:
        device = self._autoencoder.device
        parts = []
        for start in range(0, max(1, len(latents) - 1), DECODED):
            z_ND = torch.from_numpy(latents[start : start + DECODED + 1]).to(device)
            with torch.inference_mode():
                phi_NP = self._autoencoder.embed(z_ND)
                parts.append(phi_NP.diff(dim=0).square().sum(-1).sqrt().cpu().numpy())
            yield
        return np.concatenate(parts)
