"""From images to what a model makes of them.

Shapes: N images, D latent dimensions, K samples, P pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from model.errors import ImageError
from model.inference import onnx_session
from model.inference.onnx_autoencoder import Gaussians, encoder, likelihood
from model.vae.autoencoder import (
    IMAGE_SIDE,
    PIXELS,
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.likelihood import grey_levels
from model.vae.networks import CELLS
from model.vae.objective import expected_elbo, reconstruction
from model.vae.posterior import Posterior

SMALLEST_BATCH = 8
"""Below it a matrix product takes another path through the library, and a grey level may differ."""
CHUNK = 16
"""Images of a pass; on a processor, the decodes of more leave its cache."""
ELBO_SAMPLES = 32
"""Decodes that the ELBO of one image takes."""


@dataclass(frozen=True)
class Code:
    """What a model encodes each image into. None is what its family lacks."""

    mean: Float[np.ndarray, "images latent"] | None
    """The code; None for a model with a codebook."""
    indices: Int64[np.ndarray, "images 7 7"] | None
    """What a model with a codebook has instead: an entry's number at each place."""
    covariance: Float[np.ndarray, "images latent latent"] | None

    @property
    def array(self) -> np.ndarray:
        """The mean, or the indices of a model that has those instead."""
        found = self.indices if self.mean is None else self.mean
        assert found is not None
        return found

    def __len__(self) -> int:
        return len(self.array)

    def of(self, start: int, stop: int) -> Self:
        """What it says of some of the images."""
        arrays = [getattr(self, field.name) for field in fields(self)]
        return type(self)(*(None if array is None else array[start:stop] for array in arrays))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One of all images; what is None in one is None in all."""

        def join(name: str) -> np.ndarray | None:
            arrays = [getattr(part, name) for part in parts]
            return None if arrays[0] is None else np.concatenate(arrays)

        return cls(*(join(field.name) for field in fields(cls)))


@dataclass(frozen=True)
class Encoding(Code):
    """All that a model makes of each image; the parts in nats."""

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


Pixels = Float32[np.ndarray, "images pixels"]
Decode = Callable[[Float[np.ndarray, "n latent"]], UInt8[np.ndarray, "n 28 28"]]


class _Encode(NamedTuple):
    """Two ways through the same networks, one of which stops halfway."""

    code: Callable[[Pixels], Code]
    encode: Callable[[Pixels], Encoding]


class Encoder:
    """Encodes with an autoencoder, the same bytes in whatever batch.

    Args:
        autoencoder: On any device.
        latent_dim: D.
        decode: Mean images of latents, in grey levels.
    """

    def __init__(self, autoencoder: Autoencoder, latent_dim: int, decode: Decode) -> None:
        device = next(autoencoder.parameters()).device
        if isinstance(autoencoder, VectorQuantisedAutoencoder):
            self._by = _quantiser(autoencoder)
        elif onnx_session.chosen(str(device)):
            self._by = onnx_encoder(autoencoder, latent_dim, decode)
        else:
            self._by = torch_encoder(autoencoder, latent_dim, decode)

    def encode(self, images: Float[np.ndarray, "images 28 28"]) -> Encoding:
        """The posteriors of images, and their ELBO on the grey levels as they are.

        Raises:
            ImageError: Not of shape (N, 28, 28), or with intensities outside [0, 1].
        """
        return Encoding.joined([self._by.encode(part) for part in _parts(images)])

    def code(self, images: Float[np.ndarray, "images 28 28"]) -> Code:
        """The posteriors alone, without the decodes of an ELBO; raises ImageError."""
        return Code.joined([self._by.code(part) for part in _parts(images)])


def _parts(images: Float[np.ndarray, "images 28 28"]) -> list[Pixels]:
    """A few images at a time; raises ImageError."""
    images = np.ascontiguousarray(images, np.float32)
    if images.ndim != 3 or images.shape[1:] != (IMAGE_SIDE, IMAGE_SIDE):
        allowed = f"(N, {IMAGE_SIDE}, {IMAGE_SIDE})"
        raise ImageError(f"images have shape {images.shape}; allowed is {allowed}")
    if not ((images >= 0) & (images <= 1)).all():
        raise ImageError("images have intensities outside 0 (background) to 1; rescale them")
    return np.split(images.reshape(-1, PIXELS), range(CHUNK, len(images), CHUNK))


def onnx_encoder(autoencoder: Autoencoder, latent_dim: int, decode: Decode) -> _Encode:
    """Encode with ONNX Runtime; nothing of the encoder in PyTorch is read afterwards."""
    told = encoder(autoencoder)
    log_prob = likelihood(autoencoder, latent_dim)
    noise_KD = _noise(latent_dim).numpy()

    def posterior(vae: VariationalAutoencoder, images: Pixels) -> Gaussians:
        found = Gaussians.told(vae, told(images))
        for _ in range(vae.refinements):
            found = found.refined(images, log_prob)
        return found

    def code(images: Pixels) -> Code:
        if not isinstance(autoencoder, VariationalAutoencoder):
            return Code(told(images), None, None)
        found = posterior(autoencoder, images)
        return Code(found.mean, None, found.covariance())

    def encode(images: Pixels) -> Encoding:
        if not isinstance(autoencoder, VariationalAutoencoder):
            mean = told(images)
            found = log_prob(images, mean[:, None])[:, 0]
            return Encoding(mean, None, None, found, None, decode(mean))
        q = posterior(autoencoder, images)
        found = log_prob(images, q.points(noise_KD)).mean(-1)
        return Encoding(q.mean, None, q.covariance(), found, q.kl_to_prior(), decode(q.mean))

    return _Encode(code, encode)


def torch_encoder(autoencoder: Autoencoder, latent_dim: int, decode: Decode) -> _Encode:
    """Encode with the autoencoder itself."""
    device = next(autoencoder.parameters()).device
    noise_K1D = _noise(latent_dim)[:, None].to(device)

    def posterior(vae: VariationalAutoencoder, image_BP: Tensor, count: int) -> Posterior:
        return vae.corrected(vae.guess(image_BP).first(count), image_BP[:count])

    @torch.inference_mode()
    def code(images: Pixels) -> Code:
        count, image_BP = len(images), _padded(images).to(device)
        if not isinstance(autoencoder, VariationalAutoencoder):
            return Code(autoencoder.code(image_BP).cpu().numpy()[:count], None, None)
        q = posterior(autoencoder, image_BP, count)
        return Code(q.mean.cpu().numpy(), None, _covariance(q))

    @torch.inference_mode()
    def encode(images: Pixels) -> Encoding:
        count, image_BP = len(images), _padded(images).to(device)
        if not isinstance(autoencoder, VariationalAutoencoder):
            mean = autoencoder.code(image_BP).cpu().numpy()[:count]
            found = reconstruction(autoencoder, image_BP).cpu().numpy()[:count]
            return Encoding(mean, None, None, found, None, decode(mean))
        q = posterior(autoencoder, image_BP, count)
        bound = expected_elbo(autoencoder, image_BP[:count], noise_K1D, q)
        mean, kl = q.mean.cpu().numpy(), bound.kl_per_dimension.cpu().numpy()
        found = bound.reconstruction.cpu().numpy()
        return Encoding(mean, None, _covariance(q), found, kl, decode(mean))

    return _Encode(code, encode)


def _covariance(posterior: Posterior) -> Float[np.ndarray, "images latent latent"]:
    scale_tril_NDD = posterior.scale_tril
    return np.asarray((scale_tril_NDD @ scale_tril_NDD.mT).cpu().numpy())


def drawn(
    autoencoder: Autoencoder, output_NP: Float[torch.Tensor, "count pixels"]
) -> UInt8[np.ndarray, "count 28 28"]:
    """The mean images of what a decoder gave, in grey levels."""
    grey_NP = grey_levels(autoencoder.likelihood.mean(output_NP))
    return grey_NP.cpu().numpy().reshape(-1, IMAGE_SIDE, IMAGE_SIDE)


def _quantiser(autoencoder: VectorQuantisedAutoencoder) -> _Encode:
    device = next(autoencoder.parameters()).device

    def indices(image_BP: Tensor, count: int) -> Int64[np.ndarray, "images 7 7"]:
        return autoencoder.indices(image_BP).cpu().numpy()[:count].reshape(count, CELLS, CELLS)

    @torch.inference_mode()
    def code(images: Pixels) -> Code:
        return Code(None, indices(_padded(images).to(device), len(images)), None)

    @torch.inference_mode()
    def encode(images: Pixels) -> Encoding:
        count, image_BP = len(images), _padded(images).to(device)
        pictures = drawn(autoencoder, autoencoder.reconstruct(image_BP))[:count]
        found = reconstruction(autoencoder, image_BP).cpu().numpy()[:count]
        return Encoding(None, indices(image_BP, count), None, found, None, pictures)

    return _Encode(code, encode)


def _padded(images: Pixels) -> Float[torch.Tensor, "batch pixels"]:
    image_BP = torch.zeros(max(len(images), SMALLEST_BATCH), PIXELS)
    image_BP[: len(images)] = torch.from_numpy(images)
    return image_BP


def _noise(latent_dim: int) -> Float[torch.Tensor, "samples latent"]:
    """The same for every image, so that none depends on its company."""
    rng = torch.Generator().manual_seed(0)
    return torch.randn(ELBO_SAMPLES, latent_dim, generator=rng)
