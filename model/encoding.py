"""What an engine answers when it encodes.

Shapes: N images, D latent dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64, UInt8


@dataclass(frozen=True)
class Encoding:
    """What a model makes of each image; the parts in nats. None is what an autoencoder lacks."""

    mean: Float[np.ndarray, "images latent"] | None
    """The code; None for a model with a codebook."""
    indices: Int64[np.ndarray, "images 7 7"] | None
    """What a model with a codebook has instead: an entry's number at each place."""
    covariance: Float[np.ndarray, "images latent latent"] | None
    reconstruction: Float[np.ndarray, " images"]
    """E log p(x|z) over 32 posterior samples; for an autoencoder log p(x|z) at the code."""
    kl_per_dimension: Float[np.ndarray, "images latent"] | None
    reconstruction_image: UInt8[np.ndarray, "images 28 28"]
    """The decode of the mean, or of the codebook's entries."""

    @property
    def kl(self) -> Float[np.ndarray, " images"] | None:
        return None if self.kl_per_dimension is None else self.kl_per_dimension.sum(axis=1)

    @property
    def total(self) -> Float[np.ndarray, " images"] | None:
        """The ELBO: reconstruction - kl."""
        return None if self.kl is None else self.reconstruction - self.kl


def joined(parts: list[Encoding]) -> Encoding:
    """One encoding of all images; the optional fields are None in all parts or in none."""

    def join(name: str) -> np.ndarray | None:
        arrays = [getattr(part, name) for part in parts]
        return None if arrays[0] is None else np.concatenate(arrays)

    fields = (
        "mean",
        "indices",
        "covariance",
        "reconstruction",
        "kl_per_dimension",
        "reconstruction_image",
    )
    return Encoding(*map(join, fields))  # type: ignore[arg-type]
