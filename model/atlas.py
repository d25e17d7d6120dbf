"""The atlas: what is computed once per model and shown often.

Shapes: N test images, D latent dimensions, G density cells a side, M moments, C grid cells a side.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from model.errors import CheckpointError
from model.geometry.density import Mixture, smoothed
from model.geometry.plane import Plane, as_extent, main_plane
from model.vae.autoencoder import (
    SIDE,
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.likelihood import grey_levels
from model.vae.networks import CELLS

DENSITY_CELLS = 128
MOMENT_CODES = 2000
MOMENT_CELLS = 12
PLANE_FIELDS = ("id", "title", "origin", "axes", "extent")


@dataclass(frozen=True)
class Moment:
    """How the map looked after an epoch of training; epoch 0 is before the first step."""

    epoch: int
    codes: Float[np.ndarray, "2000 latent"]
    """Of the first test images, float16."""
    origin: Float[np.ndarray, " latent"]
    """With `axes` and `extent`, the model's main plane at that time."""
    axes: Float[np.ndarray, "2 latent"]
    extent: Float[np.ndarray, "2 2"]
    grid: UInt8[np.ndarray, "12 12 28 28"]
    """Decodes at the cell centres of the plane's extent, the top row first."""

    @property
    def projected(self) -> Float[np.ndarray, "2000 2"]:
        """The (u, v) of its codes on its own plane."""
        return np.asarray((self.codes.astype(np.float64) - self.origin) @ self.axes.T)


def pack_moments(moments: Sequence[Moment]) -> dict[str, np.ndarray]:
    """Each field of all moments as one array, its first axis the moments."""
    names = [field.name for field in dataclasses.fields(Moment)]
    return {f"moments.{name}": np.array([getattr(m, name) for m in moments]) for name in names}


def unpack_moments(arrays: Mapping[str, np.ndarray]) -> tuple[Moment, ...]:
    """Read back what `pack_moments` gave."""
    names = [field.name for field in dataclasses.fields(Moment)]
    epochs, *columns = [arrays[f"moments.{name}"] for name in names]
    return tuple(Moment(int(epoch), *row) for epoch, *row in zip(epochs, *columns, strict=True))


@dataclass(frozen=True)
class Atlas:
    codes: Float[np.ndarray, "images latent"]
    """Of the test images in the data set's order, float32."""
    planes: tuple[Plane, ...]
    density: Float[np.ndarray, "planes 128 128"]
    """The aggregate posterior q(z) in each plane, per squared unit, the top row first."""
    moments: tuple[Moment, ...]

    @property
    def nbytes(self) -> int:
        """What its arrays take in memory."""
        moments = [getattr(m, f.name) for m in self.moments for f in dataclasses.fields(Moment)]
        arrays = [self.codes, self.density, *moments]
        return sum(np.asarray(array).nbytes for array in arrays)

    def to_bytes(self) -> bytes:
        """An .npz archive, the same bytes for the same atlas."""
        planes = {
            f"planes.{name}": np.array([getattr(plane, name) for plane in self.planes])
            for name in PLANE_FIELDS
        }
        arrays = {"codes": self.codes, "density": self.density.astype(np.float32), **planes}
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays, **pack_moments(self.moments))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> Atlas:
        """Read what `to_bytes` gave; raises CheckpointError that calls the file `name`."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                columns = [arrays[f"planes.{field}"] for field in PLANE_FIELDS]
                planes = tuple(
                    Plane(str(id_), str(title), origin, axes, as_extent(extent))
                    for id_, title, origin, axes, extent in zip(*columns, strict=True)
                )
                return cls(arrays["codes"], planes, arrays["density"], unpack_moments(arrays))
        except Exception as error:  # what zipfile and NumPy raise for damage is no closed set
            raise CheckpointError(
                f"{name} is not an atlas: {error}. Train the model again."
            ) from error


@torch.inference_mode()
def make_moment(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images 28 28"], epoch: int
) -> Moment:
    """Take the moment of an autoencoder in training, on the first 2,000 of the test images."""
    codes = _codes(autoencoder, images[:MOMENT_CODES])
    plane = main_plane(codes)
    latents = torch.from_numpy(plane.lift(plane.grid(MOMENT_CELLS)).astype(np.float32))
    output = autoencoder.decode(latents.to(_device(autoencoder)))
    grid = grey_levels(autoencoder.likelihood.mean(output)).cpu().numpy()
    shape = (MOMENT_CELLS, MOMENT_CELLS, SIDE, SIDE)
    return Moment(
        epoch,
        codes.astype(np.float16),
        plane.origin,
        plane.axes,
        np.array(plane.extent),
        grid.reshape(shape),
    )


def make_atlas(
    autoencoder: Autoencoder,
    images: UInt8[np.ndarray, "images 28 28"],
    moments: tuple[Moment, ...],
) -> Atlas:
    """Compute the atlas of a trained autoencoder from all test images; a codebook's is empty."""
    if isinstance(autoencoder, VectorQuantisedAutoencoder):
        nothing = np.zeros((0, DENSITY_CELLS, DENSITY_CELLS), np.float32)
        return Atlas(np.zeros((0, CELLS**2), np.float32), (), nothing, ())
    codes = _codes(autoencoder, images)
    plane = main_plane(codes)
    covariances = _covariances(autoencoder, images)
    density = _density(plane, codes, covariances)
    return Atlas(codes, (plane,), density[None], moments)


def _device(autoencoder: Autoencoder) -> torch.device:
    return next(autoencoder.parameters()).device


def _intensities(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images 28 28"]
) -> Float[torch.Tensor, "images pixels"]:
    grey_NP = torch.from_numpy(images.reshape(len(images), -1).copy())
    return grey_NP.to(_device(autoencoder)).float() / 255


@torch.inference_mode()
def _codes(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images 28 28"]
) -> Float[np.ndarray, "images latent"]:
    image_NP = _intensities(autoencoder, images)
    return torch.cat([autoencoder.code(part) for part in torch.split(image_NP, 1000)]).cpu().numpy()


@torch.inference_mode()
def _covariances(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images 28 28"]
) -> Float[np.ndarray, "images latent latent"] | None:
    if not isinstance(autoencoder, VariationalAutoencoder):
        return None
    image_NP = _intensities(autoencoder, images)
    scales = [autoencoder.posterior(part).scale_tril for part in torch.split(image_NP, 1000)]
    scale_NDD = torch.cat(scales)
    return (scale_NDD @ scale_NDD.mT).cpu().numpy()


def _density(
    plane: Plane,
    codes: Float[np.ndarray, "images latent"],
    covariances: Float[np.ndarray, "images latent latent"] | None,
) -> Float[np.ndarray, "128 128"]:
    """The mixture of all posteriors at the cell centres, smoothed by one cell's width."""
    (u0, _), (u1, _) = plane.extent
    on_plane = None if covariances is None else plane.axes @ covariances @ plane.axes.T
    cov_N22 = smoothed(on_plane, len(codes), (u1 - u0) / DENSITY_CELLS)
    mixture = Mixture(plane.project(codes), cov_N22)
    points_G2 = plane.grid(DENSITY_CELLS)
    parts = np.split(points_G2, range(100, len(points_G2), 100))
    density_G = np.concatenate([mixture.density(part) for part in parts])
    return density_G.reshape(DENSITY_CELLS, DENSITY_CELLS)
