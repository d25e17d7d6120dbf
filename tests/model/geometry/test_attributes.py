import itertools

import numpy as np
import pytest

from model.data import datasets
from model.data.factors import FACTORS, stored_values
from model.geometry.attributes import Attributes, Direction, area_under_roc

COUNT = 600


def gaussian(dimensions: int) -> np.ndarray:
    return np.random.default_rng(4).standard_normal((COUNT, dimensions))


def factor_direction(attributes: Attributes, factor: str) -> Direction:
    *_, found = [piece() for piece in attributes.of_factor(factor)]
    assert found is not None
    return found


@pytest.fixture
def slant() -> np.ndarray:
    """The slant of the first test images, measured at once."""
    measure = {factor.id: factor.measure for factor in FACTORS["mnist"]}["slant"]
    assert measure
    return measure(datasets.test_set("mnist").images[:COUNT] / np.float32(255))


@pytest.fixture
def labels() -> np.ndarray:
    return datasets.test_set("mnist").labels[:COUNT]


def test_the_direction_of_a_label_leads_from_the_mean_of_the_others_to_its_own(
    labels: np.ndarray,
) -> None:
    codes = gaussian(3).astype(np.float32)
    codes[labels == 7] += [2, 0, -1]
    found = Attributes("mnist", codes, labels).of_label(7)
    sevens = [code for code, label in zip(codes.tolist(), labels, strict=True) if label == 7]
    others = [code for code, label in zip(codes.tolist(), labels, strict=True) if label != 7]
    expected = [
        sum(column) / len(sevens) - sum(rest) / len(others)
        for column, rest in zip(zip(*sevens, strict=True), zip(*others, strict=True), strict=True)
    ]
    np.testing.assert_allclose(found.vector, expected, atol=1e-6)
    assert found.scale == pytest.approx(np.linalg.norm(expected))
    assert (found.images, found.labelled) == (COUNT, len(sevens))


def test_the_area_under_the_roc_curve_is_the_share_of_pairs_in_the_right_order() -> None:
    scores = np.array([1.0, 2.0, 2.0, 3.0, 5.0, 2.0])
    has = np.array([False, True, False, True, False, False])
    pairs = itertools.product(scores[has], scores[~has])
    wins = [1.0 if one > other else 0.5 if one == other else 0.0 for one, other in pairs]
    assert area_under_roc(scores, has) == pytest.approx(sum(wins) / len(wins))


def test_codes_that_follow_a_factor_give_its_direction_and_are_told_by_it(
    slant: np.ndarray, labels: np.ndarray
) -> None:
    codes = np.outer(slant, [0.1, 0.0, -0.05]) + 0.01 * gaussian(3)
    found = factor_direction(Attributes("mnist", codes.astype(np.float32), labels), "slant")
    np.testing.assert_allclose(found.vector, [0.1, 0, -0.05], atol=1e-3)
    assert found.separation > 0.99
    assert found.labelled is None


def test_a_label_that_tends_to_be_slanted_does_not_draw_the_direction_of_slant(
    slant: np.ndarray, labels: np.ndarray
) -> None:
    means = np.array([slant[labels == label].mean() for label in range(10)])
    codes = np.outer(slant, [0.1, 0.0]) + np.outer(means[labels], [0.0, 3.0])
    found = factor_direction(Attributes("mnist", codes.astype(np.float32), labels), "slant")
    np.testing.assert_allclose(found.vector, [0.1, 0], atol=1e-4)
    within = np.concatenate([slant[labels == k] - slant[labels == k].mean() for k in range(10)])
    assert found.deviation == pytest.approx(within.std())


def test_codes_that_know_nothing_of_a_factor_are_not_told_by_it(labels: np.ndarray) -> None:
    found = factor_direction(Attributes("mnist", gaussian(4).astype(np.float32), labels), "size")
    assert found.separation < 0.05


def test_the_images_are_measured_once(labels: np.ndarray) -> None:
    attributes = Attributes("mnist", gaussian(2).astype(np.float32), labels)
    first = factor_direction(attributes, "size")
    (again,) = attributes.of_factor("size")
    repeated = again()
    assert repeated is not None
    np.testing.assert_array_equal(repeated.vector, first.vector)


def test_codes_that_all_coincide_have_directions_of_length_0(labels: np.ndarray) -> None:
    attributes = Attributes("mnist", np.ones((COUNT, 2), np.float32), labels)
    assert attributes.of_label(3).scale == 0
    assert attributes.of_label(3).separation == 0.5
    assert factor_direction(attributes, "slant").scale == 0
    assert factor_direction(attributes, "slant").separation == 0


def test_a_single_label_is_told_from_nothing_and_an_own_data_set_has_no_factors() -> None:
    attributes = Attributes("leaves", gaussian(2), np.zeros(COUNT, np.uint8))
    assert attributes.labels == ()
    assert attributes.factors == ()


def test_stored_factors_have_directions_too_and_a_moustache_is_a_difference_of_means() -> None:
    values = stored_values("faces", "moustache")[:COUNT]
    codes = gaussian(4).astype(np.float32)
    codes[values == 1] += [0, 3, 0, -1]
    labels = datasets.test_set("faces").labels[:COUNT]
    found = factor_direction(Attributes("faces", codes, labels), "moustache")
    np.testing.assert_allclose(found.vector, [0, 3, 0, -1], atol=0.3)
    assert found.separation > 0.5
