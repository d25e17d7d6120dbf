"""A graph of the cells of a plane, and the shortest paths along its edges.

Shapes: C cells a side, E = 16 edges of a cell, P pixels.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from model.geometry.computation import Pieces
from model.geometry.plane import Plane
from model.geometry.riemannian_metric import Metric

CELLS = 96
HALF = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
OFFSETS = (*HALF, *((-down, -right) for down, right in HALF))
"""Rows down and columns right of the edges that lead to a cell from its 16 neighbours."""
REACH = 2
"""The farthest neighbour's offset."""
TOGETHER = 32
"""Cells that are decoded in one piece."""
SWEEPS = 8
"""Relaxations of all edges that are done in one piece."""
GRAPH_PIECES = CELLS * (CELLS // TOGETHER + 1)
"""Of `build_grid_graph`."""
SEARCH_PIECES = 16
"""Of a search for shortest paths, unless they wind far more than those of the models that ship."""

Row = tuple[Float[Tensor, "cells pixels"], Float[Tensor, " cells"]]
"""Of each cell, its image in Fisher-Rao coordinates and its emptiness."""


class GridGraph:
    """Edges between neighbouring cells of a plane, as long as they are in the metric.

    Args:
        plane: All of a 2-D latent space.
        length_ECC: Of each cell, the length of the edge from each neighbour, in the order of
            `OFFSETS`; infinite if there is no such neighbour.
    """

    def __init__(self, plane: Plane, length_ECC: Float[np.ndarray, "edges cells cells"]) -> None:
        self._plane, self._length_ECC = plane, length_ECC

    def shortest_path(
        self, start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"]
    ) -> Pieces[Float[np.ndarray, "points 2"] | None]:
        """Return the shortest path along edges; None if an end lies off the plane."""
        first, last = self._cell(start), self._cell(end)
        if first is None or last is None:
            return None
        _, edge_CC = yield from self._relaxed(first)
        cells = [last]
        while cells[-1] != first:
            row, column = cells[-1]
            down, right = OFFSETS[edge_CC[row, column]]
            cells.append((row - down, column - right))
        points_CC2 = self._plane.grid(CELLS).astype(np.float32).reshape(CELLS, CELLS, 2)
        inner = [points_CC2[cell] for cell in cells[-2:0:-1]]
        return np.stack([start, *inner, end])

    def distances(
        self, start: Float[np.ndarray, " 2"]
    ) -> Pieces[Float[np.ndarray, "cells cells"] | None]:
        """Return how far every cell is, the top row first; None if the start is off the plane."""
        first = self._cell(start)
        if first is None:
            return None
        distance_CC, _ = yield from self._relaxed(first)
        return distance_CC.astype(np.float32)

    def _relaxed(
        self, first: tuple[int, int]
    ) -> Pieces[tuple[Float[np.ndarray, "cells cells"], Int[np.ndarray, "cells cells"]]]:
        """Return every cell's distance from the first, and the last edge of its shortest path.

        All edges of one direction are relaxed together. SciPy's Dijkstra is several times as fast,
        but in one piece, and importing it takes half a second and 24 MB.

        Source: Bellman 1958, "On a routing problem".
        """
        padded = np.full((CELLS + 2 * REACH, CELLS + 2 * REACH), np.inf)
        inner = slice(REACH, REACH + CELLS)
        distance_CC = padded[inner, inner]
        distance_CC[first] = 0
        edge_CC = np.zeros((CELLS, CELLS), np.int8)
        changes = True
        while changes:
            for _ in range(SWEEPS):
                changes = False
                for edge, (down, right) in enumerate(OFFSETS):
                    rows = slice(REACH - down, REACH - down + CELLS)
                    columns = slice(REACH - right, REACH - right + CELLS)
                    through_CC = padded[rows, columns] + self._length_ECC[edge]
                    shorter_CC = through_CC < distance_CC
                    if shorter_CC.any():
                        changes = True
                        np.copyto(distance_CC, through_CC, where=shorter_CC)
                        edge_CC[shorter_CC] = edge
                if not changes:
                    break
            yield
        return distance_CC, edge_CC

    def _cell(self, point: Float[np.ndarray, " 2"]) -> tuple[int, int] | None:
        (u0, v0), (u1, v1) = self._plane.extent
        u, v = point.tolist()
        if not (u0 <= u <= u1 and v0 <= v <= v1):
            return None
        column = min(CELLS - 1, int((u - u0) / (u1 - u0) * CELLS))
        row = min(CELLS - 1, int((v1 - v) / (v1 - v0) * CELLS))
        return row, column


@torch.no_grad()
def build_grid_graph(plane: Plane, metric: Metric) -> Pieces[GridGraph]:
    """Measure all edges of a plane, which is all of a 2-D latent space, row by row."""
    points_RC2 = plane.grid(CELLS).astype(np.float32).reshape(CELLS, CELLS, 2)
    (u0, _), (u1, _) = plane.extent
    side = (u1 - u0) / CELLS
    rows: deque[Row] = deque(maxlen=1 + REACH)
    length_ECC = np.full((len(OFFSETS), CELLS, CELLS), np.inf)
    for row, points_C2 in enumerate(points_RC2):
        parts: list[Row] = []
        for z_T2 in torch.split(torch.from_numpy(points_C2).to(metric.device), TOGETHER):
            parts.append((metric.embed(z_T2), metric.emptiness(z_T2)))
            yield
        phi_CP, emptiness_C = (torch.cat(column) for column in zip(*parts, strict=True))
        rows.append((phi_CP, emptiness_C))
        for edge, (down, right) in enumerate(HALF):
            if down < len(rows):
                left = np.arange(max(0, -right), CELLS - max(0, right))
                length = _lengths_between(rows, left, down, right, side)
                length_ECC[edge, row, left + right] = length
                length_ECC[len(HALF) + edge, row - down, left] = length
        yield
    return GridGraph(plane, length_ECC)


def _lengths_between(
    rows: deque[Row], left: Int[np.ndarray, " edges"], down: int, right: int, side: float
) -> Float[np.ndarray, " edges"]:
    """Measure the edges from an earlier row to the newest."""
    (from_CP, from_C), (to_CP, to_C) = rows[-1 - down], rows[-1]
    seen_E = (from_CP[left] - to_CP[left + right]).square().sum(-1)
    square = side**2 * (down**2 + right**2)
    length_E = (seen_E + (from_C[left] + to_C[left + right]) / 2 * square).sqrt()
    return np.asarray(length_E.cpu().numpy())
