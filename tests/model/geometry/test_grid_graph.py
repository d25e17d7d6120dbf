"""Second source: Dijkstra's algorithm in SciPy."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from model.geometry.computation import complete
from model.geometry.grid_graph import CELLS, HALF, OFFSETS, GridGraph
from model.geometry.plane import Plane

SQUARE = Plane("latent", "", np.zeros(2), np.eye(2), ((0.0, 0.0), (96.0, 96.0)))
CELL = np.arange(CELLS**2).reshape(CELLS, CELLS)


def lengths(rng: np.random.Generator, *, least: float = 0.0) -> np.ndarray:
    """Random edges, a third of them of the least length, and the same in both directions."""
    length_ECC = np.full((len(OFFSETS), CELLS, CELLS), np.inf)
    for edge, (down, right) in enumerate(HALF):
        rows = np.arange(down, CELLS)
        columns = np.arange(max(0, right), CELLS + min(0, right))
        some = np.maximum(rng.uniform(-0.5, 1, (len(rows), len(columns))), 0) + least
        length_ECC[edge][np.ix_(rows, columns)] = some
        length_ECC[len(HALF) + edge][np.ix_(rows - down, columns - right)] = some
    return length_ECC


def by_dijkstra(length_ECC: np.ndarray, first: int) -> np.ndarray:
    ends, starts, values = [], [], []
    for (down, right), length_CC in zip(OFFSETS, length_ECC, strict=True):
        row, column = np.nonzero(np.isfinite(length_CC))
        ends.append(CELL[row, column])
        starts.append(CELL[row - down, column - right])
        values.append(length_CC[row, column])
    arrays = (np.concatenate(part) for part in (values, starts, ends))
    value, start, end = arrays
    graph = csr_matrix((value, (start, end)), shape=(CELLS**2, CELLS**2))
    return np.asarray(dijkstra(graph, indices=first)).reshape(CELLS, CELLS)


def test_distances_are_those_of_dijkstra() -> None:
    length_ECC = lengths(np.random.default_rng(0), least=0.01)
    for point in ([0.2, 95.7], [48.5, 40.1], [96.0, 0.0]):
        found = complete(GridGraph(SQUARE, length_ECC).distances(np.array(point)))
        assert found is not None
        column, row = min(95, int(point[0])), min(95, int(96 - point[1]))
        np.testing.assert_allclose(found, by_dijkstra(length_ECC, CELL[row, column]), rtol=1e-6)


@pytest.mark.parametrize("least", [0.0, 0.01])
def test_the_shortest_path_is_as_long_as_the_distance_of_its_end(least: float) -> None:
    """Edges without length must not lead in a circle."""
    length_ECC = lengths(np.random.default_rng(1), least=least)
    start, end = np.array([3.5, 90.5]), np.array([80.5, 7.5])
    path = complete(GridGraph(SQUARE, length_ECC).shortest_path(start, end))
    assert path is not None
    np.testing.assert_array_equal(path[[0, -1]], [start, end])
    total = 0.0
    for before, after in pairwise(path):
        right, up = (after - before).round().astype(int)
        row, column = int(96 - after[1]), int(after[0])
        total += length_ECC[OFFSETS.index((-up, right)), row, column]
    distances = complete(GridGraph(SQUARE, length_ECC).distances(start))
    assert distances is not None
    assert total == pytest.approx(distances[int(96 - end[1]), int(end[0])], rel=1e-5, abs=1e-6)


def test_from_off_the_plane_there_is_no_path() -> None:
    graph = GridGraph(SQUARE, lengths(np.random.default_rng(2)))
    inside, outside = np.array([1.0, 1.0]), np.array([1.0, 97.0])
    assert complete(graph.shortest_path(inside, outside)) is None
    assert complete(graph.shortest_path(outside, inside)) is None
    assert complete(graph.distances(outside)) is None
