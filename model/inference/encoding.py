"""Encoding: from images to posteriors, codes and the ELBO.

Shapes: N images, D latent dimensions, K samples, P numbers of an image.
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
from model.image_shape import ImageShape
from model.inference import onnx_session
from model.inference.onnx_autoencoder import Gaussians, Pixels, encoder, likelihood
from model.vae.autoencoder import (
    CELLS,
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.likelihood import grey_levels
from model.vae.objective import expected_elbo, reconstruction
from model.vae.posterior import Posterior

SMALLEST_BATCH = 8
"""Smaller batches take another path through the matrix library, and a grey level may differ."""
CHUNK = 16
"""Images of one pass; the decodes of more would not fit into a CPU's cache."""
ELBO_SAMPLES = 32
"""Decodes for the ELBO of one image."""


@dataclass(frozen=True)
class Code:
    """The code of each image. What the model's family lacks is None."""

    mean: Float[np.ndarray, "images latent"] | None
    """The code, or the posterior's mean; None for a model with a codebook."""
    indices: Int64[np.ndarray, "images 7 7"] | None
    """For a model with a codebook, the number of an entry at each place."""
    covariance: Float[np.ndarray, "images latent latent"] | None

    @property
    def array(self) -> np.ndarray:
        """The mean, or the indices of a model with a codebook."""
        found = self.indices if self.mean is None else self.mean
        assert found is not None
        return found

    def __len__(self) -> int:
        return len(self.array)

    def of(self, start: int, stop: int) -> Self:
        """Return the codes of some of the images."""
        arrays = [getattr(self, field.name) for field in fields(self)]
        return type(self)(*(None if array is None else array[start:stop] for array in arrays))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join codes of several batches; a field is None in all of them or in none."""

        def join(name: str) -> np.ndarray | None:
            arrays = [getattr(part, name) for part in parts]
            return None if arrays[0] is None else np.concatenate(arrays)

        return cls(*(join(field.name) for field in fields(cls)))


@dataclass(frozen=True)
class Encoding(Code):
    """The code of each image with the parts of its ELBO, in nats."""

    reconstruction: Float[np.ndarray, " images"]
    """E log p(x|z) over 32 posterior samples; for an autoencoder log p(x|z) at the code."""
    kl_per_dimension: Float[np.ndarray, "images latent"] | None
    reconstruction_image: UInt8[np.ndarray, "images ..."]
    """The decode of the mean, or of the codebook's entries."""

    @property
    def kl(self) -> Float[np.ndarray, " images"] | None:
        return None if self.kl_per_dimension is None else self.kl_per_dimension.sum(axis=1)

    @property
    def total(self) -> Float[np.ndarray, " images"] | None:
        """The ELBO: reconstruction - kl."""
        return None if self.kl is None else self.reconstruction - self.kl


Decode = Callable[[Float[np.ndarray, "n latent"]], UInt8[np.ndarray, "n ..."]]


class _EncodeFunctions(NamedTuple):
    """The posterior only, or the posterior with ELBO and reconstruction."""

    code: Callable[[Pixels], Code]
    encode: Callable[[Pixels], Encoding]


class Encoder:
    """Encodes images. An image gives the same bytes in every batch.

    Args:
        autoencoder: On any device.
        latent_dim: D.
        decode: Return the mean images of latents, in grey levels.
    """

    def __init__(self, autoencoder: Autoencoder, latent_dim: int, decode: Decode) -> None:
        device = autoencoder.device
        self._image = autoencoder.image
        if isinstance(autoencoder, VectorQuantisedAutoencoder):
            self._functions = _quantiser(autoencoder)
        elif onnx_session.chosen(str(device)):
            self._functions = onnx_encoder(autoencoder, latent_dim, decode)
        else:
            self._functions = torch_encoder(autoencoder, latent_dim, decode)

    def encode(self, images: Float[np.ndarray, "images ..."]) -> Encoding:
        """Return the posteriors of images, and the ELBO of their grey levels.

        Raises:
            ImageError: They are of another shape than the model's, or an intensity is outside
                [0, 1].
        """
        return Encoding.joined(
            [self._functions.encode(part) for part in _parts(images, self._image)]
        )

    def code(self, images: Float[np.ndarray, "images ..."]) -> Code:
        """Return the posteriors alone, without the decodes of an ELBO; raise ImageError."""
        return Code.joined([self._functions.code(part) for part in _parts(images, self._image)])


def _parts(images: Float[np.ndarray, "images ..."], image: ImageShape) -> list[Pixels]:
    """Split images into passes; raise ImageError."""
    images = np.ascontiguousarray(images, np.float32)
    if images.shape[1:] != image.axes or images.ndim != 1 + len(image.axes):
        allowed = f"(N, {', '.join(map(str, image.axes))})"
        raise ImageError(f"images have shape {images.shape}; allowed is {allowed}")
    if not ((images >= 0) & (images <= 1)).all():
        raise ImageError("images have intensities outside 0 (background) to 1; rescale them")
    return np.split(images.reshape(-1, image.numbers), range(CHUNK, len(images), CHUNK))


def onnx_encoder(autoencoder: Autoencoder, latent_dim: int, decode: Decode) -> _EncodeFunctions:
    """Return functions that use ONNX Runtime; they do not need PyTorch's encoder afterwards."""
    run_encoder = encoder(autoencoder)
    log_prob = likelihood(autoencoder, latent_dim)
    noise_KD = _noise(latent_dim).numpy()

    def posterior(vae: VariationalAutoencoder, images: Pixels) -> Gaussians:
        found = Gaussians.of(vae, run_encoder(images))
        for _ in range(vae.refinements):
            found = found.refined(images, log_prob)
        return found

    def code(images: Pixels) -> Code:
        if not isinstance(autoencoder, VariationalAutoencoder):
            return Code(run_encoder(images), None, None)
        found = posterior(autoencoder, images)
        return Code(found.mean, None, found.covariance())

    def encode(images: Pixels) -> Encoding:
        if not isinstance(autoencoder, VariationalAutoencoder):
            mean = run_encoder(images)
            found = log_prob(images, mean[:, None])[:, 0]
            return Encoding(mean, None, None, found, None, decode(mean))
        q = posterior(autoencoder, images)
        found = log_prob(images, q.points(noise_KD)).mean(-1)
        return Encoding(q.mean, None, q.covariance(), found, q.kl_to_prior(), decode(q.mean))

    return _EncodeFunctions(code, encode)


def torch_encoder(autoencoder: Autoencoder, latent_dim: int, decode: Decode) -> _EncodeFunctions:
    """Return functions that use PyTorch."""
    device = autoencoder.device
    noise_K1D = _noise(latent_dim)[:, None].to(device)

    def posterior(vae: VariationalAutoencoder, image_BP: Tensor, count: int) -> Posterior:
        return vae.corrected(vae.guess(image_BP).first(count), image_BP[:count])

    @torch.inference_mode()
    def code(images: Pixels) -> Code:
        count, image_BP = len(images), padded(images).to(device)
        if not isinstance(autoencoder, VariationalAutoencoder):
            return Code(autoencoder.code(image_BP).cpu().numpy()[:count], None, None)
        q = posterior(autoencoder, image_BP, count)
        return Code(q.mean.cpu().numpy(), None, _covariance(q))

    @torch.inference_mode()
    def encode(images: Pixels) -> Encoding:
        count, image_BP = len(images), padded(images).to(device)
        if not isinstance(autoencoder, VariationalAutoencoder):
            mean = autoencoder.code(image_BP).cpu().numpy()[:count]
            found = reconstruction(autoencoder, image_BP).cpu().numpy()[:count]
            return Encoding(mean, None, None, found, None, decode(mean))
        q = posterior(autoencoder, image_BP, count)
        bound = expected_elbo(autoencoder, image_BP[:count], noise_K1D, q)
        mean, kl = q.mean.cpu().numpy(), bound.kl_per_dimension.cpu().numpy()
        found = bound.reconstruction.cpu().numpy()
        return Encoding(mean, None, _covariance(q), found, kl, decode(mean))

    return _EncodeFunctions(code, encode)


def _covariance(posterior: Posterior) -> Float[np.ndarray, "images latent latent"]:
    scale_tril_NDD = posterior.scale_tril
    return np.asarray((scale_tril_NDD @ scale_tril_NDD.mT).cpu().numpy())


def mean_images(
    autoencoder: Autoencoder, output_NP: Float[torch.Tensor, "count pixels"]
) -> UInt8[np.ndarray, "count ..."]:
    """Return the mean images of a decoder's output, in grey levels."""
    grey_NP = grey_levels(autoencoder.likelihood.mean(output_NP))
    return grey_NP.cpu().numpy().reshape(-1, *autoencoder.image.axes)


def _quantiser(autoencoder: VectorQuantisedAutoencoder) -> _EncodeFunctions:
    device = autoencoder.device

    def indices(image_BP: Tensor, count: int) -> Int64[np.ndarray, "images 7 7"]:
        return autoencoder.indices(image_BP).cpu().numpy()[:count].reshape(count, CELLS, CELLS)

    @torch.inference_mode()
    def code(images: Pixels) -> Code:
        return Code(None, indices(padded(images).to(device), len(images)), None)

    @torch.inference_mode()
    def encode(images: Pixels) -> Encoding:
        count, image_BP = len(images), padded(images).to(device)
        pictures = mean_images(autoencoder, autoencoder.reconstruct(image_BP))[:count]
        found = reconstruction(autoencoder, image_BP).cpu().numpy()[:count]
        return Encoding(None, indices(image_BP, count), None, found, None, pictures)

    return _EncodeFunctions(code, encode)


def padded(rows: Float32[np.ndarray, "rows width"]) -> Float[torch.Tensor, "batch width"]:
    """Return the rows as a batch of at least `SMALLEST_BATCH`, with zeros behind them."""
    batch_BW = torch.zeros(max(len(rows), SMALLEST_BATCH), rows.shape[1])
    batch_BW[: len(rows)] = torch.from_numpy(rows)
    return batch_BW


def _noise(latent_dim: int) -> Float[torch.Tensor, "samples latent"]:
    """Return noise that is the same for every image, so that no result depends on the batch."""
    rng = torch.Generator().manual_seed(0)
    return torch.randn(ELBO_SAMPLES, latent_dim, generator=rng)
