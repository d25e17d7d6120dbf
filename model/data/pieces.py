"""Take the ink of an image apart into connected pieces, with NumPy alone.

Shapes: H x W pixels of an image, R runs of ink in its rows, P pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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

    ink: Mask
    runs: Int[np.ndarray, " runs"]
    """Of each run of ink in a row, from the top down: the number of its piece."""
    lengths: Int[np.ndarray, " runs"]
    """Of each run: its pixels."""
    area: Int[np.ndarray, " pieces"]
    top: Int[np.ndarray, " pieces"]
    left: Int[np.ndarray, " pieces"]
    bottom: Int[np.ndarray, " pieces"]
    """One past the last row; `right` in the same way."""
    right: Int[np.ndarray, " pieces"]

    @cached_property
    def labels(self) -> Int[np.ndarray, "height width"]:
        """Of each pixel: the number of its piece; -1 for ground."""
        labels = np.full(self.ink.shape, -1, np.int32)
        labels[self.ink] = np.repeat(self.runs, self.lengths)
        return labels

    def mask_of(self, which: Bool[np.ndarray, " pieces"]) -> Mask:
        """Return where some pieces lie."""
        if which.all():
            return self.ink
        mask = np.zeros_like(self.ink)
        mask[self.ink] = np.repeat(which[self.runs], self.lengths)
        return mask

    @property
    def size(self) -> Int[np.ndarray, " pieces"]:
        """The longer side of each piece."""
        return np.asarray(np.maximum(self.bottom - self.top, self.right - self.left))

    def at_edge(self, margin: int) -> Bool[np.ndarray, " pieces"]:
        """Return which pieces come within so many pixels of the edge of the image; 0: touch it."""
        height, width = self.ink.shape
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
        rows, columns = np.nonzero(self.ink)
        height, width = self.ink.shape
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
    """Take ink apart: the runs of ink in a row are joined to those they touch in the next.

    Source: Rosenfeld & Pfaltz 1966, "Sequential Operations in Digital Picture Processing", by runs.
    """
    height, width = ink.shape
    # All rows one after the other, a pixel of ground between them. A run touches those of the next
    # row that end where it starts, or later, and start where it ends, or earlier: neighbours in
    # the order of runs.
    stride = width + 1
    row_after_row = np.zeros(height * stride + 1, bool)
    row_after_row[1:].reshape(height, stride)[:, :width] = ink
    changes = np.flatnonzero(row_after_row[1:] != row_after_row[:-1])
    start_R, end_R = changes[::2], changes[1::2]
    first = np.searchsorted(end_R, start_R + stride)
    last = np.searchsorted(start_R, end_R + stride, "right")
    piece_R, pieces = _joined(first.tolist(), last.tolist())
    row_R = start_R // stride
    left_R, right_R = start_R - row_R * stride, end_R - row_R * stride
    top, left = np.full(pieces, height), np.full(pieces, width)
    bottom, right = np.zeros(pieces, int), np.zeros(pieces, int)
    np.minimum.at(top, piece_R, row_R)
    np.maximum.at(bottom, piece_R, row_R + 1)
    np.minimum.at(left, piece_R, left_R)
    np.maximum.at(right, piece_R, right_R)
    length_R = end_R - start_R
    area = np.bincount(piece_R, length_R, pieces).astype(int)
    return Pieces(ink, piece_R, length_R, area, top, left, bottom, right)


def _joined(first: list[int], last: list[int]) -> tuple[Int[np.ndarray, " runs"], int]:
    """Return the number of each run's piece, and how many there are.

    Run r touches the runs from `first[r]` to before `last[r]`, which come after it. Runs of a piece
    are a tree with its first run as the root.

    Source: Galler & Fischer 1964, "An improved equivalence algorithm".
    """
    parent = list(range(len(first)))
    for run, (start, end) in enumerate(zip(first, last, strict=True)):
        root = run
        while parent[root] != root:
            parent[root] = parent[parent[root]]
            root = parent[root]
        for other in range(start, end):
            top = other
            while parent[top] != top:
                parent[top] = parent[parent[top]]
                top = parent[top]
            if top < root:
                root, top = top, root
            parent[top] = root
    number, pieces = [], 0
    for run, above in enumerate(parent):
        if above == run:
            number.append(pieces)
            pieces += 1
        else:
            number.append(number[above])
    return np.array(number, int), pieces
