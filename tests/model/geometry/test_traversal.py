from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.settings import ROOT
from model.card import Card
from model.geometry.traversal import activity_of, traverse


@pytest.fixture
def codes() -> np.ndarray:
    """Codes whose numbers spread by 1, 0.001, 3 and 0.2."""
    noise = np.random.default_rng(1).standard_normal((500, 4))
    return (noise * [1, 0.001, 3, 0.2]).astype(np.float32)


@pytest.fixture
def vae() -> Card:
    metrics = {"latents": {"kl_per_dimension": [1.5, 0.001, 2.5, 3.5]}}
    shipped = Card.load(ROOT / "checkpoints" / "mnist-vae-2d")
    return replace(shipped, latent_dim=4, metrics=metrics)


def test_the_numbers_are_ordered_by_the_kl_that_was_measured(vae: Card, codes: np.ndarray) -> None:
    found = activity_of(vae, codes)
    assert found.measure == "kl"
    assert found.values.tolist() == [1.5, 0.001, 2.5, 3.5]
    assert found.active == (3, 2, 0)
    assert found.inactive == (1,)
    assert found.sigmas.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("metrics", [{}, {"latents": None}, {"progress": {"epoch": 1}}])
def test_without_measures_the_variance_of_the_codes_orders_them(
    vae: Card, codes: np.ndarray, metrics: dict[str, Any]
) -> None:
    found = activity_of(replace(vae, metrics=metrics), codes)
    assert found.measure == "variance"
    assert found.active == (2, 0, 3)
    assert found.inactive == (1,)
    np.testing.assert_allclose(found.values, np.var(codes.astype(float), axis=0))


def test_an_autoencoder_moves_by_the_deviations_of_its_codes(vae: Card, codes: np.ndarray) -> None:
    found = activity_of(replace(vae, family="ae", metrics={}), 100 * codes)
    np.testing.assert_allclose(found.sigmas, np.std(100 * codes.astype(float), axis=0))
    assert found.active == (2, 0)
    assert found.inactive == (3, 1)  # 0.2 has less than a hundredth of the variance that 3 has


def test_each_row_moves_one_number_about_the_latent(vae: Card, codes: np.ndarray) -> None:
    start = np.array([0.5, -1, 0, 2], np.float32)
    found = traverse(start, activity_of(vae, codes), [2, 0], 7, 3.0)
    assert found.dimensions == (2, 0)
    assert found.offsets.tolist() == [[-3, -2, -1, 0, 1, 2, 3]] * 2
    rows = found.latents.reshape(2, 7, 4)
    assert rows[0].tolist() == [[0.5, -1, offset, 2] for offset in range(-3, 4)]
    assert rows[1].tolist() == [[0.5 + offset, -1, 0, 2] for offset in range(-3, 4)]
