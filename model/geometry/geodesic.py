"""The geodesic between two latents: the way on which images change least, and stay images.

On a plane, roads on a grid give the way around holes, by Dijkstra's algorithm; a spline then
shortens it. In more dimensions the spline starts from the straight way or the spherical one.
Everything comes in pieces of milliseconds, for a server decodes other things between two of them.

Shapes: K points of a way, D latent dimensions, S control points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.geometry.grid_graph import CELLS, Roads
from model.geometry.interpolation import LatentPath, linear_path, spherical_path
from model.geometry.plane import Plane
from model.geometry.riemannian_metric import Metric
from model.vae.autoencoder import Autoencoder

CONTROLS, SAMPLES, FINE = 16, 32, 256
"""Inner points of the spline, and steps by which its energy and its length are taken."""
ROUNDS, ITERATIONS = 6, 3
"""L-BFGS: pieces, and iterations in each."""


class Geodesics:
    """All geodesics of a model; what they share is made when the first is asked for.

    Args:
        autoencoder: Of vectors.
        codes: Of the test images.
        plane: The model's first.
    """

    def __init__(
        self, autoencoder: Autoencoder, codes: Float[np.ndarray, "codes latent"], plane: Plane
    ) -> None:
        self._autoencoder, self._codes = autoencoder, codes
        self._roads = Roads(plane) if codes.shape[1] == 2 else None
        self._metric: Metric | None = None

    def pieces(
        self, start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"], steps: int
    ) -> list[Callable[[], LatentPath | None]]:
        """What to call, in this order; the last gives the geodesic in `steps` points."""
        search = Search(start, end)
        return [
            *self._preparations(),
            lambda: search.begin(self._prepared, self._roads),
            *[search.shorten] * ROUNDS,
            lambda: search.sampled(steps),
        ]

    def distances(
        self, start: Float[np.ndarray, " latent"]
    ) -> list[Callable[[], Float[np.ndarray, "cells cells"] | None]]:
        """What to call, in this order; the last says how far every cell of a 2-D model's plane is.

        It is None from off the plane.
        """
        roads = self._roads
        assert roads, "there are no roads in more than two dimensions"
        return [*self._preparations(), lambda: roads.distances(start)]

    def _preparations(self) -> list[Callable[[], None]]:
        rows = 0 if self._roads is None else CELLS - self._roads.laid
        return [self._prepare, *[self._lay_row] * rows]

    def _prepare(self) -> None:
        if self._metric is None:
            import scipy.interpolate
            import scipy.sparse.csgraph  # noqa: F401  a third of a second, and for this alone

            self._metric = Metric(self._autoencoder, self._codes)

    @property
    def _prepared(self) -> Metric:
        assert self._metric
        return self._metric

    def _lay_row(self) -> None:
        assert self._roads
        self._roads.lay_row(self._prepared)


class Search:
    """The search for one geodesic: `begin`, `shorten` some times, `sampled`."""

    def __init__(
        self, start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"]
    ) -> None:
        self._start, self._end = start, end
        self._best_KD = torch.from_numpy(linear_path(start, end, FINE + 1).latents)
        self._shortest = float("inf")

    @torch.no_grad()
    def begin(self, metric: Metric, roads: Roads | None) -> None:
        """Take the shortest way that is known without searching.

        Args:
            metric: In which the geodesic is to be short.
            roads: Of the plane, all laid; None in other than two dimensions.
        """
        self._metric = metric
        self._consider(self._best_KD)
        self._straight_length = self._shortest
        other: Float[np.ndarray, "points latent"] | None
        if roads:
            other = roads.way(self._start, self._end)
        else:
            other = spherical_path(self._start, self._end, FINE + 1).latents
        if other is not None:
            lengths = np.linalg.norm(np.diff(other, axis=0), axis=1)
            self._consider(torch.from_numpy(_resampled(other, lengths, FINE + 1)))
        inner = np.linspace(0, FINE, CONTROLS + 2).round().astype(int)[1:-1]
        self._control_SD = self._best_KD[inner].to(self._metric.device).clone()
        self._optimiser = torch.optim.LBFGS(
            [self._control_SD], max_iter=ITERATIONS, line_search_fn="strong_wolfe"
        )

    def shorten(self) -> None:
        """A few iterations on the spline's energy, which is least on the geodesic.

        Source: Liu & Nocedal 1989 (L-BFGS).
        """

        def energy() -> float:
            control_SD = self._control_SD.detach().requires_grad_(True)
            way_KD = self._spline(control_SD, SAMPLES)
            total = SAMPLES * self._metric.squared_lengths(way_KD).sum()
            (self._control_SD.grad,) = torch.autograd.grad(total, control_SD)
            return float(total.item())

        self._optimiser.step(energy)  # type: ignore[no-untyped-call]

    def _consider(self, way_KD: Float[Tensor, "points latent"]) -> None:
        """Keep a way if it is shorter than the shortest so far; the straight one comes first."""
        length = self._lengths(way_KD).sum().item()
        if length < self._shortest:
            self._best_KD, self._shortest = way_KD, length

    def _lengths(self, way_KD: Float[Tensor, "points latent"]) -> Float[Tensor, " points-1"]:
        return self._metric.squared_lengths(way_KD.to(self._metric.device)).sqrt().cpu()

    @torch.no_grad()
    def sampled(self, steps: int) -> LatentPath:
        """Points at equal distances in the metric, so that every step changes as much."""
        self._consider(self._spline(self._control_SD, FINE).cpu())
        lengths = self._lengths(self._best_KD).double().numpy()
        if not lengths.any():  # nowhere to go, or nothing changes on the way
            straight = linear_path(self._start, self._end, steps)
            return LatentPath(straight.latents, 0 * straight.step_lengths, self._metric.name, 0.0)
        latents = _resampled(self._best_KD.numpy(), lengths, steps)
        latents[0], latents[-1] = self._start, self._end
        step_lengths = np.full(steps - 1, lengths.sum() / (steps - 1), np.float32)
        return LatentPath(latents, step_lengths, self._metric.name, self._straight_length)

    def _spline(
        self, control_SD: Float[Tensor, "controls latent"], samples: int
    ) -> Float[Tensor, "samples+1 latent"]:
        """The natural cubic through both ends and the control points."""
        ends = torch.from_numpy(np.stack([self._start, self._end])).to(control_SD)
        knots = torch.cat([ends[:1], control_SD, ends[1:]])
        return _spline_basis(samples).to(control_SD) @ knots


def _spline_basis(samples: int) -> Float[Tensor, "samples+1 controls+2"]:
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(np.linspace(0, 1, CONTROLS + 2), np.eye(CONTROLS + 2), bc_type="natural")
    return torch.from_numpy(spline(np.linspace(0, 1, samples + 1)))


def _resampled(
    way_KD: Float[np.ndarray, "points latent"],
    lengths_K: Float[np.ndarray, " points-1"],
    count: int,
) -> Float[np.ndarray, "count latent"]:
    """Points at equal distances along a way, its steps being so long."""
    along_K = np.concatenate([[0.0], np.cumsum(lengths_K, dtype=np.float64)])
    wanted = np.linspace(0, along_K[-1], count)
    columns = [np.interp(wanted, along_K, column) for column in way_KD.T]
    return np.stack(columns, axis=1).astype(np.float32)
