"""Second sources: singular value decomposition, loops, and the promises of the API."""

import numpy as np
import pytest

from model.geometry.plane import Plane, main_plane


def codes(D: int, count: int = 500) -> np.ndarray:
    """Codes with a spread and a correlation of their own in every direction, off the origin."""
    rng = np.random.default_rng(D)
    mixing = rng.normal(size=(D, D)) * np.linspace(3, 0.2, D)
    return (rng.normal(size=(count, D)) @ mixing.T + rng.normal(size=D)).astype(np.float32)


def test_a_model_with_two_latents_shows_them_as_they_are() -> None:
    plane = main_plane(codes(2))
    assert plane.id == "latent"
    assert plane.origin.tolist() == [0, 0]
    assert plane.axes.tolist() == [[1, 0], [0, 1]]


def test_a_model_with_more_latents_opens_on_its_first_principal_axes() -> None:
    points = codes(20)
    plane = main_plane(points)
    assert plane.id == "pca-0-1"
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(plane.axes @ directions[:2].T) == pytest.approx(np.eye(2), abs=1e-6)
    assert plane.origin == pytest.approx(points.mean(axis=0), abs=1e-5)


def test_the_principal_axes_do_not_flip_when_the_codes_come_in_another_order() -> None:
    points = codes(20)
    assert main_plane(points[::-1]).axes == pytest.approx(main_plane(points).axes, abs=1e-6)


@pytest.mark.parametrize("D", [2, 3, 20])
@pytest.mark.parametrize("spread", [0.01, 1, 30])
def test_a_plane_is_a_square_with_orthonormal_axes_that_covers_codes_and_prior(
    D: int, spread: float
) -> None:
    points = codes(D) * np.float32(spread)
    plane = main_plane(points)
    (u0, v0), (u1, v1) = plane.extent
    assert plane.axes @ plane.axes.T == pytest.approx(np.eye(2))
    assert u1 - u0 == pytest.approx(v1 - v0)

    prior_centre = plane.project(np.zeros((1, D)))[0]
    around = prior_centre + 4 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    seen = np.concatenate([plane.project(points), around])
    slack = 1e-6 * (u1 - u0)
    assert (seen >= np.array([u0, v0]) - slack).all()
    assert (seen <= np.array([u1, v1]) + slack).all()


def test_lifting_and_projecting_undo_each_other() -> None:
    plane = main_plane(codes(20))
    points = np.random.default_rng(0).normal(size=(7, 2))
    assert plane.project(plane.lift(points)) == pytest.approx(points)
    expected = plane.origin + points[0, 0] * plane.axes[0] + points[0, 1] * plane.axes[1]
    assert plane.lift(points)[0] == pytest.approx(expected)


def test_a_grid_has_its_cell_centres_row_by_row_from_the_upper_left() -> None:
    plane = Plane("latent", "", np.zeros(2), np.eye(2), ((-4.0, 10.0), (4.0, 18.0)))
    assert plane.grid(2).tolist() == [[-2, 16], [2, 16], [-2, 12], [2, 12]]


@pytest.mark.parametrize("zoom", [0, 1, 3])
def test_the_tiles_of_a_zoom_lie_side_by_side_and_make_up_the_grid(zoom: int) -> None:
    plane = Plane("latent", "", np.zeros(2), np.eye(2), ((-4.0, 10.0), (4.0, 18.0)))
    side = 2**zoom
    tiles = [[plane.tile(zoom, x, y, 8).reshape(8, 8, 2) for x in range(side)] for y in range(side)]
    whole = np.concatenate([np.concatenate(row, axis=1) for row in tiles])
    assert whole.reshape(-1, 2) == pytest.approx(plane.grid(8 * side), abs=1e-12)


def test_the_first_tile_is_the_corner_of_least_u_and_greatest_v() -> None:
    plane = Plane("latent", "", np.zeros(2), np.eye(2), ((-4.0, 10.0), (4.0, 18.0)))
    corner = plane.tile(8, 0, 0, 8)
    half_a_cell = 8 / 2**12
    assert corner[0] == pytest.approx([-4 + half_a_cell, 18 - half_a_cell], abs=1e-12)
    assert corner[1] - corner[0] == pytest.approx([2 * half_a_cell, 0], abs=1e-12)


def test_a_single_latent_spans_no_plane() -> None:
    with pytest.raises(ValueError, match="two dimensions; the codes have 1"):
        main_plane(codes(1))
