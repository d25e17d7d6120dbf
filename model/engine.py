"""The engine: a loaded model on a device. The server uses a model through it alone.

Arrays of NumPy go in and come out.

Shapes: N images or latents, D latent dimensions, K path steps.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from numpy.random import default_rng  # imported by name, because NumPy would load it late
from torch import nn

from model.atlas import Moment
from model.card import Card
from model.checkpoint import IMPORTED, Checkpoint, read_card, read_checkpoint
from model.data.datasets import Form, LabelledImages, find, labels_of_tests, test_set
from model.data.pictures import MAX_PIXELS, open_picture
from model.data.preparation import AS_SEEN, Prepared
from model.data.preparation import prepare as prepare_picture
from model.data.steps import Reading
from model.errors import CheckpointError, LatentError, UndecodableError
from model.geometry.attributes import Attributes, Direction
from model.geometry.computation import Computation
from model.geometry.fields import Field
from model.geometry.interpolation import LatentPath
from model.geometry.latent_map import LatentMap
from model.geometry.neighbours import Neighbours, nearest
from model.geometry.paths import Paths
from model.geometry.plane import DEEPEST_ZOOM, LATENT_LIMIT, Plane, covariance_of
from model.geometry.projections import PROJECTIONS, Projection
from model.geometry.traversal import Activity, Traversal, activity_of, traverse
from model.image_shape import ImageShape
from model.inference import onnx_session
from model.inference.decoding import Renderer, renderer
from model.inference.device import choose_device
from model.inference.encoding import ELBO_SAMPLES, Code, Encoder, Encoding
from model.inference.imported import ImportedDecoder, ImportedEncoder
from model.measures import MEASURES, Measure
from model.training_history import Epoch, read_history
from model.vae.autoencoder import (
    Autoencoder,
    VariationalAutoencoder,
    VectorQuantisedAutoencoder,
)
from model.vae.refinement import POINTS

__all__ = [
    "AS_SEEN",
    "DEEPEST_ZOOM",
    "LATENT_LIMIT",
    "MAX_PIXELS",
    "MEASURES",
    "Code",
    "Direction",
    "Encoding",
    "Engine",
    "Epoch",
    "Field",
    "Form",
    "ImageShape",
    "LabelledImages",
    "LatentPath",
    "Measure",
    "Moment",
    "Neighbours",
    "Plane",
    "Prepared",
    "Projection",
    "Reading",
    "Traversal",
    "choose_device",
    "open_picture",
    "prepare_picture",
    "read_card",
    "test_set",
    "version_of",
]

RENDERER = f"4 {onnx_session.name()}"
"""Change it when the same weights and atlas produce other bytes or other planes."""
LARGEST_SQUARE = LATENT_LIMIT**2 * (1 + 1e-12)
"""Largest squared norm of a latent, with room for rounding at the limit itself."""


class Engine:
    """A verified checkpoint on a device. It serves one caller at a time, and `draw` beside it.

    Attributes:
        card: The checkpoint's description of itself.
        device: `cpu`, `cuda:N` or `mps`.
        image: The shape of its images.
        form: What a picture is brought to before it is encoded.
        planes: The planes worth a menu; the first is the atlas's own, which opens first.
        codes: Codes of the shipped test images, float32, in the data set's order.
        labels: Labels of the same images.
        decodes: Whether the model decodes vectors. One with a codebook does not, and has no plane.
        decodes_to_encode: How many decodes one encode costs; the encoder itself costs less.
        memory_bytes: Memory of the weights and the atlas, with ONNX Runtime's copies.
        version: `version_of` the card.
        draw: `decode` without its checks, for latents that were checked where they came in.
        encoder: What `encode` and `code` call.
    """

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        torch.set_num_threads(1)  # more threads multiply the slowest latencies: docs/adr/0004
        self.card, self.atlas, self.device = checkpoint.card, checkpoint.atlas, device
        self.image, self.form = self.card.image, find(self.card.dataset).form
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
        self.draw = _drawing(self._autoencoder, self.card, device)
        self._decode = partial(_decode, self.draw, self.card)
        self.encoder = Encoder(self._autoencoder, self.card.latent_dim, self.draw)
        self.planes = self._map.planes.listed if self.decodes else ()
        self.decodes_to_encode = ELBO_SAMPLES
        if isinstance(self._autoencoder, VariationalAutoencoder):
            self.decodes_to_encode += self._autoencoder.refinements * POINTS**2
        self.memory_bytes = _nbytes(self._autoencoder) + self.atlas.nbytes
        if self._packs:  # the decoder twice: for decoding, and for the ELBO
            encoder, decoder = self._autoencoder.encoder, self._autoencoder.decoder
            self.memory_bytes += _nbytes(encoder) + 2 * _nbytes(decoder)
        self.version = version_of(self.card)

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Engine:
        """Load a checkpoint onto `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

        Raises:
            CheckpointError: A file is missing, damaged or foreign; the message names it.
            DataError: The test labels of a data set of one's own cannot be read.
            DeviceError: The device is not on this machine.
        """
        chosen = choose_device(device)
        checkpoint = read_checkpoint(folder, chosen)
        if IMPORTED in checkpoint.card.recipe:
            chosen = "cpu"  # its networks are not PyTorch's: docs/adr/0022
        engine = cls(checkpoint, chosen)
        engine._free_encoder()
        return engine

    def warm_up(self) -> None:
        """Encode and decode once, so that the first request does not wait for lazy set-up."""
        if self.decodes:
            self.decode(self.codes[:1])
        self.encode(np.zeros((1, *self.image.axes), np.float32))

    def decode(self, latents: Float[np.ndarray, "count latent"]) -> UInt8[np.ndarray, "count ..."]:
        """Return the mean images of p(x|z) in grey levels or colours.

        A latent gives the same bytes in every batch.

        Raises:
            LatentError: The shape is not (N, D), or a latent is not finite or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        self._require_vectors()
        return self._decode(latents)

    def plane(self, name: str) -> Plane:
        """Return the plane of a name: one of `planes`, or another that the name describes.

        Raises:
            PlaneError: The name describes no plane; the message lists the names that do.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._map.planes.find(name)

    def tile(self, plane: str, zoom: int, x: int, y: int) -> UInt8[np.ndarray, "height width ..."]:
        """Return the decodes at the cell centres of a tile, arranged as in the plane.

        There are `image.tile_cells` on a side.

        Raises:
            PlaneError: There is no such plane, or no such tile of it.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._map.tile(plane, zoom, x, y)

    def field(self, plane: str, kind: str) -> Computation[Field]:
        """Return the computation of a plane's `density`, `magnification`, `entropy` or `label`.

        A computation that was abandoned resumes where it stopped, unless four others were begun
        since. Computing a density may raise DataError, because it reads the test images.

        Raises:
            PlaneError: There is no such plane.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._map.field(plane, kind)

    @property
    def projections(self) -> tuple[Projection, ...]:
        """The projections of the codes that the atlas holds; none of a model of two dimensions."""
        return tuple(one for one in PROJECTIONS if one.id in self.atlas.projections)

    @property
    def moments(self) -> tuple[Moment, ...]:
        """The map as it was at some epochs of training; empty for a model with a codebook."""
        return self.atlas.moments

    @property
    def teacher(self) -> str | None:
        """Id of the model from which this one was distilled; None if it was not distilled."""
        table = self.card.recipe.get("distillation")
        return None if table is None else str(table["teacher"])

    def history(self, teacher: Card | None = None) -> list[Epoch]:
        """Return the epochs of training; with the teacher's card, the teacher's come first."""
        own = read_history(self.card.training, [moment.epoch for moment in self.moments])
        before = [] if teacher is None else read_history(teacher.training, [])
        if own and len(before) == own[0].epoch - 1:
            return [*before, *own]
        return own  # there is no teacher, or it has been retrained since

    def neighbours(self, latent: Float[np.ndarray, " latent"], count: int) -> Neighbours:
        """Return the `count` codes nearest to a latent, in all its dimensions.

        Raises:
            LatentError: The latent has the wrong shape, is not finite, or lies beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return nearest(self._checked([latent])[0], self.codes, self.labels, count)

    def encode(self, images: Float[np.ndarray, "images ..."]) -> Encoding:
        """Return the posteriors of images, and the ELBO of their grey levels.

        Raises:
            ImageError: The shape is not (N, *image.axes), or an intensity is outside [0, 1].
        """
        return self.encoder.encode(images)

    def code(self, images: Float[np.ndarray, "images ..."]) -> Code:
        """Return the posteriors of images alone, which saves a third of `encode` or more.

        Raises:
            ImageError: As `encode`.
        """
        return self.encoder.code(images)

    def sample(
        self, count: int, seed: int, temperature: float = 1.0
    ) -> Float[np.ndarray, "n latent"]:
        """Draw latents from the prior N(0, temperature^2 I); the same seed draws the same latents.

        An autoencoder has no prior. Its latents come from the Gaussian fitted to its codes, with
        deviations from their mean scaled by the temperature.

        Raises:
            UndecodableError: The model has a codebook instead of vectors.
        """
        self._require_vectors()
        noise = default_rng(seed).standard_normal((count, self.card.latent_dim))
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
        """Return a path from one latent to another in `steps` points, which include both ends.

        Raises:
            LatentError: An end has the wrong shape, is not finite, or lies beyond 10,000.
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
        *,
        density: bool = True,
    ) -> list[Callable[[], LatentPath | None]]:
        """Return `interpolate` in pieces of milliseconds, to call in order.

        Without `density` the length of a geodesic is the change of the image alone.

        The last returns the path. The first geodesic of a model takes a second, later ones a fifth
        of that.
        """
        ends = self._checked([start])[0], self._checked([end])[0]
        return self._paths.pieces(*ends, steps, path, density=density)

    def distances(
        self, latent: Float[np.ndarray, " latent"]
    ) -> list[Callable[[], Float[np.ndarray, "96 96"] | None]]:
        """Return how to measure the distance of every cell of a plane, in the geodesics' metric.

        The result is a list of pieces of milliseconds, to call in order. The last returns the
        distances at the centres of 96 x 96 cells of the plane's extent, the top row first, or None
        if the latent lies outside.

        Raises:
            LatentError: The latent has the wrong shape, is not finite, or lies beyond 10,000.
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
        """Return the Fisher-Rao distance of each latent's image from the one before.

        Raises:
            LatentError: The shape is not (N, D), or a latent is not finite or beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        return self._paths.seen_lengths(self._checked(latents))

    @cached_property
    def attributes(self) -> Attributes:
        """The labels and the factors of the test images, and the directions in which they change.

        Raises:
            UndecodableError: The model has a codebook instead of vectors.
        """
        self._require_vectors()
        return Attributes(self.card.dataset, self.codes, self.labels)

    @cached_property
    def activity(self) -> Activity:
        """How much each number of the latent tells of the images.

        Raises:
            UndecodableError: The model has a codebook instead of vectors.
        """
        self._require_vectors()
        return activity_of(self.card, self.codes)

    def traverse(
        self,
        latent: Float[np.ndarray, " latent"],
        dimensions: Sequence[int],
        steps: int,
        reach: float,
    ) -> Traversal:
        """Move numbers of a latent, one at a time, by up to `reach` standard deviations each way.

        Raises:
            LatentError: The latent has the wrong shape, is not finite, or is led beyond 10,000.
            UndecodableError: The model has a codebook instead of vectors.
        """
        (start,) = self._checked([latent])
        found = traverse(start, self.activity, dimensions, steps, reach)
        self._checked(found.latents)
        return found

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

    def _free_encoder(self) -> None:
        """Free PyTorch's encoder where ONNX Runtime encodes; it cannot be used afterwards.

        The encoder belongs to the checkpoint, so this is for the caller that read it alone.
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
            self.encoder.code,
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


def _drawing(autoencoder: Autoencoder, card: Card, device: str) -> Renderer:
    """Return what decodes latents; of a model with a codebook, which decodes none, no images."""
    if isinstance(autoencoder, VectorQuantisedAutoencoder):
        nothing = np.empty((0, *card.image.axes), np.uint8)
        return lambda latents: nothing
    return renderer(autoencoder, card.latent_dim, device)


def _decode(draw: Renderer, card: Card, latents: npt.ArrayLike) -> UInt8[np.ndarray, "count ..."]:
    return draw(_checked(latents, card))


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
    own: int = sum(t.numel() * t.element_size() for t in module.state_dict().values())
    foreign = (ImportedEncoder, ImportedDecoder)
    sizes = [part.nbytes for part in module.modules() if isinstance(part, foreign)]
    return own + sum(sizes)


def version_of(card: Card) -> str:
    """Return a text that changes whenever the same request may return other bytes."""
    return _version(card.sha256, card.atlas_sha256)


@lru_cache(maxsize=64)
def _version(*hashes: str) -> str:
    identity = " ".join((*hashes, RENDERER))
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
