"""The map of a model: its planes, and the tiles and fields of each.

Shapes: N latents, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float32, UInt8

from model.card import Card
from model.data.datasets import find, labels_of_tests, test_set
from model.geometry import fields
from model.geometry.computation import Computation, Pieces
from model.geometry.fields import Field
from model.geometry.lru_cache import LruCache
from model.geometry.named_planes import NamedPlanes
from model.geometry.plane import Plane
from model.inference.encoding import Code, Decode
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder

MAX_BEGUN = 4
"""Fields of about a megabyte that are kept, and resumed when they are asked for again."""
ENCODED_TOGETHER = 32
"""Images whose covariances are computed in one piece."""

Encode = Callable[[Float32[np.ndarray, "images ..."]], Code]


class LatentMap:
    """The map of a model whose latents are vectors.

    Args:
        card: The model's card.
        autoencoder: Its networks.
        codes: Codes of the shipped test images.
        main: The plane that opens first.
        density: Density of the codes on `main`, as the atlas stores it.
        decode: Return the mean images of latents, in grey levels.
        code: Return the posteriors of images.

    Attributes:
        planes: The planes on which it can be seen.
    """

    def __init__(
        self,
        card: Card,
        autoencoder: Autoencoder,
        codes: Float32[np.ndarray, "codes latent"],
        main: Plane,
        density: Float[np.ndarray, "height width"],
        decode: Decode,
        code: Encode,
    ) -> None:
        labels = labels_of_tests(card.dataset)[: len(codes)]
        self.planes = NamedPlanes(card.id, main, codes, labels, find(card.dataset).label_names)
        self._decode, self._image = decode, autoencoder.image
        self._source = FieldSource(card.dataset, autoencoder, codes, labels, main, density, code)
        self._begun = LruCache[tuple[str, str], Computation[Field]](MAX_BEGUN)

    def tile(self, plane: str, zoom: int, x: int, y: int) -> UInt8[np.ndarray, "height width ..."]:
        """Return the decodes at the cell centres of a tile; raise PlaneError."""
        shown, cells, image = self.planes.find(plane), self._image.tile_cells, self._image
        latents = shown.lift(shown.tile(zoom, x, y, cells)).astype(np.float32)
        grid = self._decode(latents).reshape(cells, cells, *image.axes).swapaxes(1, 2)
        return grid.reshape(cells * image.height, cells * image.width, *image.axes[2:])

    def field(self, plane: str, kind: str) -> Computation[Field]:
        """Return the field `density`, `magnification`, `entropy` or `label`; raise PlaneError."""
        return self._begun.get((plane, kind), partial(self._begin, plane, kind))

    def _begin(self, plane: str, kind: str) -> Computation[Field]:
        return Computation(partial(self._source.pieces, self.planes.find(plane), kind))


@dataclass(frozen=True)
class FieldSource:
    """What the fields of a model are computed from; the arguments of `LatentMap`."""

    dataset: str
    autoencoder: Autoencoder
    codes: Float32[np.ndarray, "codes latent"]
    labels: UInt8[np.ndarray, " codes"]
    main: Plane
    main_density: Float[np.ndarray, "height width"]
    code: Encode

    def pieces(self, plane: Plane, kind: str) -> Pieces[Field]:
        """Compute the field of a kind on a plane."""
        if kind == "density":
            return self._density(plane)
        if kind == "label":
            return fields.label(self.codes, self.labels, plane)
        decoded = fields.entropy if kind == "entropy" else fields.magnification
        return decoded(self.autoencoder, plane)

    def _density(self, plane: Plane) -> Pieces[Field]:
        """Take the density from the atlas where that shows the whole space, else compute it."""
        if self.codes.shape[1] == 2 or plane.id == self.main.id:
            return fields.known_density(self.main_density, self.main, plane)
        if not isinstance(self.autoencoder, VariationalAutoencoder):
            return fields.density(self.codes, None, plane)
        return self._projected(plane)

    def _projected(self, plane: Plane) -> Pieces[Field]:
        images = test_set(self.dataset).images[: len(self.codes)]
        yield  # the first to ask had to unpack them
        covariances = projected(self.code, images, plane)
        return (yield from fields.density(self.codes, covariances, plane))


def projected(
    code: Encode, images: UInt8[np.ndarray, "images ..."], plane: Plane
) -> Iterator[Float[np.ndarray, "some 2 2"]]:
    """Yield the posteriors' covariances on a plane, a few at a time."""
    for part in np.split(images, range(ENCODED_TOGETHER, len(images), ENCODED_TOGETHER)):
        covariance = code(part.astype(np.float32) / 255).covariance
        assert covariance is not None, "the codes of an autoencoder have no covariance"
        yield plane.axes @ covariance @ plane.axes.T
