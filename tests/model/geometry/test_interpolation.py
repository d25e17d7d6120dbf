"""Second sources: the definitions in slow loops with their own trigonometry."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.geometry.interpolation import linear_path, spherical_path

latents = arrays(np.float32, 5, elements=st.floats(-100, 100, width=32))


def turned(start: list[float], end: list[float], t: float) -> list[float]:
    """The direction of `start`, turned by the share `t` of its angle to that of `end`."""
    a = [x / math.hypot(*start) for x in start]
    b = [x / math.hypot(*end) for x in end]
    cosine = sum(x * y for x, y in zip(a, b, strict=True))
    # Gram-Schmidt instead of the sines of slerp: the same circle, walked another way.
    across = [y - cosine * x for x, y in zip(a, b, strict=True)]
    across = [x / math.hypot(*across) for x in across]
    angle = t * math.atan2(math.sqrt(max(0, 1 - cosine**2)), cosine)
    return [math.cos(angle) * x + math.sin(angle) * y for x, y in zip(a, across, strict=True)]


@pytest.mark.parametrize("seed", range(5))
def test_a_spherical_path_turns_the_direction_evenly_while_the_norm_goes_straight(
    seed: int,
) -> None:
    start, end = np.random.default_rng(seed).normal(size=(2, 20)).astype(np.float32)
    path = spherical_path(start, 3 * end, steps=9)
    for i, latent in enumerate(path.latents):
        t = i / 8
        norm = (1 - t) * math.hypot(*start.tolist()) + t * math.hypot(*(3 * end).tolist())
        expected = [norm * x for x in turned(start.tolist(), (3 * end).tolist(), t)]
        assert latent.tolist() == pytest.approx(expected, abs=1e-5)


def test_a_quarter_turn_passes_its_middle_on_the_circle() -> None:
    path = spherical_path(np.array([2.0, 0.0]), np.array([0.0, 2.0]), steps=3)
    assert path.latents[1].tolist() == pytest.approx([math.sqrt(2), math.sqrt(2)])


def test_a_linear_path_goes_in_equal_steps() -> None:
    path = linear_path(np.array([0.0, 1.0]), np.array([4.0, 4.0]), steps=5)
    assert path.latents.tolist() == [[0, 1], [1, 1.75], [2, 2.5], [3, 3.25], [4, 4]]
    assert path.step_lengths.tolist() == [1.25] * 4
    assert path.metric == "euclidean"


@pytest.mark.parametrize("walk", [linear_path, spherical_path])
@given(start=latents, end=latents, steps=st.integers(2, 20))
def test_a_path_leads_from_its_start_to_its_end(
    walk: type, start: np.ndarray, end: np.ndarray, steps: int
) -> None:
    path = walk(start, end, steps)
    assert path.latents.shape == (steps, 5)
    assert path.latents.dtype == np.float32
    np.testing.assert_allclose(path.latents[0], start, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(path.latents[-1], end, rtol=1e-5, atol=1e-5)
    steps_taken = np.diff(path.latents.astype(np.float64), axis=0)
    expected = [math.hypot(*step) for step in steps_taken.tolist()]
    np.testing.assert_allclose(path.step_lengths, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("start", "end"),
    [([1, 2], [-2, -4]), ([0, 0], [1, 2]), ([1, 2], [0, 0]), ([0, 0], [0, 0]), ([1, 2], [2, 4])],
    ids=["opposite", "from zero", "to zero", "zero", "the same direction"],
)
def test_where_no_one_direction_leads_over_a_spherical_path_is_linear(
    start: list[float], end: list[float]
) -> None:
    spherical = spherical_path(np.array(start, np.float32), np.array(end, np.float32), 7)
    linear = linear_path(np.array(start, np.float32), np.array(end, np.float32), 7)
    np.testing.assert_allclose(spherical.latents, linear.latents, atol=1e-6)
