"""The shape of images: a property of a data set, and so of every model of its images.

Images are arrays of N x H x W (grey) or N x H x W x 3 (red, green, blue). Where an image is a row
of numbers, as networks take it, its pixels come row by row from the top, and the three numbers of a
pixel side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SHORTEST, LONGEST = 8, 128
"""Pixels of a side."""
LARGEST_CELLS = {32: 8, 64: 4, LONGEST: 2}
"""Cells on a side of a tile, by the longest side of its images."""


@dataclass(frozen=True)
class ImageShape:
    """Height and width in pixels, and 1 channel for grey or 3 for colour.

    Raises:
        ValueError: A side or the number of channels is none that is allowed.
    """

    height: int
    width: int
    channels: int = 1

    def __post_init__(self) -> None:
        for side in (self.height, self.width):
            if type(side) is not int or not SHORTEST <= side <= LONGEST:
                raise ValueError(
                    f"an image has a side of {side!r} pixels; {SHORTEST} to {LONGEST} are allowed"
                )
        if type(self.channels) is not int or self.channels not in (1, 3):
            raise ValueError(
                f"an image has {self.channels!r} channels; 1 (grey) or 3 (colour) are allowed"
            )

    @classmethod
    def of(cls, images: np.ndarray) -> ImageShape:
        """Return the shape of each of N images: N x H x W, or N x H x W x 3."""
        _, height, width, *channels = images.shape
        return cls(height, width, *channels)

    @classmethod
    def from_json(cls, table: Any) -> ImageShape:
        """Read back what `dataclasses.asdict` returned; raise ValueError."""
        if not isinstance(table, dict) or set(table) != {"height", "width", "channels"}:
            raise ValueError(f"{table!r} is no shape of images: height, width and channels")
        return cls(**table)

    @property
    def is_colour(self) -> bool:
        return self.channels == 3

    @property
    def axes(self) -> tuple[int, ...]:
        """The shape of an image's array: (H, W) or (H, W, 3)."""
        return (self.height, self.width, 3) if self.is_colour else (self.height, self.width)

    @property
    def numbers(self) -> int:
        """Numbers of an image: H x W x channels."""
        return self.height * self.width * self.channels

    @property
    def longest(self) -> int:
        """Pixels of the longer side."""
        return max(self.height, self.width)

    @property
    def tile_cells(self) -> int:
        """Cells on a side of a tile; a tile of large images has fewer."""
        return next(cells for side, cells in LARGEST_CELLS.items() if self.longest <= side)

    def __str__(self) -> str:
        return f"{self.width} x {self.height}{' in colour' if self.is_colour else ''}"


MNIST_SHAPE = ImageShape(28, 28)
"""The shape of MNIST and Fashion-MNIST, which a description without a shape means."""
