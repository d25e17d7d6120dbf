"""A graph of the cells of a plane, and the shortest paths along its edges.

Shapes: C cells a side, P pixels.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from model.geometry.computation import Pieces
from model.geometry.plane import Plane
from model.geometry.riemannian_metric import Metric

CELLS = 96
OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
"""Rows down and columns right to half of the 16 neighbours of a cell."""
TOGETHER = 32
"""Cells that are decoded in one piece."""
GRAPH_PIECES = CELLS * (CELLS // TOGETHER + 1) + 1
"""Of `build_grid_graph`."""

Row = tuple[Float[Tensor, "cells pixels"], Float[Tensor, " cells"]]
"""Of each cell, its image in Fisher-Rao coordinates and its emptiness."""
Edges = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of each edge, its two cells and its length."""


class GridGraph:
    """Edges between neighbouring cells of a plane, as long as they are in the metric.

    Args:
        plane: All of a 2-D latent space.
        lengths: A sparse matrix of the edges' lengths, in both directions.
    """

    def __init__(self, plane: Plane, lengths: Any) -> None:
        self._plane, self._lengths = plane, lengths

    def shortest_path(
        self, start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"]
    ) -> Float[np.ndarray, "points 2"] | None:
        """Return the shortest path along edges; None if an end lies off the plane.

        Source: Dijkstra 1959.
        """
        first, last = self._cell(start), self._cell(end)
        if first is None or last is None:
            return None
        _, before = self._dijkstra(first)
        cells = _followed_back(before, last, first)
        inner = self._plane.grid(CELLS).astype(np.float32)[cells[1:-1]]
        return np.concatenate([start[None], inner, end[None]])

    def distances(self, start: Float[np.ndarray, " 2"]) -> Float[np.ndarray, "cells cells"] | None:
        """Return how far every cell is, the top row first; None if the start is off the plane."""
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
        """Return every cell's distance from the first, and the cell before it on the path."""
        far, before = dijkstra(self._lengths, indices=first, return_predecessors=True)
        return np.asarray(far), np.asarray(before)


@torch.no_grad()
def build_grid_graph(plane: Plane, metric: Metric) -> Pieces[GridGraph]:
    """Measure all edges of a plane, which is all of a 2-D latent space, row by row."""
    points_RC2 = plane.grid(CELLS).astype(np.float32).reshape(CELLS, CELLS, 2)
    (u0, _), (u1, _) = plane.extent
    side = (u1 - u0) / CELLS
    rows: deque[Row] = deque(maxlen=3)
    edges: list[Edges] = []
    for row, points_C2 in enumerate(points_RC2):
        parts: list[Row] = []
        for z_T2 in torch.split(torch.from_numpy(points_C2).to(metric.device), TOGETHER):
            parts.append((metric.embed(z_T2), metric.emptiness(z_T2)))
            yield
        phi_CP, emptiness_C = (torch.cat(column) for column in zip(*parts, strict=True))
        rows.append((phi_CP, emptiness_C))
        edges += [
            _edges_between(rows, row, down, right, side)
            for down, right in OFFSETS
            if down < len(rows)
        ]
        yield
    cell, neighbour, length = (np.concatenate(part) for part in zip(*edges, strict=True))
    both = np.concatenate([cell, neighbour]), np.concatenate([neighbour, cell])
    lengths = csr_matrix((np.concatenate([length, length]), both), shape=(CELLS**2, CELLS**2))
    yield
    return GridGraph(plane, lengths)


def _edges_between(rows: deque[Row], row: int, down: int, right: int, side: float) -> Edges:
    """Measure the edges from an earlier row to the newest."""
    left = np.arange(max(0, -right), CELLS - max(0, right))
    (from_CP, from_C), (to_CP, to_C) = rows[-1 - down], rows[-1]
    seen_C = (from_CP[left] - to_CP[left + right]).square().sum(-1)
    square = side**2 * (down**2 + right**2)
    length_C = (seen_C + (from_C[left] + to_C[left + right]) / 2 * square).sqrt()
    first = row * CELLS
    return first - down * CELLS + left, first + left + right, length_C.cpu().numpy()


def _followed_back(before: Int[np.ndarray, " cells"], last: int, first: int) -> list[int]:
    cells = [last]
    while cells[-1] != first:
        cells.append(int(before[cells[-1]]))
    return cells[::-1]
