"""From images to what a model makes of them.

Shapes: N images, D latent dimensions, K samples, P pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8

from model import runtime
from model.autoencoder import (
    PIXELS,
    SIDE,
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.errors import ImageError
from model.likelihood import grey_levels
from model.networks import CELLS
from model.objective import expected_elbo, reconstruction
from model.onnx_autoencoder import Gaussians, encoder, likelihood

SMALLEST_BATCH = 8
"""Below it a matrix product takes another path through the library, and a grey level may differ."""
CHUNK = 16
"""Images of a pass; on a processor, the decodes of more leave its cache."""
ELBO_SAMPLES = 32
"""Decodes that the ELBO of one image takes."""


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

    def of(self, start: int, stop: int) -> Encoding:
        """What it says of some of the images."""
        arrays = [getattr(self, field.name) for field in fields(self)]
        parts = [None if array is None else array[start:stop] for array in arrays]
        return Encoding(*parts)  # type: ignore[arg-type]


Pixels = Float32[np.ndarray, "images pixels"]
Covariances = Float32[np.ndarray, "images latent latent"]
Encode = Callable[[Pixels], Encoding]
Decode = Callable[[Float[np.ndarray, "n latent"]], UInt8[np.ndarray, "n 28 28"]]


class Encoder:
    """Encodes with an autoencoder, the same bytes in whatever batch.

    Args:
        autoencoder: On any device.
        latent_dim: D.
        decode: Mean images of latents, in grey levels.
    """

    def __init__(self, autoencoder: Autoencoder, latent_dim: int, decode: Decode) -> None:
        device = next(autoencoder.parameters()).device
        self._covariances: Callable[[Pixels], Covariances] | None = None
        if isinstance(autoencoder, VectorQuantisedAutoencoder):
            self._encode = _quantiser(autoencoder)
        elif runtime.chosen(str(device)):
            self._encode, self._covariances = onnx_encoder(autoencoder, latent_dim, decode)
        else:
            self._encode, self._covariances = torch_encoder(autoencoder, latent_dim, decode)

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

    def covariances(self, images: Float32[np.ndarray, "images 28 28"]) -> Covariances:
        """The posteriors' alone, without the decodes of an ELBO; of a variational autoencoder.

        All images go in one pass: give a few at a time.
        """
        assert self._covariances, "the entries of a codebook have no covariance"
        return self._covariances(images.reshape(-1, PIXELS))


def onnx_encoder(
    autoencoder: Autoencoder, latent_dim: int, decode: Decode
) -> tuple[Encode, Callable[[Pixels], Covariances]]:
    """Encode with ONNX Runtime; and the covariances alone, if it is a variational autoencoder.

    Nothing of the encoder in PyTorch is read afterwards.
    """
    told = encoder(autoencoder)
    log_prob = likelihood(autoencoder, latent_dim)
    noise_KD = _noise(latent_dim).numpy()

    def posteriors(vae: VariationalAutoencoder, images: Pixels) -> Gaussians:
        found = Gaussians.told(vae, told(images))
        for _ in range(vae.refinements):
            found = found.refined(images, log_prob)
        return found

    def encode(images: Pixels) -> Encoding:
        if not isinstance(autoencoder, VariationalAutoencoder):
            code = told(images)
            found = log_prob(images, code[:, None])[:, 0]
            return Encoding(code, None, None, found, None, decode(code))
        posterior = posteriors(autoencoder, images)
        mean, kl = posterior.mean, posterior.kl_to_prior()
        found = log_prob(images, posterior.points(noise_KD)).mean(-1)
        return Encoding(mean, None, posterior.covariance(), found, kl, decode(mean))

    def covariances(images: Pixels) -> Covariances:
        assert isinstance(autoencoder, VariationalAutoencoder), "points have no covariance"
        return posteriors(autoencoder, images).covariance()

    return encode, covariances


def torch_encoder(
    autoencoder: Autoencoder, latent_dim: int, decode: Decode
) -> tuple[Encode, Callable[[Pixels], Covariances]]:
    """Encode with the autoencoder itself; and the covariances alone, if it is variational."""
    device = next(autoencoder.parameters()).device
    noise_K1D = _noise(latent_dim)[:, None].to(device)

    @torch.inference_mode()
    def encode(images: Pixels) -> Encoding:
        count = len(images)
        image_NP = _padded(images).to(device)
        covariance = kl = None
        if isinstance(autoencoder, VariationalAutoencoder):
            guess = autoencoder.guess(image_NP).first(count)
            image_NP = image_NP[:count]
            posterior = autoencoder.corrected(guess, image_NP)
            scale_tril_NDD = posterior.scale_tril
            code_ND, covariance = posterior.mean, scale_tril_NDD @ scale_tril_NDD.mT
            bound = expected_elbo(autoencoder, image_NP, noise_K1D, posterior)
            found, kl = bound.reconstruction, bound.kl_per_dimension
        else:
            code_ND = autoencoder.code(image_NP)
            found = reconstruction(autoencoder, image_NP)
        mean = code_ND.cpu().numpy()[:count]
        return Encoding(
            mean,
            None,
            None if covariance is None else covariance.cpu().numpy()[:count],
            found.cpu().numpy()[:count],
            None if kl is None else kl.cpu().numpy()[:count],
            decode(mean),
        )

    @torch.inference_mode()
    def covariances(images: Pixels) -> Covariances:
        assert isinstance(autoencoder, VariationalAutoencoder), "points have no covariance"
        scale_NDD = autoencoder.posterior(torch.from_numpy(images).to(device)).scale_tril
        return np.asarray((scale_NDD @ scale_NDD.mT).cpu().numpy())

    return encode, covariances


def drawn(
    autoencoder: Autoencoder, output_NP: Float[torch.Tensor, "count pixels"]
) -> UInt8[np.ndarray, "count 28 28"]:
    """The mean images of what a decoder gave, in grey levels."""
    grey_NP = grey_levels(autoencoder.likelihood.mean(output_NP))
    return grey_NP.cpu().numpy().reshape(-1, SIDE, SIDE)


def _quantiser(autoencoder: VectorQuantisedAutoencoder) -> Encode:
    device = next(autoencoder.parameters()).device

    @torch.inference_mode()
    def encode(images: Pixels) -> Encoding:
        count = len(images)
        image_NP = _padded(images).to(device)
        pictures = drawn(autoencoder, autoencoder.reconstruct(image_NP))[:count]
        indices = autoencoder.indices(image_NP).cpu().numpy()[:count].reshape(count, CELLS, CELLS)
        found = reconstruction(autoencoder, image_NP).cpu().numpy()[:count]
        return Encoding(None, indices, None, found, None, pictures)

    return encode


def _padded(images: Pixels) -> Float[torch.Tensor, "batch pixels"]:
    image_BP = torch.zeros(max(len(images), SMALLEST_BATCH), PIXELS)
    image_BP[: len(images)] = torch.from_numpy(images)
    return image_BP


def _noise(latent_dim: int) -> Float[torch.Tensor, "samples latent"]:
    """The same for every image, so that none depends on its company."""
    dice = torch.Generator().manual_seed(0)
    return torch.randn(ELBO_SAMPLES, latent_dim, generator=dice)


def _joined(parts: list[Encoding]) -> Encoding:
    """One encoding of all images; the optional fields are None in all parts or in none."""

    def join(name: str) -> np.ndarray | None:
        arrays = [getattr(part, name) for part in parts]
        return None if arrays[0] is None else np.concatenate(arrays)

    return Encoding(*(join(field.name) for field in fields(Encoding)))  # type: ignore[arg-type]
