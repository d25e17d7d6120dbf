"""The atlas: what is computed once for each model and shown often.

Shapes: N test images, D latent dimensions, G density cells a side, M moments, C grid cells a side.
"""

from __future__ import annotations

import dataclasses
import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, UInt8

from model.errors import CheckpointError
from model.geometry.density import Mixture, smoothed
from model.geometry.plane import Plane, as_extent, main_plane
from model.image_shape import MNIST_SHAPE, ImageShape
from model.vae.autoencoder import (
    CELLS,
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.likelihood import grey_levels

DENSITY_CELLS = 128
MOMENT_CODES = 2000
MOMENT_CELLS = 12
CHUNK = 1000
"""Images that are encoded at once."""
COVARIANCES = 2**22
"""Numbers of covariances that are computed at once; of 512 dimensions, an image has 262,144."""
LARGEST_BYTES = 1 << 30
"""Most memory that the arrays of an atlas may take; those that ship take 3 MB."""
PROJECTION = "projections."
"""What the names of arrays begin with that hold a projection."""
PLANE_FIELDS = ("id", "title", "origin", "axes", "extent")


@dataclass(frozen=True)
class Moment:
    """The map as it was after an epoch of training; epoch 0 is before the first step."""

    epoch: int
    codes: Float[np.ndarray, "2000 latent"]
    """Codes of the first test images, float16."""
    origin: Float[np.ndarray, " latent"]
    """Together with `axes` and `extent`, the model's main plane at that time."""
    axes: Float[np.ndarray, "2 latent"]
    extent: Float[np.ndarray, "2 2"]
    grid: UInt8[np.ndarray, "12 12 ..."]
    """Decodes at the cell centres of the plane's extent, the top row first."""

    @property
    def projected(self) -> Float[np.ndarray, "2000 2"]:
        """The (u, v) of the codes on the moment's own plane."""
        return np.asarray((self.codes.astype(np.float64) - self.origin) @ self.axes.T)


def pack_moments(moments: Sequence[Moment]) -> dict[str, np.ndarray]:
    """Return each field of all moments as one array, whose first axis is the moments."""
    names = [field.name for field in dataclasses.fields(Moment)]
    return {f"moments.{name}": np.array([getattr(m, name) for m in moments]) for name in names}


def unpack_moments(arrays: Mapping[str, np.ndarray]) -> tuple[Moment, ...]:
    """Read back what `pack_moments` returned."""
    names = [field.name for field in dataclasses.fields(Moment)]
    epochs, *columns = [arrays[f"moments.{name}"] for name in names]
    return tuple(Moment(int(epoch), *row) for epoch, *row in zip(epochs, *columns, strict=True))


@dataclass(frozen=True)
class Atlas:
    codes: Float[np.ndarray, "images latent"]
    """Codes of the test images in the data set's order, float32."""
    planes: tuple[Plane, ...]
    density: Float[np.ndarray, "planes 128 128"]
    """The aggregate posterior q(z) in each plane, per squared unit, the top row first."""
    moments: tuple[Moment, ...]
    projections: Mapping[str, Float[np.ndarray, "images 2"]] = field(default_factory=dict)
    """Places of the codes in a picture of two dimensions, float32, by the projection's id."""

    @property
    def nbytes(self) -> int:
        """The memory of its arrays."""
        moments = [getattr(m, f.name) for m in self.moments for f in dataclasses.fields(Moment)]
        arrays = [self.codes, self.density, *self.projections.values(), *moments]
        return sum(np.asarray(array).nbytes for array in arrays)

    def to_bytes(self) -> bytes:
        """Return an .npz archive; equal atlases have equal bytes."""
        planes = {
            f"planes.{name}": np.array([getattr(plane, name) for plane in self.planes])
            for name in PLANE_FIELDS
        }
        places = {f"{PROJECTION}{name}": array for name, array in self.projections.items()}
        arrays = {"codes": self.codes, "density": self.density.astype(np.float32), **planes}
        file = io.BytesIO()
        np.savez_compressed(
            file, allow_pickle=False, **arrays, **pack_moments(self.moments), **places
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, name: str, image: ImageShape = MNIST_SHAPE) -> Atlas:
        """Read back what `to_bytes` returned, of a model of images of a shape.

        Raises:
            CheckpointError: The content is not an atlas; the message calls the file `name`.
        """
        try:
            _require_true_sizes(content)
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            _require_shapes(arrays, image)
            columns = [arrays[f"planes.{field}"] for field in PLANE_FIELDS]
            planes = tuple(
                Plane(str(id_), str(title), origin, axes, as_extent(extent))
                for id_, title, origin, axes, extent in zip(*columns, strict=True)
            )
            projections = {
                key.removeprefix(PROJECTION): array
                for key, array in arrays.items()
                if key.startswith(PROJECTION)
            }
            moments = unpack_moments(arrays)
            return cls(arrays["codes"], planes, arrays["density"], moments, projections)
        except MemoryError:
            raise
        except Exception as error:  # zipfile and NumPy raise many types of error for damaged files
            raise CheckpointError(
                f"{name} is not an atlas: {error}. Train the model again."
            ) from error


def _require_true_sizes(content: bytes) -> None:
    """Refuse arrays whose headers state another size than they have, before they are allocated.

    Afterwards a MemoryError means a lack of memory, never damage.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_BYTES:
            raise ValueError(f"its arrays take more than {LARGEST_BYTES:,} bytes")
        for entry in archive.infolist():
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)
                if version != (1, 0):
                    raise ValueError(f"{entry.filename} has version {version} of the NPY format")
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                if math.prod(shape) * dtype.itemsize != entry.file_size - file.tell():
                    raise ValueError(f"{entry.filename} is not as long as its header says")


def _require_shapes(arrays: Mapping[str, np.ndarray], image: ImageShape) -> None:
    """Refuse arrays of another type or shape than `Atlas` has, and numbers that are not finite."""
    codes, density = arrays["codes"], arrays["density"]
    D, cells = codes.shape[1], MOMENT_CELLS
    _require_array("codes", codes, np.float32, (len(codes), D))
    _require_array("density", density, np.float32, (len(density), DENSITY_CELLS, DENSITY_CELLS))
    P, M = len(density), len(arrays["moments.epoch"])
    seen = min(len(codes), MOMENT_CODES)
    frame = {"origin": (D,), "axes": (2, D), "extent": (2, 2)}
    wanted: dict[str, tuple[type, tuple[int, ...]]] = {
        "planes.id": (np.str_, (P,)),
        "planes.title": (np.str_, (P,)),
        **{f"planes.{name}": (np.float64, (P, *shape)) for name, shape in frame.items()},
        "moments.epoch": (np.int64, (M,)),
        "moments.codes": (np.float16, (M, seen, D)),
        **{f"moments.{name}": (np.float64, (M, *shape)) for name, shape in frame.items()},
        "moments.grid": (np.uint8, (M, cells, cells, *image.axes)),
    }
    for name, (dtype, shape) in wanted.items():
        if shape[0] == 0:  # `to_bytes` stores an empty list as an array of this shape and type
            _require_array(name, arrays[name], np.float64, (0,))
        else:
            _require_array(name, arrays[name], dtype, shape)
    for name in arrays:
        if name.startswith(PROJECTION):  # older atlases have none
            _require_array(name, arrays[name], np.float32, (len(codes), 2))
    for name in ("planes.extent", "moments.extent"):
        if len(arrays[name]) and not (np.diff(arrays[name], axis=1) > 0).all():
            raise ValueError(f"{name} holds a square without area")


def _require_array(
    name: str, array: np.ndarray, dtype: type[np.generic], shape: tuple[int, ...]
) -> None:
    is_type = array.dtype.type is dtype and array.dtype.isnative
    if not is_type or array.shape != shape:
        raise ValueError(
            f"{name} is {array.dtype} of the shape {array.shape}; "
            f"wanted is {dtype.__name__} of {shape}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} has numbers that are not finite")


@torch.inference_mode()
def make_moment(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."], epoch: int
) -> Moment:
    """Return the moment of an autoencoder in training; its codes are of the first 2,000 images."""
    codes = _codes(autoencoder, images[:MOMENT_CODES])
    plane = main_plane(codes)
    latents = torch.from_numpy(plane.lift(plane.grid(MOMENT_CELLS)).astype(np.float32))
    output = autoencoder.decode(latents.to(autoencoder.device))
    grid = grey_levels(autoencoder.likelihood.mean(output)).cpu().numpy()
    shape = (MOMENT_CELLS, MOMENT_CELLS, *autoencoder.image.axes)
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
    images: UInt8[np.ndarray, "images ..."],
    moments: tuple[Moment, ...],
) -> Atlas:
    """Compute the atlas of an autoencoder from all test images; it is empty for a codebook."""
    if isinstance(autoencoder, VectorQuantisedAutoencoder):
        nothing = np.zeros((0, DENSITY_CELLS, DENSITY_CELLS), np.float32)
        return Atlas(np.zeros((0, CELLS**2), np.float32), (), nothing, ())
    codes = _codes(autoencoder, images)
    plane = main_plane(codes)
    density = _density(plane, codes, _covariances_on(plane, autoencoder, images))
    return Atlas(codes, (plane,), density[None], moments)


def _intensities(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."]
) -> Float[torch.Tensor, "images pixels"]:
    grey_NP = torch.from_numpy(images.reshape(len(images), -1).copy())
    return grey_NP.to(autoencoder.device).float() / 255


@torch.inference_mode()
def _codes(
    autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."]
) -> Float[np.ndarray, "images latent"]:
    image_NP = _intensities(autoencoder, images)
    return (
        torch.cat([autoencoder.code(part) for part in torch.split(image_NP, CHUNK)]).cpu().numpy()
    )


@torch.inference_mode()
def _covariances_on(
    plane: Plane, autoencoder: Autoencoder, images: UInt8[np.ndarray, "images ..."]
) -> Float[np.ndarray, "images 2 2"] | None:
    """Return the posteriors' covariances on a plane; None for a model that has none."""
    if not isinstance(autoencoder, VariationalAutoencoder):
        return None
    image_NP = _intensities(autoencoder, images)
    parts = []
    for part in torch.split(image_NP, min(CHUNK, max(1, COVARIANCES // plane.axes.shape[1] ** 2))):
        scale_NDD = autoencoder.posterior(part).scale_tril
        parts.append(plane.axes @ (scale_NDD @ scale_NDD.mT).cpu().numpy() @ plane.axes.T)
    return np.concatenate(parts)


def _density(
    plane: Plane,
    codes: Float[np.ndarray, "images latent"],
    on_plane: Float[np.ndarray, "images 2 2"] | None,
) -> Float[np.ndarray, "128 128"]:
    """Return the mixture of all posteriors at cell centres, smoothed by one cell's width."""
    (u0, _), (u1, _) = plane.extent
    cov_N22 = smoothed(on_plane, len(codes), (u1 - u0) / DENSITY_CELLS)
    mixture = Mixture(plane.project(codes), cov_N22)
    points_G2 = plane.grid(DENSITY_CELLS)
    parts = np.split(points_G2, range(100, len(points_G2), 100))
    density_G = np.concatenate([mixture.density(part) for part in parts])
    return density_G.reshape(DENSITY_CELLS, DENSITY_CELLS)
