"""Fields: one number for every cell of a plane, on the extent of its tiles.

Each is computed piece by piece, so that a request that comes meanwhile waits for one piece at most.

Shapes: G points of the plane, K nearest codes, N codes, D latent dimensions, P pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from model.geometry.computation import Pieces
from model.geometry.density import Mixture, smoothed
from model.geometry.plane import Plane
from model.vae.autoencoder import Autoencoder

FIELD_CELLS = 128
"""Cells on a side of a field: four for each image of a map at zoom 2."""
STEP = 0.002
"""Latent units to either side, for a derivative. The sharpest border in a shipped model is a few
times as wide, and rounding adds less than a thousandth."""
NEAREST = 15
"""Codes that vote on the label of a cell; as many as in the measures of a card."""
DEEPEST = 1e-6
"""Share of the greatest value; on a logarithmic scale, smaller values are shown as this."""
DECODES = 32
"""Latents that are decoded in one piece."""
FAINTEST_MAGNIFICATION = 1e-3
"""Smaller derivatives are rounding errors."""

Values = Float[np.ndarray, " points"]


@dataclass(frozen=True)
class Field:
    """Levels to show, and how to read them.

    With `t` a level's share of the greatest possible level, the value is low + (high - low) t on
    the scale `linear`, low (high / low)^t on `log`, and the level itself on `index`.
    """

    levels: np.ndarray
    """128 x 128, uint16, or uint8 for an index; the top row first."""
    low: float
    high: float
    unit: str
    scale: str


def entropy(autoencoder: Autoencoder, plane: Plane) -> Pieces[Field]:
    """Compute how blurred the images are: the entropy of a pixel that is ink with its mean's odds.

    For Bernoulli pixels it is the entropy of p(x|z), in nats per pixel. Continuous pixels have no
    such entropy; for them it is the same measure of grey, 0 for ink and paper and ln 2 for middle
    grey.
    """

    @torch.inference_mode()
    def at(points: Float[np.ndarray, "points 2"]) -> Values:
        mean_GP = _mean(autoencoder, plane.lift(points))
        return np.asarray(bernoulli_entropy(mean_GP).mean(-1).double().numpy())

    values_G = yield from _everywhere(at, plane, DECODES)
    return _linear(values_G, "nats per pixel")


def magnification(autoencoder: Autoencoder, plane: Plane) -> Pieces[Field]:
    """Compute sqrt det J'J, with J the derivative of the mean image with respect to (u, v).

    It is how much the image changes per squared unit. J is taken by central differences, which cost
    a third of forward-mode derivatives here.

    Source: Bishop, Svensen & Williams 1997, "Magnification factors for the SOM and GTM algorithms".
    """

    @torch.inference_mode()
    def at(points: Float[np.ndarray, "points 2"]) -> Values:
        moves_42 = STEP * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        around = (points + moves_42[:, None]).reshape(-1, 2)
        mean_4GP = _mean(autoencoder, plane.lift(around)).double().view(4, len(points), -1)
        along_u_GP = (mean_4GP[0] - mean_4GP[1]) / (2 * STEP)
        along_v_GP = (mean_4GP[2] - mean_4GP[3]) / (2 * STEP)
        uu_G, vv_G = along_u_GP.square().sum(-1), along_v_GP.square().sum(-1)
        det_G = uu_G * vv_G - (along_u_GP * along_v_GP).sum(-1).square()
        return np.asarray(det_G.clamp_min(0).sqrt().numpy())

    values_G = yield from _everywhere(at, plane, DECODES // 4)
    return _logarithmic(values_G, "per squared unit", FAINTEST_MAGNIFICATION)


def label(
    codes: Float[np.ndarray, "codes latent"], labels: UInt8[np.ndarray, " codes"], plane: Plane
) -> Pieces[Field]:
    """Compute the most frequent label among the 15 nearest codes, the smallest of equal ones.

    They are the nearest in all of latent space, not in the plane.
    """
    code_ND = torch.from_numpy(codes - plane.origin.astype(np.float32))
    square_N = code_ND.square().sum(-1)
    label_N = torch.from_numpy(labels.astype(np.int64))

    @torch.inference_mode()
    def at(points: Float[np.ndarray, "points 2"]) -> Values:
        z_GD = torch.from_numpy((points @ plane.axes).astype(np.float32))
        apart_GN = torch.addmm(square_N, z_GD, code_ND.T, alpha=-2)
        near_GK = apart_GN.topk(min(NEAREST, len(codes)), dim=1, largest=False).indices
        votes_GL = torch.nn.functional.one_hot(label_N[near_GK], int(labels.max()) + 1).sum(1)
        return np.asarray(votes_GL.argmax(1).double().numpy())

    values_G = yield from _everywhere(at, plane, 32)
    levels = values_G.astype(np.uint8).reshape(FIELD_CELLS, FIELD_CELLS)
    return Field(levels, 0.0, float(labels.max()), "label", "index")


def density(
    codes: Float[np.ndarray, "codes latent"],
    covariances: Iterator[Float[np.ndarray, "some 2 2"]] | None,
    plane: Plane,
) -> Pieces[Field]:
    """Compute the aggregate posterior q(z), projected onto the plane, per squared unit.

    Args:
        codes: The means of the posteriors.
        covariances: Covariances of the posteriors on the plane, a few at a time; None if the codes
            are points.
        plane: The plane onto which they are projected.
    """
    spread_N22 = None
    if covariances is not None:
        parts = []
        for part in covariances:
            parts.append(part)
            yield
        spread_N22 = np.concatenate(parts)
    (u0, _), (u1, _) = plane.extent
    spread_N22 = smoothed(spread_N22, len(codes), (u1 - u0) / FIELD_CELLS)
    mixture = Mixture(plane.project(codes), spread_N22)
    yield
    values_G = yield from _everywhere(mixture.density, plane, 32)
    return shown_density(values_G)


def known_density(
    density: Float[np.ndarray, "rows columns"], known: Plane, plane: Plane
) -> Pieces[Field]:
    """Resample a density from one plane to another of the same 2-D space.

    Between the cells of `known` it is interpolated linearly; outside them it is 0.
    """
    (u0, v0), (u1, v1) = known.extent
    rows, columns = density.shape
    turn_22 = plane.axes @ known.axes.T
    points_G2 = known.project(plane.origin[None]) + plane.grid(FIELD_CELLS) @ turn_22
    column_G = (points_G2[:, 0] - u0) / (u1 - u0) * columns - 0.5
    row_G = (v1 - points_G2[:, 1]) / (v1 - v0) * rows - 0.5
    padded = np.pad(density.astype(np.float64), 1)
    yield
    values_G = np.zeros(len(points_G2))
    left_G, top_G = np.floor(column_G).astype(int), np.floor(row_G).astype(int)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share_G = (1 - np.abs(column_G - left_G - column)) * (1 - np.abs(row_G - top_G - row))
        at_row_G = np.clip(top_G + row + 1, 0, rows + 1)
        at_column_G = np.clip(left_G + column + 1, 0, columns + 1)
        values_G += share_G * padded[at_row_G, at_column_G]
    return shown_density(values_G)


def shown_density(values_G: Values) -> Field:
    """Return a density on its logarithmic scale."""
    return _logarithmic(values_G, "per squared unit", 0.0)


def bernoulli_entropy(p: Tensor) -> Tensor:
    """Return -p ln p - (1 - p) ln(1 - p), in nats; 0 at both ends."""
    entropy: Tensor = torch.special.entr(p) + torch.special.entr(1 - p)
    return entropy


def _everywhere(
    at: Callable[[Float[np.ndarray, "points 2"]], Values], plane: Plane, points: int
) -> Pieces[Values]:
    points_G2 = plane.grid(FIELD_CELLS)
    values = []
    for start in range(0, len(points_G2), points):
        values.append(at(points_G2[start : start + points]))
        yield
    return np.concatenate(values)


def _mean(autoencoder: Autoencoder, latents: Float[np.ndarray, "points latent"]) -> Tensor:
    device = autoencoder.device
    z_GD = torch.from_numpy(latents.astype(np.float32)).to(device)
    return autoencoder.likelihood.mean(autoencoder.decode(z_GD)).cpu()


def _linear(values_G: Values, unit: str) -> Field:
    high = float(values_G.max())
    return Field(_levels(values_G / high if high else values_G), 0.0, high, unit, "linear")


def _logarithmic(values_G: Values, unit: str, faintest: float) -> Field:
    high = max(float(values_G.max()), faintest, 1e-300)
    low = max(float(values_G.min()), DEEPEST * high, faintest)
    span = math.log(high / low)
    share_G = np.log(np.maximum(values_G, low) / low) / span if span else np.zeros_like(values_G)
    return Field(_levels(share_G), low, high, unit, "log")


def _levels(share_G: Values) -> np.ndarray:
    levels_G = np.floor(65535 * share_G.clip(0, 1) + 0.5).astype(np.uint16)
    return levels_G.reshape(FIELD_CELLS, FIELD_CELLS)
