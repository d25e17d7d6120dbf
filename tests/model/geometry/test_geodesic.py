"""Second sources: great circles on a sphere, straight lines in a flat space, and rings of codes."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model.checkpoint import CHECKPOINTS, read_checkpoint
from model.geometry.computation import complete
from model.geometry.geodesic import (
    CONTROLS,
    Geodesics,
    Prepared,
    _spline_basis,
    find_geodesic,
)
from model.geometry.grid_graph import build_grid_graph
from model.geometry.interpolation import LatentPath, linear_path
from model.geometry.plane import Plane
from model.geometry.riemannian_metric import EMPTINESS, Metric, fit_metric
from model.vae.autoencoder import Autoencoder
from model.vae.likelihood import Gaussian

EVERYWHERE = np.random.default_rng(0).uniform(-1.5, 1.5, (3000, 2)).astype(np.float32)
SQUARE = Plane("latent", "All", np.zeros(2), np.eye(2), ((-1.5, -1.5), (1.5, 1.5)))


class Globe(nn.Module):
    """Latitude and longitude to three pixels: a point of the unit sphere."""

    def forward(self, z_KD: Tensor) -> Tensor:
        latitude, longitude = z_KD.unbind(-1)
        around = latitude.cos()
        return torch.stack(
            [around * longitude.cos(), around * longitude.sin(), latitude.sin()], dim=-1
        )


def measured_by(
    decoder: nn.Module, codes: np.ndarray = EVERYWHERE, emptiness: float = EMPTINESS
) -> Metric:
    likelihood = Gaussian()
    nn.init.zeros_(likelihood.log_sigma)
    autoencoder = Autoencoder(nn.Linear(784, 2), decoder, likelihood)
    return complete(fit_metric(autoencoder, codes, emptiness))


def flat(latent_dim: int = 2) -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(latent_dim, 9)


def walk(found: Metric, start: object, end: object, steps: int = 33) -> LatentPath:
    first, last = np.array(start, np.float32), np.array(end, np.float32)
    graph = complete(build_grid_graph(SQUARE, found)) if len(first) == 2 else None
    return complete(find_geodesic(Prepared(found, graph), first, last, steps))


def test_on_a_globe_the_geodesic_is_the_great_circle() -> None:
    latitude, longitude = 0.7, 1.2
    path = walk(measured_by(Globe(), emptiness=0.0), [latitude, -longitude], [latitude, longitude])
    cosine = math.sin(latitude) ** 2 + math.cos(latitude) ** 2 * math.cos(2 * longitude)
    assert path.step_lengths.sum() == pytest.approx(math.acos(cosine), rel=5e-3)
    highest = math.atan(math.tan(latitude) / math.cos(longitude))  # Napier's rules
    assert path.latents[16].tolist() == pytest.approx([highest, 0], abs=0.08)


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_in_a_flat_space_the_geodesic_is_straight(latent_dim: int) -> None:
    rng = np.random.default_rng(1)
    codes = rng.uniform(-1, 1, (500, latent_dim)).astype(np.float32)
    start, end = rng.uniform(-1, 1, (2, latent_dim)).astype(np.float32)
    decoder = flat(latent_dim)
    path = walk(measured_by(decoder, codes, emptiness=0.0), start, end)
    np.testing.assert_allclose(path.latents, linear_path(start, end, 33).latents, atol=0.01)
    assert isinstance(decoder, nn.Linear)
    way = decoder.weight.detach().numpy() @ (end - start)
    assert path.step_lengths.sum() == pytest.approx(np.linalg.norm(way), rel=1e-4)


def test_a_geodesic_goes_around_a_lake_without_codes() -> None:
    ring = EVERYWHERE[np.linalg.norm(EVERYWHERE, axis=1) > 0.7]
    found = measured_by(flat(), ring)
    start, end = [-1.2, 0.1], [1.2, 0.1]
    path = walk(found, start, end)
    assert np.linalg.norm(path.latents, axis=1).min() > 0.5
    straight = torch.from_numpy(linear_path(np.array(start), np.array(end), 257).latents)
    with torch.no_grad():
        across = found.squared_lengths(straight).sqrt().sum().item()
    assert path.step_lengths.sum() < 0.8 * across


@pytest.mark.parametrize(
    "name",
    [
        "mnist-vae-2d",
        pytest.param("mnist-ae-2d", marks=pytest.mark.slow),
        pytest.param("mnist-vae-2d-beta-64", marks=pytest.mark.slow),
    ],
)
def test_it_is_never_longer_than_the_straight_path_and_its_steps_are_equal(name: str) -> None:
    checkpoint = read_checkpoint(CHECKPOINTS / name)
    codes, (plane, *_) = checkpoint.atlas.codes, checkpoint.atlas.planes
    found = complete(fit_metric(checkpoint.autoencoder, codes))
    geodesics = Geodesics(checkpoint.autoencoder, codes, plane)

    def length(latents: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return found.squared_lengths(torch.from_numpy(latents)).sqrt().numpy()

    pairs = np.random.default_rng(2).integers(0, len(codes), (4, 2))
    for first, last in pairs:
        start, end = codes[first], codes[last]
        *_, path = [piece() for piece in geodesics.pieces(start, end, 1025)]
        assert path is not None
        straight = length(linear_path(start, end, 1025).latents).sum()
        assert path.straight_length == pytest.approx(straight, rel=0.02, abs=5e-3)
        assert path.straight_length is not None
        assert path.step_lengths.sum() <= path.straight_length * (1 + 1e-5)  # rounding
        lengths = length(path.latents)
        assert lengths.sum() <= 1.01 * straight + 5e-3
        assert path.step_lengths.sum() == pytest.approx(lengths.sum(), rel=0.02, abs=5e-3)
        by_quarters = lengths.reshape(4, -1).sum(1)
        assert by_quarters.max() <= 1.1 * by_quarters.min() + 5e-3
        np.testing.assert_array_equal(path.latents[[0, -1]], [start, end])


def test_from_a_point_to_itself_it_stays() -> None:
    path = walk(measured_by(flat()), [0.3, 0.4], [0.3, 0.4], steps=5)
    np.testing.assert_allclose(path.latents, [[0.3, 0.4]] * 5, rtol=1e-6)
    assert path.step_lengths.tolist() == [0] * 4


def test_an_end_off_the_plane_has_no_road_and_still_a_geodesic() -> None:
    path = walk(measured_by(flat()), [-9.0, 0.0], [0.5, 0.0])
    assert path.latents[0].tolist() == [-9, 0]
    assert np.isfinite(path.latents).all()


@pytest.mark.parametrize("samples", [7, 32, 256])
def test_the_spline_is_the_natural_cubic_one(samples: int) -> None:
    """SciPy's is the second source; importing it is left to this test."""
    interpolate = pytest.importorskip("scipy.interpolate")
    knots = np.linspace(0, 1, CONTROLS + 2)
    spline = interpolate.CubicSpline(knots, np.eye(CONTROLS + 2), bc_type="natural")
    expected = spline(np.linspace(0, 1, samples + 1))
    np.testing.assert_allclose(_spline_basis(samples).numpy(), expected, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist-vae-2d", "mnist-vae-20d"])
def test_no_piece_is_left_for_the_last_call(name: str) -> None:
    """The server decodes for others between two calls; the last one does what is left."""
    checkpoint = read_checkpoint(CHECKPOINTS / name)
    codes, (plane, *_) = checkpoint.atlas.codes, checkpoint.atlas.planes
    geodesics = Geodesics(checkpoint.autoencoder, codes, plane)
    for _ in range(2):
        *_, before, _last = [call() for call in geodesics.pieces(codes[0], codes[1], 9)]
        assert before is not None


@pytest.mark.slow
def test_a_geodesic_between_distant_codes_of_continuous_pixels_is_found() -> None:
    """A search with longer steps left the plane here, and looked numbers up that were none."""
    checkpoint = read_checkpoint(CHECKPOINTS / "mnist-vae-2d-continuous-bernoulli")
    codes, (plane, *_) = checkpoint.atlas.codes, checkpoint.atlas.planes
    pairs = np.random.default_rng(5).integers(0, len(codes), (9, 2))
    start, end = codes[pairs[8]]
    geodesics = Geodesics(checkpoint.autoencoder, codes, plane)
    *_, path = [call() for call in geodesics.pieces(start, end, 9)]
    assert path is not None
    assert np.isfinite(path.latents).all()
