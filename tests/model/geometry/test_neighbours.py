"""Second source: a sort of all distances."""

import math

import numpy as np
import pytest

from model.geometry.neighbours import nearest


@pytest.mark.parametrize("D", [2, 20])
@pytest.mark.parametrize("count", [1, 7, 300, 1000])
def test_the_nearest_codes_are_the_first_of_all_codes_by_distance(D: int, count: int) -> None:
    rng = np.random.default_rng(D)
    codes = rng.normal(size=(300, D)).astype(np.float32)
    labels = rng.integers(0, 10, 300).astype(np.uint8)
    latent = rng.normal(size=D).astype(np.float32)
    found = nearest(latent, codes, labels, count)
    distances = [math.dist(code, latent.tolist()) for code in codes.tolist()]
    order = sorted(range(300), key=lambda index: distances[index])[:count]
    assert found.indices.tolist() == order
    assert found.labels.tolist() == labels[order].tolist()
    assert found.distances == pytest.approx([distances[index] for index in order])


def test_of_equally_near_codes_the_first_of_the_data_set_come_first() -> None:
    codes = np.array([[2, 0], [0, 1], [1, 0], [0, -1], [-1, 0]], np.float32)
    found = nearest(np.zeros(2, np.float32), codes, np.arange(5, dtype=np.uint8), 3)
    assert found.indices.tolist() == [1, 2, 3]
    assert found.distances.tolist() == [1, 1, 1]
