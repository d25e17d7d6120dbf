"""Second sources: singular value decomposition, sums in plain loops, the definitions."""

import base64

import numpy as np
import pytest

from model.errors import PlaneError
from model.geometry.named_planes import NamedPlanes
from model.geometry.plane import Plane, main_plane

D = 5
NAMES = ("nought", "one", "two")


def shop(latent_dim: int = D, count: int = 300) -> tuple[np.ndarray, np.ndarray, NamedPlanes]:
    rng = np.random.default_rng(latent_dim)
    labels = rng.integers(0, 3, count).astype(np.uint8)
    mixing = rng.normal(size=(latent_dim, latent_dim))
    codes = (rng.normal(size=(count, latent_dim)) @ mixing + labels[:, None]).astype(np.float32)
    return codes, labels, NamedPlanes("few", main_plane(codes), codes, labels, NAMES)


def at(*rows: np.ndarray) -> str:
    return "at-" + base64.urlsafe_b64encode(np.stack(rows).astype("<f4").tobytes()).decode()


def test_the_menu_starts_with_the_main_plane_and_has_every_pair_of_labels() -> None:
    codes, _, planes = shop()
    assert planes.listed[0] == planes.find("pca-0-1")
    assert planes.listed[0].origin == pytest.approx(main_plane(codes).origin)
    assert [plane.id for plane in planes.listed] == [
        "pca-0-1", "pca-0-2", "pca-1-2", "pca-2-3", "digits-0-1", "digits-0-2", "digits-1-2",
    ]  # fmt: skip
    assert planes.find("digits-0-2").title == "nought against two"


def test_two_latents_have_one_plane_and_three_have_fewer_principal_ones() -> None:
    assert [plane.id for plane in shop(2)[2].listed] == ["latent"]
    assert [plane.id for plane in shop(3)[2].listed[:4]] == [
        "pca-0-1", "pca-0-2", "pca-1-2", "digits-0-1",
    ]  # fmt: skip


@pytest.mark.parametrize(("i", "j"), [(0, 1), (0, 2), (3, 4), (4, 0)])
def test_a_principal_plane_lies_along_two_singular_vectors(i: int, j: int) -> None:
    codes, _, planes = shop()
    plane = planes.find(f"pca-{i}-{j}")
    centred = codes.astype(np.float64) - codes.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(plane.axes @ directions[[i, j]].T) == pytest.approx(np.eye(2), abs=1e-6)


def test_on_a_plane_of_two_numbers_of_the_latent_these_are_the_coordinates() -> None:
    codes, _, planes = shop()
    plane = planes.find("dims-4-1")
    assert plane.project(codes) == pytest.approx(codes[:, [4, 1]])
    point = plane.lift(np.array([[7.0, -8.0]]))[0]
    mean = codes.mean(axis=0)
    assert point == pytest.approx([mean[0], -8, mean[2], mean[3], 7])


def test_a_plane_of_two_labels_holds_both_mean_codes_and_what_varies_most_across() -> None:
    codes, labels, planes = shop()
    plane = planes.find("digits-2-0")
    means = [codes[labels == label].astype(np.float64).mean(axis=0) for label in (2, 0)]
    on_plane = plane.project(np.stack(means))
    assert plane.lift(on_plane) == pytest.approx(np.stack(means))
    assert on_plane[:, 1] == pytest.approx([0, 0], abs=1e-6)
    assert on_plane[0, 0] < 0 < on_plane[1, 0]
    along = (means[1] - means[0]) / np.linalg.norm(means[1] - means[0])
    centred = codes - codes.mean(axis=0, dtype=np.float64)
    rest = np.stack([code - (code @ along) * along for code in centred])
    _, _, directions = np.linalg.svd(rest, full_matrices=False)
    assert abs(plane.axes[1] @ directions[0]) == pytest.approx(1, abs=1e-6)


def assert_covers(plane: Plane, codes: np.ndarray) -> None:
    assert plane.axes @ plane.axes.T == pytest.approx(np.eye(2), abs=1e-12)
    (u0, v0), (u1, v1) = plane.extent
    assert u1 - u0 == pytest.approx(v1 - v0)
    centre = plane.project(np.zeros((1, codes.shape[1])))[0]
    around = centre + 4 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    for u, v in np.concatenate([plane.project(codes), around]):
        assert u0 - 1e-5 <= u <= u1 + 1e-5
        assert v0 - 1e-5 <= v <= v1 + 1e-5


def test_every_plane_is_an_orthonormal_square_that_covers_codes_and_prior() -> None:
    codes, _, planes = shop()
    axes, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(D, 2)))
    names = [plane.id for plane in planes.listed]
    for name in (*names, "dims-0-3", at(np.full(D, 3.0), *axes.T)):
        assert_covers(planes.find(name), codes)


def test_axes_that_are_nearly_orthonormal_are_made_so_exactly() -> None:
    first, second = np.eye(D)[:2]
    plane = shop()[2].find(at(np.zeros(D), 1.0004 * first, second + 4e-4 * first))
    assert plane.axes == pytest.approx(np.stack([first, second]), abs=1e-6)
    assert plane.axes @ plane.axes.T == pytest.approx(np.eye(2), abs=1e-15)


@pytest.mark.parametrize(
    ("axes", "fault"),
    [
        ([[1, 0.002], [0, 1]], "not orthonormal"),
        ([[1.001, 0], [0, 1]], "not orthonormal"),
        ([[1, 0], [1, 0]], "not orthonormal"),
        ([[0, 0], [0, 1]], "not orthonormal"),
        ([[1, 0], [0, float("nan")]], "not all finite"),
        ([[3e38, 0], [0, 1]], "not orthonormal"),
    ],
)
def test_other_axes_are_refused(axes: list[list[float]], fault: str) -> None:
    with pytest.raises(PlaneError, match=f"few has no such plane: .*{fault}.*It has latent and"):
        shop(2)[2].find(at(np.zeros(2), *np.array(axes)))


def test_the_loudest_number_that_is_none_is_refused_like_any_other() -> None:
    signalling = b"\x01\x00\xa0\x7f" * 6
    with pytest.raises(PlaneError, match="not all finite"):
        shop(2)[2].find("at-" + base64.urlsafe_b64encode(signalling).decode())


def test_a_plane_that_leads_where_nothing_is_decoded_is_refused() -> None:
    _, _, planes = shop()
    x, y, z = np.eye(D)[:3]
    for origin in (20_000 * x, 9_999.999 * z):
        with pytest.raises(PlaneError, match="beyond 10000, where nothing is decoded"):
            planes.find(at(origin, x, y))
    assert planes.find(at(9_000 * x, x, y)).project(np.zeros((1, D)))[0, 0] == -9_000
    assert planes.find(at(9_000 * z, x, y)).origin[2] == 9_000


def test_two_labels_of_the_same_mean_code_span_no_plane() -> None:
    codes = np.zeros((6, 3), np.float32)
    planes = NamedPlanes("dead", main_plane(codes), codes, np.array([0, 1] * 3, np.uint8), NAMES)
    assert not [plane for plane in planes.listed if plane.id.startswith("digits")]
    with pytest.raises(PlaneError, match="mean codes of the two labels are the same"):
        planes.find("digits-0-1")
    with pytest.raises(PlaneError, match="no image has the label 2"):
        planes.find("digits-0-2")
