"""The engine: a loaded model on a device. Numpy in, numpy out; the only door for the server.

Shapes: N images or latents, D latent dimensions, K path steps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int64, UInt8

from model.autoencoder import PIXELS, SIDE, VariationalAutoencoder, VectorQuantisedAutoencoder
from model.checkpoint import Checkpoint, read_checkpoint
from model.data.datasets import LabelledImages, test_set
from model.device import choose_device
from model.errors import ImageError, LatentError, UndecodableError
from model.likelihood import grey_levels
from model.measures import MEASURES, Measure
from model.networks import CELLS
from model.objective import expected_elbo, reconstruction
from model.path import LatentPath, linear_path, spherical_path
from model.plane import Plane
from model.refinement import POINTS

__all__ = [
    "LATENT_LIMIT",
    "MEASURES",
    "Encoding",
    "Engine",
    "LabelledImages",
    "LatentPath",
    "Measure",
    "Plane",
    "choose_device",
    "test_set",
]

LATENT_LIMIT = 10_000.0
"""Norm beyond which a latent is refused: no prior, code or plane comes near it."""
SMALLEST_BATCH = 8
"""Below it a matrix product takes another path through the library, and a grey level may differ."""
CHUNK = 256
ELBO_SAMPLES = 32
"""Decodes that the ELBO of one image takes."""
RENDERER = "1"
"""Raise it when the same weights and atlas begin to give other bytes."""


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


class Engine:
    """A verified checkpoint on a device. One caller at a time.

    Attributes:
        card: What the checkpoint says of itself.
        device: `cpu`, `cuda:N` or `mps`.
        planes: Those of the atlas; the first is the one to open.
        codes: Of the shipped test images, float32, in the data set's order.
        labels: Of the same images.
        decodes: Whether it decodes vectors; a model with a codebook has none, and no plane.
        decodes_to_encode: How many decodes one encode costs; more than the encoder itself does.
        memory_bytes: What weights and atlas take in memory.
        version: Changes whenever the same request may give other bytes; for ETags.
    """

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        torch.set_num_threads(1)  # more make the slowest answers many times slower: docs/adr/0004
        self.card, self.atlas, self.device = checkpoint.card, checkpoint.atlas, device
        self.planes, self.codes = self.atlas.planes, self.atlas.codes
        self.labels = test_set(self.card.dataset).labels
        self._autoencoder = checkpoint.autoencoder
        self.decodes = not isinstance(self._autoencoder, VectorQuantisedAutoencoder)
        dice = torch.Generator().manual_seed(0)
        noise_K1D = torch.randn(ELBO_SAMPLES, 1, self.card.latent_dim, generator=dice)
        self._noise_K1D = noise_K1D.to(device)
        self.decodes_to_encode = ELBO_SAMPLES
        if isinstance(self._autoencoder, VariationalAutoencoder):
            self.decodes_to_encode += self._autoencoder.refinements * POINTS**2
        identity = f"{self.card.sha256} {self.card.atlas_sha256} {RENDERER}"
        weights = self._autoencoder.state_dict().values()
        self.memory_bytes = sum(t.numel() * t.element_size() for t in weights) + self.atlas.nbytes
        self.version = hashlib.sha256(identity.encode()).hexdigest()[:16]

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Engine:
        """Load a checkpoint onto `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

        Raises:
            CheckpointError: A file is missing, damaged or foreign; the message names it.
            DeviceError: The device is not on this machine.
        """
        chosen = choose_device(device)
        return cls(read_checkpoint(folder, chosen), chosen)

    def warm_up(self) -> None:
        """Encode and decode once, so that the first user does not wait for lazy set-up."""
        if self.decodes:
            self.decode(self.codes[:SMALLEST_BATCH])
        self.encode(test_set(self.card.dataset).images[:SMALLEST_BATCH].astype(np.float32) / 255)

    @torch.inference_mode()
    def decode(
        self, latents: Float[np.ndarray, "count latent"]
    ) -> UInt8[np.ndarray, "count 28 28"]:
        """The mean images of p(x|z) in grey levels; the same bytes in whatever batch.

        Raises:
            LatentError: Not of shape (N, D), not finite, or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        latents = self._checked(latents)
        count = len(latents)
        if count < SMALLEST_BATCH:
            padding = np.zeros((SMALLEST_BATCH - count, latents.shape[1]), np.float32)
            latents = np.concatenate([latents, padding])
        z_ND = torch.from_numpy(latents).to(self.device)
        return self._drawn(self._autoencoder.decode(z_ND))[:count]

    def _drawn(
        self, output_NP: Float[torch.Tensor, "count pixels"]
    ) -> UInt8[np.ndarray, "count 28 28"]:
        grey_NP = grey_levels(self._autoencoder.likelihood.mean(output_NP))
        return grey_NP.cpu().numpy().reshape(-1, SIDE, SIDE)

    def encode(self, images: Float[np.ndarray, "images 28 28"]) -> Encoding:
        """The posteriors of images, and their ELBO on the grey levels as they are.

        Raises:
            ImageError: Not of shape (N, 28, 28), or with intensities outside [0, 1].
        """
        images = np.ascontiguousarray(images, np.float32)
        if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
            raise ImageError(f"images have shape {images.shape}; allowed is (N, {SIDE}, {SIDE})")
        if not ((images >= 0) & (images <= 1)).all():
            raise ImageError("images have intensities outside 0 (background) to 1; rescale them")
        parts = np.split(images.reshape(-1, PIXELS), range(CHUNK, len(images), CHUNK))
        return _joined([self._encode(part) for part in parts])

    @torch.inference_mode()
    def _encode(self, images: Float[np.ndarray, "images pixels"]) -> Encoding:
        count = len(images)
        image_NP = torch.zeros(max(count, SMALLEST_BATCH), PIXELS)
        image_NP[:count] = torch.from_numpy(images)
        image_NP = image_NP.to(self.device)
        covariance = kl = None
        if isinstance(self._autoencoder, VectorQuantisedAutoencoder):
            return self._quantise(self._autoencoder, image_NP, count)
        if isinstance(self._autoencoder, VariationalAutoencoder):
            posterior = self._autoencoder.posterior(image_NP)
            scale_tril_NDD = posterior.scale_tril
            code_ND, covariance = posterior.mean, scale_tril_NDD @ scale_tril_NDD.mT
            bound = expected_elbo(self._autoencoder, image_NP, self._noise_K1D, posterior)
            likelihood, kl = bound.reconstruction, bound.kl_per_dimension
        else:
            code_ND = self._autoencoder.code(image_NP)
            likelihood = reconstruction(self._autoencoder, image_NP)
        mean = code_ND.cpu().numpy()[:count]
        return Encoding(
            mean,
            None,
            None if covariance is None else covariance.cpu().numpy()[:count],
            likelihood.cpu().numpy()[:count],
            None if kl is None else kl.cpu().numpy()[:count],
            self.decode(mean),
        )

    def _quantise(
        self,
        autoencoder: VectorQuantisedAutoencoder,
        image_NP: Float[torch.Tensor, "images pixels"],
        count: int,
    ) -> Encoding:
        drawn = self._drawn(autoencoder.reconstruct(image_NP))[:count]
        indices = autoencoder.indices(image_NP).cpu().numpy()[:count].reshape(count, CELLS, CELLS)
        likelihood = reconstruction(autoencoder, image_NP).cpu().numpy()[:count]
        return Encoding(None, indices, None, likelihood, None, drawn)

    def sample(
        self, count: int, seed: int, temperature: float = 1.0
    ) -> Float[np.ndarray, "n latent"]:
        """Draw latents from the prior N(0, temperature^2 I), the same ones for the same seed.

        An autoencoder has no prior; it draws from the Gaussian fitted to its codes, with its
        spread about their mean scaled by the temperature.

        Raises:
            UndecodableError: The model has a codebook instead of vectors.
        """
        self._require_vectors()
        noise = np.random.default_rng(seed).standard_normal((count, self.card.latent_dim))
        if isinstance(self._autoencoder, VariationalAutoencoder):
            return np.asarray(temperature * noise, np.float32)
        codes = self.codes.astype(np.float64)
        covariance = np.cov(codes.T)
        hair = 1e-9 * np.trace(covariance) + 1e-30  # numbers of a sparse code may always be 0
        scale_tril = np.linalg.cholesky(covariance + hair * np.eye(len(covariance)))
        return np.asarray(codes.mean(axis=0) + temperature * noise @ scale_tril.T, np.float32)

    def interpolate(
        self,
        start: Float[np.ndarray, " latent"],
        end: Float[np.ndarray, " latent"],
        steps: int,
        path: Literal["linear", "spherical"] = "linear",
    ) -> LatentPath:
        """Walk from one latent to another in `steps` points, both ends among them.

        Raises:
            LatentError: An end is of the wrong shape, not finite, or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        walk = spherical_path if path == "spherical" else linear_path
        return walk(self._checked([start])[0], self._checked([end])[0], steps)

    def _checked(self, latents: npt.ArrayLike) -> Float[np.ndarray, "count latent"]:
        self._require_vectors()
        array, wanted = np.asarray(latents), self.card.latent_dim
        if array.ndim != 2 or array.shape[1] != wanted:
            raise LatentError(
                f"latents have shape {array.shape}; {self.card.id} takes (N, {wanted})"
            )
        with np.errstate(over="ignore"):
            norm_N = np.linalg.norm(array, axis=1)
        if not (norm_N <= LATENT_LIMIT).all():
            bad = int(np.argmin(norm_N <= LATENT_LIMIT))
            raise LatentError(
                f"latents[{bad}] has the norm {norm_N[bad]:g}; "
                f"it must be finite and at most {LATENT_LIMIT:g}"
            )
        return np.ascontiguousarray(array, np.float32)

    def _require_vectors(self) -> None:
        if not self.decodes:
            raise UndecodableError(
                f"The latents of {self.card.id} are a grid of 7 x 7 entries of a codebook, not a "
                "vector; it encodes and reconstructs images, but has no plane and decodes no point."
            )


def _joined(parts: list[Encoding]) -> Encoding:
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
