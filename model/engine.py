"""The engine: a loaded model on a device. Numpy in, numpy out; the only door for the server.

Shapes: N images or latents, D latent dimensions, K path steps.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from torch import nn

from model.atlas import Moment
from model.card import Card
from model.checkpoint import Checkpoint, read_card, read_checkpoint
from model.data.datasets import LabelledImages, labels_of_tests, test_set
from model.errors import CheckpointError, LatentError, UndecodableError
from model.geometry.computation import Computation
from model.geometry.fields import Field
from model.geometry.interpolation import LatentPath
from model.geometry.latent_map import LatentMap
from model.geometry.neighbours import Neighbours, nearest
from model.geometry.paths import Paths
from model.geometry.plane import DEEPEST_ZOOM, LATENT_LIMIT, Plane, covariance_of
from model.inference import onnx_session
from model.inference.decoding import renderer
from model.inference.device import choose_device
from model.inference.encoding import ELBO_SAMPLES, Code, Decode, Encoder, Encoding
from model.measures import MEASURES, Measure
from model.training_history import Epoch, read_history
from model.vae.autoencoder import (
    IMAGE_SIDE,
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.refinement import POINTS

__all__ = [
    "DEEPEST_ZOOM",
    "IMAGE_SIDE",
    "LATENT_LIMIT",
    "MEASURES",
    "Code",
    "Encoding",
    "Engine",
    "Epoch",
    "Field",
    "LabelledImages",
    "LatentPath",
    "Measure",
    "Moment",
    "Neighbours",
    "Plane",
    "choose_device",
    "read_card",
    "test_set",
    "version_of",
]

RENDERER = f"4 {onnx_session.name()}"
"""Raise it when the same weights and atlas begin to give other bytes or other planes."""
LARGEST_SQUARE = LATENT_LIMIT**2 * (1 + 1e-12)
"""Of a latent's norm, with room for rounding: what lies at the limit is not refused."""


class Engine:
    """A verified checkpoint on a device. One caller at a time.

    Attributes:
        card: What the checkpoint says of itself.
        device: `cpu`, `cuda:N` or `mps`.
        planes: Those worth a menu; the first, the atlas's own, is the one to open.
        codes: Of the shipped test images, float32, in the data set's order.
        labels: Of the same images.
        decodes: Whether it decodes vectors; a model with a codebook has none, and no plane.
        decodes_to_encode: How many decodes one encode costs; more than the encoder itself does.
        memory_bytes: What weights and atlas take in memory, packed ones included.
        version: As `version_of` its card.
    """

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        torch.set_num_threads(1)  # more make the slowest answers many times slower: docs/adr/0004
        self.card, self.atlas, self.device = checkpoint.card, checkpoint.atlas, device
        self.codes, self.labels = self.atlas.codes, labels_of_tests(self.card.dataset)
        if len(self.codes) > len(self.labels):
            raise CheckpointError(
                f"The atlas.npz of {self.card.id} has {len(self.codes)} codes; "
                f"{self.card.dataset} has {len(self.labels)} test images."
            )
        self._autoencoder = checkpoint.autoencoder
        self.decodes = not isinstance(self._autoencoder, VectorQuantisedAutoencoder)
        # None of the engine's parts may refer to the engine: a cycle would keep a dropped one in
        # memory until the cycle collector runs.
        self._decode = _decoder(self._autoencoder, self.card, device)
        self._encoder = Encoder(self._autoencoder, self.card.latent_dim, self._decode)
        self.planes = self._map.planes.listed if self.decodes else ()
        self.decodes_to_encode = ELBO_SAMPLES
        if isinstance(self._autoencoder, VariationalAutoencoder):
            self.decodes_to_encode += self._autoencoder.refinements * POINTS**2
        self.memory_bytes = _nbytes(self._autoencoder) + self.atlas.nbytes
        if self._packs:  # a decoder twice: to draw, and to encode
            encoder, decoder = self._autoencoder.encoder, self._autoencoder.decoder
            self.memory_bytes += _nbytes(encoder) + 2 * _nbytes(decoder)
        self.version = version_of(self.card)

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Engine:
        """Load a checkpoint onto `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

        Raises:
            CheckpointError: A file is missing, damaged or foreign; the message names it.
            DeviceError: The device is not on this machine.
        """
        chosen = choose_device(device)
        engine = cls(read_checkpoint(folder, chosen), chosen)
        engine._let_encoder_go()
        return engine

    def warm_up(self) -> None:
        """Encode and decode once, so that the first user does not wait for lazy set-up."""
        if self.decodes:
            self.decode(self.codes[:1])
        self.encode(np.zeros((1, IMAGE_SIDE, IMAGE_SIDE), np.float32))

    def decode(
        self, latents: Float[np.ndarray, "count latent"]
    ) -> UInt8[np.ndarray, "count 28 28"]:
        """The mean images of p(x|z) in grey levels; the same bytes in whatever batch.

        Raises:
            LatentError: Not of shape (N, D), not finite, or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        self._require_vectors()
        return self._decode(latents)

    def plane(self, name: str) -> Plane:
        """The plane of that name: one of `planes`, or any that a name describes.

        Raises:
            PlaneError: There is none; the message says what names there are.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._map.planes.find(name)

    def tile(self, plane: str, zoom: int, x: int, y: int) -> UInt8[np.ndarray, "224 224"]:
        """The decodes at the 8 x 8 cell centres of a tile, side by side as they lie in the plane.

        Raises:
            PlaneError: There is no such plane, or no such tile of it.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._map.tile(plane, zoom, x, y)

    def field(self, plane: str, kind: str) -> Computation[Field]:
        """The field `density`, `magnification`, `entropy` or `label` of a plane, to work out.

        One that was begun and given up goes on where it stopped, unless four others came since.
        Working out a density may raise DataError: its test images are read then.

        Raises:
            PlaneError: There is no such plane.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._map.field(plane, kind)

    @property
    def moments(self) -> tuple[Moment, ...]:
        """How the map looked while it was trained; none for a model with a codebook."""
        return self.atlas.moments

    @property
    def teacher(self) -> str | None:
        """Name of the model from which this one was distilled, if it was."""
        table = self.card.recipe.get("distillation")
        return None if table is None else str(table["teacher"])

    def history(self, teacher: Card | None = None) -> list[Epoch]:
        """How training went, epoch by epoch; with the teacher's card, its epochs come first."""
        own = read_history(self.card.training, [moment.epoch for moment in self.moments])
        before = [] if teacher is None else read_history(teacher.training, [])
        if own and len(before) == own[0].epoch - 1:
            return [*before, *own]
        return own  # no teacher, or it has been trained anew since

    def neighbours(self, latent: Float[np.ndarray, " latent"], count: int) -> Neighbours:
        """The `count` codes nearest to a latent, in all its dimensions.

        Raises:
            LatentError: It is of the wrong shape, not finite, or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return nearest(self._checked([latent])[0], self.codes, self.labels, count)

    def encode(self, images: Float[np.ndarray, "images 28 28"]) -> Encoding:
        """The posteriors of images, and their ELBO on the grey levels as they are.

        Raises:
            ImageError: Not of shape (N, 28, 28), or with intensities outside [0, 1].
        """
        return self._encoder.encode(images)

    def code(self, images: Float[np.ndarray, "images 28 28"]) -> Code:
        """The posteriors of images alone: for a third less than `encode`, or nearly all.

        Raises:
            ImageError: As `encode`.
        """
        return self._encoder.code(images)

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
        mean, scale_tril = self._fitted_gaussian
        spread = np.einsum("nd,ed->ne", temperature * noise, scale_tril)
        return np.asarray(mean + spread, np.float32)

    def interpolate(
        self,
        start: Float[np.ndarray, " latent"],
        end: Float[np.ndarray, " latent"],
        steps: int,
        path: Literal["linear", "spherical", "geodesic"] = "linear",
    ) -> LatentPath:
        """Walk from one latent to another in `steps` points, both ends among them.

        Raises:
            LatentError: An end is of the wrong shape, not finite, or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        *_, walked = [piece() for piece in self.walk(start, end, steps, path)]
        assert walked is not None
        return walked

    def walk(
        self,
        start: Float[np.ndarray, " latent"],
        end: Float[np.ndarray, " latent"],
        steps: int,
        path: Literal["linear", "spherical", "geodesic"] = "linear",
    ) -> list[Callable[[], LatentPath | None]]:
        """`interpolate` in pieces of milliseconds, to call in this order; the last gives the path.

        The first geodesic of a model takes a second, the others a fifth of it.
        """
        ends = self._checked([start])[0], self._checked([end])[0]
        return self._paths.pieces(*ends, steps, path)

    def distances(
        self, latent: Float[np.ndarray, " latent"]
    ) -> list[Callable[[], Float[np.ndarray, "96 96"] | None]]:
        """How far each place of the plane is, in the metric of geodesics, along 96 x 96 cells.

        In pieces of milliseconds, to call in this order; the last gives the distances at the cell
        centres of the plane's extent, the top row first. It is None if the latent lies outside.

        Raises:
            LatentError: The latent is of the wrong shape, not finite, or beyond 10,000.
            PlaneError: The model has more than two dimensions.
            UndecodableError: The model has a codebook instead of vectors.
        """
        (start,) = self._checked([latent])
        return self._paths.distances(start)

    def seen_length_pieces(
        self, latents: Float[np.ndarray, "count latent"]
    ) -> list[Callable[[], Float[np.ndarray, " count-1"] | None]]:
        """Return `seen_lengths` in pieces of milliseconds, to call in order; the last returns it.

        Raises:
            LatentError: As `seen_lengths`.
            UndecodableError: As `seen_lengths`.
        """
        return self._paths.seen_length_pieces(self._checked(latents))

    def seen_lengths(
        self, latents: Float[np.ndarray, "count latent"]
    ) -> Float[np.ndarray, " count-1"]:
        """How far apart each latent's image is from the one before: the Fisher-Rao distance.

        Raises:
            LatentError: Not of shape (N, D), not finite, or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._paths.seen_lengths(self._checked(latents))

    @cached_property
    def _fitted_gaussian(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean and the Cholesky factor of the covariance of an autoencoder's codes."""
        covariance = covariance_of(self.codes)
        jitter = 1e-9 * np.trace(covariance) + 1e-30  # numbers of a sparse code may always be 0
        scale_tril = np.linalg.cholesky(covariance + jitter * np.eye(len(covariance)))
        return self.codes.mean(axis=0, dtype=np.float64), scale_tril

    @property
    def _packs(self) -> bool:
        """Whether ONNX Runtime has copies of the weights."""
        return self.decodes and onnx_session.chosen(self.device)

    def _let_encoder_go(self) -> None:
        """Free PyTorch's encoder where ONNX Runtime encodes; whoever asks for it is refused.

        The checkpoint's own: for who has made that, and has no other use for it.
        """
        if self._packs:
            self.memory_bytes -= _nbytes(self._autoencoder.encoder)
            del self._autoencoder.encoder

    @cached_property
    def _map(self) -> LatentMap:
        self._require_vectors()
        atlas = self.atlas
        return LatentMap(
            self.card,
            self._autoencoder,
            atlas.codes,
            atlas.planes[0],
            atlas.density[0],
            self._decode,
            self._encoder.code,
        )

    @cached_property
    def _paths(self) -> Paths:
        return Paths(self.card, self._autoencoder, self.atlas.codes, self.atlas.planes[0])

    def _checked(self, latents: npt.ArrayLike) -> Float[np.ndarray, "count latent"]:
        self._require_vectors()
        return _checked(latents, self.card)

    def _require_vectors(self) -> None:
        if not self.decodes:
            raise UndecodableError(
                f"The latents of {self.card.id} are a grid of 7 x 7 entries of a codebook, not a "
                "vector; it encodes and reconstructs images, but has no plane and decodes no point."
            )


def _decoder(autoencoder: Autoencoder, card: Card, device: str) -> Decode:
    """Return what decodes latents, or refuses them; a model with a codebook has no use for it."""
    if isinstance(autoencoder, VectorQuantisedAutoencoder):
        return lambda latents: np.empty((0, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    render = renderer(autoencoder, card.latent_dim, device)
    return lambda latents: render(_checked(latents, card))


def _checked(latents: npt.ArrayLike, card: Card) -> Float[np.ndarray, "count latent"]:
    array, wanted = np.asarray(latents), card.latent_dim
    if array.ndim != 2 or array.shape[1] != wanted:
        raise LatentError(f"latents have shape {array.shape}; {card.id} takes (N, {wanted})")
    if array.dtype == np.float32 and np.vdot(array, array) < LATENT_LIMIT**2 / 2:
        return np.ascontiguousarray(array)  # the squares together are within the bound of one
    exact = array.astype(np.float64)
    near_N = np.einsum("nd,nd->n", exact, exact) <= LARGEST_SQUARE
    if not near_N.all():
        bad = int(np.argmin(near_N))
        raise LatentError(
            f"latents[{bad}] has the norm {math.hypot(*exact[bad]):g}; "
            f"it must be finite and at most {LATENT_LIMIT:g}"
        )
    return np.ascontiguousarray(array, np.float32)


def _nbytes(module: nn.Module) -> int:
    return sum(t.numel() * t.element_size() for t in module.state_dict().values())


def version_of(card: Card) -> str:
    """What changes whenever the same request may give other bytes; no engine is needed for it."""
    return _version(card.sha256, card.atlas_sha256)


@lru_cache(maxsize=64)
def _version(*hashes: str | None) -> str:
    identity = " ".join(map(str, (*hashes, RENDERER)))
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
