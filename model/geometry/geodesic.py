"""The geodesic between two latents: the shortest by the change of the image and the lack of codes.

On a plane, the shortest path through a grid of cells leads around holes; a spline then shortens it.
In more dimensions the spline starts from the straight path or the spherical one.

Shapes: K points of a path, D latent dimensions, S control points.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.geometry import grid_graph
from model.geometry.computation import Computation, Pieces
from model.geometry.grid_graph import GRAPH_PIECES, GridGraph, build_grid_graph
from model.geometry.interpolation import LatentPath, linear_path, spherical_path
from model.geometry.lbfgs import minimise
from model.geometry.plane import Plane
from model.geometry.riemannian_metric import EMPTINESS, FIT_PIECES, Metric, fit_metric
from model.vae.autoencoder import Autoencoder

CONTROLS, SAMPLES, FINE = 16, 32, 256
"""Inner points of the spline, and steps by which its energy and its length are taken."""
EVALUATIONS = 20
"""Of the spline's energy and its gradient."""
DECODED, DIFFERENTIATED = 32, 16
"""Steps of a path whose lengths, and whose energy's gradient, are taken in one piece."""
SEARCH_PIECES = (
    3 * (FINE // DECODED) + EVALUATIONS * (SAMPLES // DIFFERENTIATED) + grid_graph.SEARCH_PIECES + 3
)
"""Of `find_geodesic`, as a rule."""


class Prepared(NamedTuple):
    """What all geodesics of a model share."""

    metric: Metric
    graph: GridGraph | None
    """Of the plane of a 2-D model."""


class Geodesics:
    """All geodesics of a model; what they share is computed when the first is asked for.

    Args:
        autoencoder: Its latents are vectors.
        codes: Codes of the test images.
        plane: The model's first plane.
        emptiness: As in `fit_metric`.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        codes: Float[np.ndarray, "codes latent"],
        plane: Plane,
        *,
        emptiness: float = EMPTINESS,
    ) -> None:
        whole = plane if codes.shape[1] == 2 else None
        self._preparation = Computation(partial(_prepare, autoencoder, codes, whole, emptiness))
        self._preparation_pieces = FIT_PIECES + (GRAPH_PIECES if whole else 0) + 1

    def pieces(
        self, start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"], steps: int
    ) -> list[Callable[[], LatentPath | None]]:
        """Return what to call in order; the last returns the geodesic in `steps` points."""
        search = Computation(partial(_search, self._preparation, start, end, steps))
        return search.calls(self._pieces_left + SEARCH_PIECES)

    def distances(
        self, start: Float[np.ndarray, " latent"]
    ) -> list[Callable[[], Float[np.ndarray, "cells cells"] | None]]:
        """Return what to call in order; the last returns how far every cell of a plane is.

        The model has two dimensions. The distances are None from off the plane.
        """
        search = Computation(partial(_measure, self._preparation, start))
        return search.calls(self._pieces_left + grid_graph.SEARCH_PIECES + 1)

    @property
    def _pieces_left(self) -> int:
        return 0 if self._preparation.is_done else self._preparation_pieces


def _prepare(
    autoencoder: Autoencoder,
    codes: Float[np.ndarray, "codes latent"],
    plane: Plane | None,
    emptiness: float,
) -> Pieces[Prepared]:
    metric = yield from fit_metric(autoencoder, codes, emptiness)
    graph = None if plane is None else (yield from build_grid_graph(plane, metric))
    return Prepared(metric, graph)


def _shared(preparation: Computation[Prepared]) -> Pieces[Prepared]:
    """Advance a preparation that other computations advance too."""
    while (prepared := preparation.advance()) is None:
        yield
    return prepared


def _measure(
    preparation: Computation[Prepared], start: Float[np.ndarray, " latent"]
) -> Pieces[Float[np.ndarray, "cells cells"] | None]:
    _, graph = yield from _shared(preparation)
    assert graph, "a model with more than two dimensions has no graph"
    yield
    return (yield from graph.distances(start))


def _search(
    preparation: Computation[Prepared],
    start: Float[np.ndarray, " latent"],
    end: Float[np.ndarray, " latent"],
    steps: int,
) -> Pieces[LatentPath]:
    prepared = yield from _shared(preparation)
    yield
    return (yield from find_geodesic(prepared, start, end, steps))


def find_geodesic(
    prepared: Prepared,
    start: Float[np.ndarray, " latent"],
    end: Float[np.ndarray, " latent"],
    steps: int,
) -> Pieces[LatentPath]:
    """Shorten the shortest path known without searching; return the shortest of all seen.

    A metric without a gradient is not shortened in: then a spline near that path is seen besides.

    The points of the result lie at equal distances in the metric, so that each step changes as
    much.
    """
    metric, graph = prepared
    candidates = [torch.from_numpy(linear_path(start, end, FINE + 1).latents)]
    lengths = [(yield from _lengths(metric, candidates[0]))]
    straight_length = lengths[0].sum().item()
    other = yield from _detour(graph, start, end)
    yield
    if other is not None:
        candidates.append(other)
        lengths.append((yield from _lengths(metric, other)))
    inner = np.linspace(0, FINE, CONTROLS + 2).round().astype(int)[1:-1]
    control_SD = _shortest(candidates, lengths)[0][inner].to(metric.device)
    ends_2D = torch.from_numpy(np.stack([start, end])).to(control_SD)
    if metric.has_gradient:
        control_SD = yield from minimise(partial(_energy, metric, ends_2D), control_SD, EVALUATIONS)
    candidates.append(_spline(ends_2D, control_SD, FINE).cpu())
    lengths.append((yield from _lengths(metric, candidates[-1])))

    best_KD, length_K = _shortest(candidates, lengths)
    if not length_K.any():  # the ends are equal, or nothing changes between them
        straight = linear_path(start, end, steps)
        return LatentPath(straight.latents, 0 * straight.step_lengths, metric.name, 0.0)
    latents = _resampled(best_KD.numpy(), length_K.double().numpy(), steps)
    latents[0], latents[-1] = start, end
    step_lengths = np.full(steps - 1, length_K.double().sum() / (steps - 1), np.float32)
    return LatentPath(latents, step_lengths, metric.name, straight_length)


def _detour(
    graph: GridGraph | None, start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"]
) -> Pieces[Float[Tensor, "points latent"] | None]:
    """Return another path than the straight one that may be shorter, if there is one."""
    other: Float[np.ndarray, "points latent"] | None
    if graph:
        other = yield from graph.shortest_path(start, end)
    else:
        other = spherical_path(start, end, FINE + 1).latents
    if other is None:
        return None
    lengths = np.linalg.norm(np.diff(other, axis=0), axis=1)
    return torch.from_numpy(_resampled(other, lengths, FINE + 1))


def _shortest(candidates: list[Tensor], lengths: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the shortest path and the lengths of its steps; the first of equally short ones."""
    place = min(range(len(lengths)), key=lambda i: lengths[i].sum().item())
    return candidates[place], lengths[place]


def _lengths(
    metric: Metric, path_KD: Float[Tensor, "points latent"]
) -> Pieces[Float[Tensor, " points-1"]]:
    parts = []
    for start in range(0, len(path_KD) - 1, DECODED):
        part_KD = path_KD[start : start + DECODED + 1].to(metric.device)
        with torch.no_grad():
            parts.append(metric.squared_lengths(part_KD).sqrt().cpu())
        yield
    return torch.cat(parts)


def _energy(
    metric: Metric, ends_2D: Tensor, control_SD: Float[Tensor, "controls latent"]
) -> Pieces[tuple[float, Float[Tensor, "controls latent"]]]:
    """Return the spline's energy, which is least on the geodesic, and its gradient.

    The energy is a sum over steps, so its gradient in the points is taken a few steps at a time.
    """
    path_KD = _spline(ends_2D, control_SD, SAMPLES)
    slope_KD = torch.zeros_like(path_KD)
    energy = 0.0
    for start in range(0, SAMPLES, DIFFERENTIATED):
        few = slice(start, start + DIFFERENTIATED + 1)
        with torch.enable_grad():
            part_KD = path_KD[few].clone().requires_grad_(True)
            total = SAMPLES * metric.squared_lengths(part_KD).sum()
            (slope,) = torch.autograd.grad(total, part_KD)
        slope_KD[few] += slope
        energy += total.item()
        yield
    return energy, (_spline_basis(SAMPLES).to(slope_KD).T @ slope_KD)[1:-1]


def _spline(
    ends_2D: Float[Tensor, "2 latent"], control_SD: Float[Tensor, "controls latent"], samples: int
) -> Float[Tensor, "samples+1 latent"]:
    """Return the natural cubic spline through both ends and the control points."""
    knots = torch.cat([ends_2D[:1], control_SD, ends_2D[1:]])
    return _spline_basis(samples).to(control_SD) @ knots


@cache
def _spline_basis(samples: int) -> Float[Tensor, "samples+1 knots"]:
    """Return what each knot contributes to each point of a natural cubic spline.

    The knots and the points lie at equal distances. The second derivatives m at the knots solve
    m[i-1] + 4 m[i] + m[i+1] = 6 (y[i-1] - 2 y[i] + y[i+1]), and are 0 at both ends.

    Source: de Boor 1978, "A Practical Guide to Splines", chapter IV.
    """
    last = CONTROLS + 1
    second = np.diff(np.eye(last + 1), n=2, axis=0)
    bands = 4 * np.eye(last - 1) + np.eye(last - 1, k=1) + np.eye(last - 1, k=-1)
    m = np.zeros((last + 1, last + 1))
    m[1:-1] = np.linalg.solve(bands, 6 * second)
    place_K = np.linspace(0, last, samples + 1)
    left_K = np.minimum(place_K.astype(int), last - 1)
    b_K1 = (place_K - left_K)[:, None]
    a_K1 = 1 - b_K1
    y = np.eye(last + 1)
    curve = (a_K1**3 - a_K1) * m[left_K] + (b_K1**3 - b_K1) * m[left_K + 1]
    return torch.from_numpy(a_K1 * y[left_K] + b_K1 * y[left_K + 1] + curve / 6)


def _resampled(
    path_KD: Float[np.ndarray, "points latent"],
    lengths_K: Float[np.ndarray, " points-1"],
    count: int,
) -> Float[np.ndarray, "count latent"]:
    """Return points at equal distances along a path whose steps have these lengths."""
    along_K = np.concatenate([[0.0], np.cumsum(lengths_K, dtype=np.float64)])
    wanted = np.linspace(0, along_K[-1], count)
    columns = [np.interp(wanted, along_K, column) for column in path_KD.T]
    return np.stack(columns, axis=1).astype(np.float32)
