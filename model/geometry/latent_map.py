"""The map of a model: its planes, and the tiles and fields of each.

Shapes: N latents, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial

import numpy as np
from jaxtyping import Float, Float32, UInt8

from model.card import Card
from model.data.datasets import find, labels_of_tests, test_set
from model.geometry import fields
from model.geometry.fields import Pieces, Work
from model.geometry.named_planes import Planes
from model.geometry.plane import TILE_CELLS, Plane
from model.inference.encoding import Code
from model.vae.autoencoder import SIDE, Autoencoder, VariationalAutoencoder

BEGUN = 4
"""Fields, of about a megabyte, that go on where they stopped when they are asked for again."""
AT_ONCE = 32
"""Images whose covariances are taken in one piece."""

Decode = Callable[[Float[np.ndarray, "n latent"]], UInt8[np.ndarray, "n 28 28"]]
Encode = Callable[[Float32[np.ndarray, "images 28 28"]], Code]


class Map:
    """All that there is to see of a model whose latents are vectors.

    Args:
        card: Of the model.
        autoencoder: Its networks.
        codes: Of the shipped test images.
        main: The plane that opens first.
        density: Of the codes on `main`, as the atlas stores it.
        decode: Mean images of latents, in grey levels.
        code: The posteriors of images.

    Attributes:
        planes: On which it can be seen.
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
        self._autoencoder, self._codes, self._main_density = autoencoder, codes, density
        self._decode, self._code = decode, code
        self._dataset, self._labels = card.dataset, labels_of_tests(card.dataset)[: len(codes)]
        names = find(card.dataset).label_names
        self.planes = Planes(card.id, main, codes, self._labels, names)
        self._begun = lru_cache(BEGUN)(self._begin)

    def tile(self, plane: str, zoom: int, x: int, y: int) -> UInt8[np.ndarray, "224 224"]:
        """The decodes at the 8 x 8 cell centres of a tile; raises PlaneError."""
        shown = self.planes.find(plane)
        latents = shown.lift(shown.tile(zoom, x, y)).astype(np.float32)
        cells = self._decode(latents).reshape(TILE_CELLS, TILE_CELLS, SIDE, SIDE).swapaxes(1, 2)
        return cells.reshape(TILE_CELLS * SIDE, TILE_CELLS * SIDE)

    def field(self, plane: str, kind: str) -> Work:
        """The field `density`, `magnification`, `entropy` or `label`; raises PlaneError."""
        work: Work = self._begun(plane, kind)
        return work

    def _begin(self, plane: str, kind: str) -> Work:
        shown = self.planes.find(plane)
        return Work(partial(self._pieces, shown, kind))

    def _pieces(self, plane: Plane, kind: str) -> Pieces:
        if kind == "density":
            return self._density(plane)
        if kind == "label":
            return fields.label(self._codes, self._labels, plane)
        decoded = fields.entropy if kind == "entropy" else fields.magnification
        return decoded(self._autoencoder, plane)

    def _density(self, plane: Plane) -> Pieces:
        """Known from the atlas wherever that shows the whole space, and else worked out."""
        codes, (main, *_) = self._codes, self.planes.listed
        if codes.shape[1] == 2 or plane.id == main.id:
            return fields.known_density(self._main_density, main, plane)
        if not isinstance(self._autoencoder, VariationalAutoencoder):
            return fields.density(codes, None, plane)
        return self._projected(plane)

    def _projected(self, plane: Plane) -> Pieces:
        images = test_set(self._dataset).images[: len(self._codes)]
        yield  # whoever is first had to unpack them
        spreads = projected(self._code, images, plane)
        return (yield from fields.density(self._codes, spreads, plane))


def projected(
    code: Encode, images: UInt8[np.ndarray, "images 28 28"], plane: Plane
) -> Iterator[Float[np.ndarray, "some 2 2"]]:
    """The posteriors' covariances on a plane, a few at a time."""
    for part in np.split(images, range(AT_ONCE, len(images), AT_ONCE)):
        covariance = code(part.astype(np.float32) / 255).covariance
        assert covariance is not None, "points have no covariance"
        yield plane.axes @ covariance @ plane.axes.T
