"""Take the ink of an image apart into connected pieces, with NumPy alone.

Shapes: H x W pixels of an image, R runs of ink in its rows, P pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

Mask = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; `bottom` and `right` are one past the last."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> int:
        """The longer side."""
        return max(self.bottom - self.top, self.right - self.left)


@dataclass(frozen=True)
class Pieces:
    """Connected pieces of ink, in no order. Pixels are neighbours by a corner too."""

    labels: Int[np.ndarray, "height width"]
    """Of each pixel: the number of its piece; -1 for ground."""
    area: Int[np.ndarray, " pieces"]
    top: Int[np.ndarray, " pieces"]
    left: Int[np.ndarray, " pieces"]
    bottom: Int[np.ndarray, " pieces"]
    """One past the last row; `right` in the same way."""
    right: Int[np.ndarray, " pieces"]

    @property
    def size(self) -> Int[np.ndarray, " pieces"]:
        """The longer side of each piece."""
        return np.asarray(np.maximum(self.bottom - self.top, self.right - self.left))

    def at_edge(self, margin: int) -> Bool[np.ndarray, " pieces"]:
        """Return which pieces come within so many pixels of the edge of the image; 0: touch it."""
        height, width = self.labels.shape
        at_start = (self.top <= margin) | (self.left <= margin)
        at_end = (self.bottom >= height - margin) | (self.right >= width - margin)
        return np.asarray(at_start | at_end)

    def box_of(self, which: Bool[np.ndarray, " pieces"]) -> Box:
        """Return the bounding box of some pieces together."""
        return Box(
            int(self.top[which].min()),
            int(self.left[which].min()),
            int(self.bottom[which].max()),
            int(self.right[which].max()),
        )

    def near(self, box: Box, gap: int) -> Bool[np.ndarray, " pieces"]:
        """Return which bounding boxes are at most `gap` pixels from another."""
        across = (self.left <= box.right + gap) & (self.right >= box.left - gap)
        down = (self.top <= box.bottom + gap) & (self.bottom >= box.top - gap)
        return np.asarray(across & down)

    def beside(self, box: Box) -> Bool[np.ndarray, " pieces"]:
        """Return which bounding boxes lie wholly to the left or to the right of another."""
        return np.asarray((self.left >= box.right) | (self.right <= box.left))

    def within(self, piece: int) -> Bool[np.ndarray, " pieces"]:
        """Return which bounding boxes lie inside that of a piece, and are not its own."""
        beside = (self.left > self.left[piece]) & (self.right < self.right[piece])
        above = (self.top > self.top[piece]) & (self.bottom < self.bottom[piece])
        return np.asarray(beside & above)

    def nearest(self, at: tuple[float, float]) -> int:
        """Return the piece nearest to a place, given in shares of width and height."""
        rows, columns = np.nonzero(self.labels >= 0)
        height, width = self.labels.shape
        distance = np.hypot(columns + 0.5 - at[0] * width, rows + 0.5 - at[1] * height)
        nearest = int(np.argmin(distance))
        return int(self.labels[rows[nearest], columns[nearest]])

    def has_corners(self, piece: int) -> bool:
        """Return whether a piece has ink in all four corners of its bounding box, as a frame."""
        rows, columns = (
            np.s_[self.top[piece] : self.bottom[piece]],
            np.s_[self.left[piece] : self.right[piece]],
        )
        own = self.labels[rows, columns] == piece
        height, width = (max(1, side // 7) for side in own.shape)
        ends = (np.s_[:height], np.s_[-height:])
        sides = (np.s_[:width], np.s_[-width:])
        return all(own[end, side].any() for end in ends for side in sides)


def pieces_of(ink: Mask) -> Pieces:
    """Take ink apart.

    The runs of ink in a row are joined to those they touch in the next, as trees: of two roots
    that touch, the higher is hung on the lower, and then every run on its root, until no two touch.

    Source: Shiloach & Vishkin 1982, "An O(log n) parallel connectivity algorithm".
    """
    height, width = ink.shape
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    inked = np.s_[rows[:1].sum() : rows[-1:].sum() + 1, columns[:1].sum() : columns[-1:].sum() + 1]
    edges = np.diff(np.pad(ink[inked], ((0, 0), (1, 1))).view(np.int8), axis=1)
    row_R, start_R = np.nonzero(edges > 0)
    _, end_R = np.nonzero(edges < 0)
    row_R, start_R, end_R = row_R + inked[0].start, start_R + inked[1].start, end_R + inked[1].start
    # All rows one after the other, with a gap. A run touches those of the next row that end where
    # it starts, or later, and start where it ends, or earlier: neighbours in the order of runs.
    stride = width + 2
    first = np.searchsorted(row_R * stride + end_R, (row_R + 1) * stride + start_R)
    last = np.searchsorted(row_R * stride + start_R, (row_R + 1) * stride + end_R, "right")
    count = last - first
    upper = np.repeat(np.arange(len(row_R)), count)
    lower = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[upper]
    root_R = np.arange(len(row_R))
    while (root_R[upper] != root_R[lower]).any():
        one, other = root_R[upper], root_R[lower]
        np.minimum.at(root_R, np.maximum(one, other), np.minimum(one, other))
        while (root_R != root_R[root_R]).any():
            root_R = root_R[root_R]
    roots, label_R = np.unique(root_R, return_inverse=True)
    labels = np.full(ink.shape, -1, np.int32)
    labels[inked][ink[inked]] = np.repeat(label_R, end_R - start_R)
    top, left = np.full(len(roots), height), np.full(len(roots), width)
    bottom, right = np.zeros(len(roots), int), np.zeros(len(roots), int)
    np.minimum.at(top, label_R, row_R)
    np.maximum.at(bottom, label_R, row_R + 1)
    np.minimum.at(left, label_R, start_R)
    np.maximum.at(right, label_R, end_R)
    area = np.bincount(label_R, end_R - start_R, len(roots)).astype(int)
    return Pieces(labels, area, top, left, bottom, right)
