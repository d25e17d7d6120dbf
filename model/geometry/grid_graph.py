"""Roads over a plane, and the shortest way along them.

Shapes: C cells a side, P pixels.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from model.geometry.plane import Plane
from model.geometry.riemannian_metric import Metric

CELLS = 96
OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
"""Rows down and columns right to half of the 16 neighbours that a road leads to."""


class Roads:
    """Edges between neighbouring cells of a plane, as long as they are in the metric.

    Args:
        plane: All of a 2-D latent space.

    Attributes:
        laid: How many rows there are; all are `CELLS`.
    """

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._points_RCD = plane.grid(CELLS).astype(np.float32).reshape(CELLS, CELLS, 2)
        self._last: deque[tuple[Tensor, Tensor]] = deque(maxlen=3)
        self._edges: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.laid = 0

    @torch.no_grad()
    def lay_row(self, metric: Metric) -> None:
        """Lay one more row of roads; nothing, if all are laid."""
        if self.laid == CELLS:
            return
        z_CD = torch.from_numpy(self._points_RCD[self.laid]).to(metric.device)
        self._last.append((metric.embed(z_CD), metric.emptiness(z_CD)))
        self.laid += 1
        for down, right in OFFSETS:
            if down < len(self._last):
                self._edges.append(self._between(down, right))
        if self.laid == CELLS:
            self._last.clear()

    def _between(self, down: int, right: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Edges from an earlier row to the newest: their cells and lengths."""
        left = np.arange(max(0, -right), CELLS - max(0, right))
        (from_CP, from_C), (to_CP, to_C) = self._last[-1 - down], self._last[-1]
        seen_C = (from_CP[left] - to_CP[left + right]).square().sum(-1)
        (u0, _), (u1, _) = self._plane.extent
        square = ((u1 - u0) / CELLS) ** 2 * (down**2 + right**2)
        length_C = (seen_C + (from_C[left] + to_C[left + right]) / 2 * square).sqrt()
        row = (self.laid - 1) * CELLS
        return row - down * CELLS + left, row + left + right, length_C.cpu().numpy()

    def way(
        self, start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"]
    ) -> Float[np.ndarray, "points 2"] | None:
        """The shortest way along roads, all of which are laid; None if an end lies off the plane.

        Source: Dijkstra 1959.
        """
        first, last = self._cell(start), self._cell(end)
        if first is None or last is None:
            return None
        _, before = self._dijkstra(first)
        cells = _followed_back(before, last, first)
        inner = self._points_RCD.reshape(-1, 2)[cells[1:-1]]
        return np.concatenate([start[None], inner, end[None]])

    def distances(self, start: Float[np.ndarray, " 2"]) -> Float[np.ndarray, "cells cells"] | None:
        """How far every cell is along roads, the top row first; None from off the plane."""
        first = self._cell(start)
        if first is None:
            return None
        length, _ = self._dijkstra(first)
        return length.reshape(CELLS, CELLS).astype(np.float32)

    def _cell(self, point: Float[np.ndarray, " 2"]) -> int | None:
        (u0, v0), (u1, v1) = self._plane.extent
        u, v = point.tolist()
        if not (u0 <= u <= u1 and v0 <= v <= v1):
            return None
        column = min(CELLS - 1, int((u - u0) / (u1 - u0) * CELLS))
        row = min(CELLS - 1, int((v1 - v) / (v1 - v0) * CELLS))
        return row * CELLS + column

    def _dijkstra(self, first: int) -> tuple[Float[np.ndarray, " all"], Int[np.ndarray, " all"]]:
        """How far every cell is from the first, and which comes before it on the way."""
        from scipy.sparse.csgraph import dijkstra

        far, before = dijkstra(self._graph, directed=False, indices=first, return_predecessors=True)
        return np.asarray(far), np.asarray(before)

    @cached_property
    def _graph(self) -> Any:
        """All edges as a sparse matrix, made once: it takes longer than a search."""
        from scipy.sparse import csr_matrix

        assert self.laid == CELLS, "not all roads are laid"
        cell, neighbour, length = (np.concatenate(part) for part in zip(*self._edges, strict=True))
        self._edges.clear()
        return csr_matrix((length, (cell, neighbour)), shape=(CELLS**2, CELLS**2))


def _followed_back(before: Int[np.ndarray, " cells"], last: int, first: int) -> list[int]:
    cells = [last]
    while cells[-1] != first:
        cells.append(int(before[cells[-1]]))
    return cells[::-1]
