"""Second sources: closed forms, automatic differentiation, torch.distributions, plain loops."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jvp
from torch.distributions import Bernoulli, MultivariateNormal

from model.checkpoint import read_checkpoint
from model.data import datasets
from model.engine import Engine
from model.geometry import fields
from model.geometry.computation import Computation, Pieces
from model.geometry.fields import Field
from model.geometry.latent_map import projected
from model.geometry.plane import Plane
from model.vae.autoencoder import Autoencoder, VariationalAutoencoder
from model.vae.likelihood import Gaussian

SQUARE = Plane("latent", "", np.zeros(2), np.eye(2), ((-4.0, -4.0), (4.0, 4.0)))
SOME = ((0, 0), (0, 127), (40, 90), (63, 64), (127, 3))


def whole(begun: Computation[Field]) -> Field:
    while True:
        field = begun.advance()
        if field is not None:
            return field


def work(pieces: Pieces[Field]) -> Computation[Field]:
    return Computation(lambda: pieces)


def values(field: Field) -> np.ndarray:
    assert field.levels.shape == (128, 128)
    if field.scale == "index":
        return np.asarray(field.levels, np.float64)
    assert field.levels.dtype == np.uint16
    share = field.levels / 65535
    if field.scale == "log":
        return np.asarray(field.low * (field.high / field.low) ** share)
    return np.asarray(field.low + (field.high - field.low) * share)


def place(plane: Plane, row: int, column: int) -> np.ndarray:
    (u0, v0), (u1, v1) = plane.extent
    u, v = u0 + (column + 0.5) * (u1 - u0) / 128, v1 - (row + 0.5) * (v1 - v0) / 128
    return np.asarray(plane.origin + u * plane.axes[0] + v * plane.axes[1])


class Made(nn.Module):
    """A decoder whose image is known: pixels 0.5 + 0.1 z_0 and 0.5 + 0.1 z_0 z_1 / 4."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, z: Tensor) -> Tensor:
        image = torch.zeros(len(z), 784)
        image[:, 0] = 0.5 + 0.1 * z[:, 0]
        image[:, 1] = 0.5 + 0.1 * z[:, 0] * z[:, 1] / 4
        return image


def made() -> Autoencoder:
    return Autoencoder(nn.Identity(), Made(), Gaussian())


def test_the_magnification_is_that_of_the_closed_form() -> None:
    """J = 0.1 [[1, 0], [v / 4, u / 4]], so sqrt det J'J = 0.01 |u| / 4."""
    shown = values(whole(work(fields.magnification(made(), SQUARE))))
    for row, column in SOME:
        u, _ = place(SQUARE, row, column)
        assert shown[row, column] == pytest.approx(max(0.01 * abs(u) / 4, 1e-3), rel=2e-3)


@pytest.mark.parametrize("which", [0, -1])
def test_the_magnification_is_that_of_automatic_differentiation(
    engine: Engine, which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane, autoencoder = engine.planes[which], engine._autoencoder
    points = np.stack([place(plane, row, column) for row, column in SOME])
    z, axes = torch.from_numpy(points).float(), torch.from_numpy(plane.axes).float()

    def mean(z: Tensor) -> Tensor:
        return autoencoder.likelihood.mean(autoencoder.decode(z))

    slopes = [jvp(mean, z, axis.expand_as(z).clone())[1] for axis in axes]  # type: ignore[no-untyped-call]
    jacobian = torch.stack(slopes, -1).double()
    expected = torch.linalg.det(jacobian.mT @ jacobian).clamp_min(0).sqrt()

    some = np.resize(plane.project(points), (128 * 128, 2))  # all places would take seconds
    monkeypatch.setattr(Plane, "grid", lambda plane, cells: some[:16])
    monkeypatch.setattr(fields, "_levels", lambda share: np.resize(65535 * share, (128, 128)))
    field = whole(work(fields.magnification(autoencoder, plane)))
    shown = field.low * (field.high / field.low) ** (field.levels.ravel()[:5] / 65535)
    np.testing.assert_allclose(shown, expected.clamp_min(field.low), rtol=0.02, atol=2e-3)


def test_the_entropy_of_bernoulli_pixels_is_that_of_the_distribution(small: Engine) -> None:
    shown = values(whole(small.field("latent", "entropy")))
    for row, column in SOME:
        z = torch.from_numpy(place(small.planes[0], row, column)[None]).float()
        with torch.no_grad():
            pixels = Bernoulli(logits=small._autoencoder.decode(z))
        expected = pixels.entropy().mean().item()  # type: ignore[no-untyped-call]
        assert shown[row, column] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", ["latent", "pca-0-2"])
def test_the_label_is_that_of_most_of_the_fifteen_nearest_codes(name: str) -> None:
    rng = np.random.default_rng(0)
    D = 2 if name == "latent" else 4
    codes = rng.normal(size=(400, D)).astype(np.float32)
    labels = rng.integers(0, 10, 400).astype(np.uint8)
    axes = np.eye(D)[[0, D - 1]]
    plane = Plane(name, "", np.full(D, 0.3), axes, ((-2.0, -2.0), (2.0, 2.0)))
    field = whole(work(fields.label(codes, labels, plane)))
    assert field.scale == "index"
    assert field.levels.dtype == np.uint8
    for row, column in SOME:
        apart = ((codes - place(plane, row, column)) ** 2).sum(axis=1)
        votes = Counter(labels[np.argsort(apart)[:15]].tolist())
        most = max(votes.values())
        expected = min(label for label, count in votes.items() if count == most)
        assert field.levels[row, column] == expected


def test_the_density_of_the_main_plane_is_the_atlas(small: Engine) -> None:
    shown = values(whole(small.field("latent", "density")))
    known = small.atlas.density[0]
    floor = known.max() * 1e-6
    np.testing.assert_allclose(shown, np.maximum(known, floor), rtol=2e-3)


@pytest.mark.parametrize("points", [False, True])
def test_the_density_of_any_plane_is_the_mixture_of_the_projected_posteriors(points: bool) -> None:
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(300, 3)).astype(np.float32)
    axes, _ = np.linalg.qr(rng.normal(size=(3, 2)))
    plane = Plane("digits-0-1", "", np.full(3, 0.2), axes.T, ((-4.0, -4.0), (4.0, 4.0)))
    roots = 0.3 * rng.normal(size=(300, 2, 2))
    spread = roots @ roots.swapaxes(1, 2) + 0.01 * np.eye(2)
    parts = None if points else iter(np.split(spread, 3))
    shown = values(whole(work(fields.density(codes, parts, plane))))
    widened = (0 if points else spread) + (8 / 128) ** 2 * np.broadcast_to(np.eye(2), (300, 2, 2))
    means = torch.from_numpy((codes - plane.origin) @ plane.axes.T)
    mixture = MultivariateNormal(means, torch.from_numpy(widened))
    for row, column in SOME:
        u, v = (place(plane, row, column) - plane.origin) @ plane.axes.T
        at = torch.tensor([u, v], dtype=torch.float64)
        expected = mixture.log_prob(at).exp().mean().item()  # type: ignore[no-untyped-call]
        assert shown[row, column] == pytest.approx(max(expected, shown.max() * 1e-6), rel=2e-3)


def test_a_plane_that_shows_a_known_space_turned_has_its_density_turned() -> None:
    """Turned by a right angle, (u, v) is (v, -u): np.rot90 says the same of the array."""
    known = np.random.default_rng(0).random((128, 128)) + 0.1
    turned = Plane("at-", "", np.zeros(2), np.array([[0.0, 1.0], [-1.0, 0.0]]), SQUARE.extent)
    shown = values(whole(work(fields.known_density(known, SQUARE, turned))))
    np.testing.assert_allclose(shown, np.rot90(known, -1), rtol=1e-3)
    aside = Plane("at-", "", np.array([100.0, 0]), np.eye(2), SQUARE.extent)
    assert not whole(work(fields.known_density(known, SQUARE, aside))).levels.any()


def finished(field: Field) -> Pieces[Field]:
    yield
    return field


def test_a_field_that_failed_is_begun_anew() -> None:
    field, faults = fields.shown_density(np.ones(128 * 128)), [MemoryError("no room")]

    def pieces() -> Pieces[Field]:
        yield
        if faults:
            raise faults.pop()
        return field

    begun = Computation(pieces)
    assert begun.advance() is None
    with pytest.raises(MemoryError, match="no room"):
        begun.advance()
    assert begun.advance() is None
    assert begun.advance() is field


def test_a_field_without_any_difference_can_still_be_read() -> None:
    same = fields.shown_density(np.full(128 * 128, 0.25))
    assert values(whole(work(finished(same)))) == pytest.approx(np.full((128, 128), 0.25))
    nothing = fields.shown_density(np.zeros(128 * 128))
    assert values(nothing).max() < 1e-200


def test_the_posteriors_that_are_projected_are_those_of_the_encoder() -> None:
    folder = Path(__file__).parents[3] / "checkpoints" / "mnist-vae-20d"
    twenty, vae = Engine.load(folder, "cpu"), read_checkpoint(folder).autoencoder
    assert isinstance(vae, VariationalAutoencoder)
    images = datasets.test_set("mnist").images[:40]
    parts = projected(twenty.code, images, twenty.plane("dims-3-11"))
    found = np.concatenate(list(parts))
    assert found.dtype == np.float64
    image_NP = torch.from_numpy(images.reshape(40, 784).astype(np.float32) / 255)
    scale_NDD = vae.posterior(image_NP).scale_tril.double()
    covariance = (scale_NDD @ scale_NDD.mT).numpy()
    np.testing.assert_allclose(found, covariance[:, [3, 11]][:, :, [3, 11]], rtol=1e-4)


def test_a_density_is_worked_out_where_pytorch_has_no_encoder() -> None:
    twenty = Engine.load(Path(__file__).parents[3] / "checkpoints" / "mnist-vae-20d", "cpu")
    density = twenty.field("dims-3-11", "density")
    assert [density.advance() for _ in range(3)] == [None] * 3
