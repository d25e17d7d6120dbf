"""The metric in which geodesics are shortest: how far apart two latents look.

Shapes: K points of a path, N codes, D latent dimensions, P pixels.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.geometry.computation import Pieces
from model.inference.imported import ImportedDecoder
from model.vae.autoencoder import Autoencoder

NEIGHBOURS = 10
"""The width of the density's kernel is a typical distance to the 10th nearest code."""
CODES = 1000
STRAYS = 0.1
"""Share of the codes that may lie where latent space counts as empty."""
EMPTINESS = 1.0
"""What a nat of emptiness costs, in units of the decoder's typical speed."""
STEP = 1e-2
"""Distance, in kernel widths, of two latents whose images show the decoder's speed."""
SPEED_CODES = 500
"""Codes at which the decoder's speed is measured."""
MOST_BY_DIFFERENCES = 2
"""Dimensions in which a decoder from elsewhere is differentiated; each costs two decodes."""
ROWS, SPEEDS = 200, 16
"""Codes whose distances to all others, and whose speeds, are computed in one piece."""
FIT_PIECES = 2 * math.ceil(CODES / ROWS) + math.ceil(SPEED_CODES / SPEEDS)
"""At most, of `fit_metric`."""


class Metric:
    """ds^2 = |d phi|^2 + emptiness(z) |dz|^2.

    The first term is the Fisher-Rao metric of the decoder, in the coordinates phi of its
    likelihood where that is plain distance: how much the image changes. A decoder changes little
    where it has learned nothing, so by this term alone holes would be short cuts. The second term
    makes them long: emptiness is the decoder's typical speed squared, once for each nat by which
    the codes are less dense at z than at nine tenths of themselves.

    Args:
        autoencoder: Its latents are vectors; on any device.
        code_ND: Codes of many images, on the same device.
        width: Width of the kernel of their density.
        reference_density: Logarithm of the density below which latent space counts as empty.
        price: What a nat of emptiness costs a squared latent unit.

    Attributes:
        name: What the API calls it.
        has_gradient: Whether its gradient in the points costs little more than itself.

    Source: Arvanitidis et al. 2018, arXiv:1710.11379 (the metric of a decoder), 2021,
    arXiv:2103.05290 (one of a density) and 2021, arXiv:2106.05367 (Fisher-Rao for the pixels).
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        code_ND: Float[Tensor, "codes latent"],
        *,
        width: Float[Tensor, ""],
        reference_density: Float[Tensor, ""],
        price: Float[Tensor, ""],
    ) -> None:
        self.device = code_ND.device
        self._autoencoder, self._code_ND, self._width = autoencoder, code_ND, width
        self._reference_density, self._price = reference_density, price
        self.name = "fisher-rao+density" if price > 0 else "fisher-rao"
        foreign = isinstance(autoencoder.decoder, ImportedDecoder)
        self.has_gradient = not foreign or code_ND.shape[1] <= MOST_BY_DIFFERENCES

    def squared_lengths(self, z_KD: Float[Tensor, "points latent"]) -> Float[Tensor, " points-1"]:
        """Return ds^2 of each short step; differentiable in the points."""
        phi_KP = self.embed(z_KD)
        step_KD = z_KD.diff(dim=0)
        middle_KD = z_KD[:-1] + step_KD / 2
        seen_K = phi_KP.diff(dim=0).square().sum(-1)
        return seen_K + self.emptiness(middle_KD) * step_KD.square().sum(-1)

    def embed(self, z_KD: Float[Tensor, "points latent"]) -> Float[Tensor, "points pixels"]:
        """Return phi: the pixels of each latent's image, in Fisher-Rao coordinates."""
        return self._autoencoder.embed(z_KD)

    def emptiness(self, z_KD: Float[Tensor, "points latent"]) -> Float[Tensor, " points"]:
        """Return what a squared latent unit costs besides the change seen; 0 among dense codes."""
        log_density_K = _log_density(z_KD, self._code_ND, self._width)
        return self._price * (self._reference_density - log_density_K).clamp_min(0)


@torch.no_grad()
def fit_metric(
    autoencoder: Autoencoder,
    codes: Float[np.ndarray, "codes latent"],
    emptiness: float = EMPTINESS,
) -> Pieces[Metric]:
    """Fit the metric of a decoder to codes, the first 1,000 of which stand for all.

    `emptiness` is what a nat of it costs, in units of the decoder's typical speed; at 0 the metric
    is how much the image changes, and no more.
    """
    device = autoencoder.device
    code_ND = torch.from_numpy(codes[:CODES].copy()).to(device)
    place = min(NEIGHBOURS + 1, len(code_ND))  # the nearest code of all is the code itself
    parts = []
    for part_RD in torch.split(code_ND, ROWS):
        parts.append(torch.cdist(part_RD, code_ND).kthvalue(place, dim=1).values)
        yield
    width = torch.cat(parts).median()
    parts = []
    for part_RD in torch.split(code_ND, ROWS):
        parts.append(_log_density(part_RD, code_ND, width))
        yield
    reference_density = torch.cat(parts).quantile(STRAYS)
    parts = []
    for part_RD in torch.split(code_ND[:SPEED_CODES], SPEEDS):
        parts.append(_squared_speed(autoencoder, part_RD, width))
        yield
    price = emptiness * torch.cat(parts).median()
    return Metric(
        autoencoder, code_ND, width=width, reference_density=reference_density, price=price
    )


def _log_density(
    z_KD: Float[Tensor, "points latent"],
    code_ND: Float[Tensor, "codes latent"],
    width: Float[Tensor, ""],
) -> Float[Tensor, " points"]:
    """Log-density of the codes, each a Gaussian as wide as the kernel; up to a constant."""
    double_square = 2 * width.square().clamp_min(1e-12)
    # The parts of |z - code|^2 that are not |z|^2; torch.cdist takes four times as long.
    rest_KN = torch.addmm(code_ND.square().sum(-1), z_KD, code_ND.T, alpha=-2)
    square_K = z_KD.square().sum(-1)
    return (-rest_KN / double_square).logsumexp(-1) - square_K / double_square


def _squared_speed(
    autoencoder: Autoencoder, z_KD: Float[Tensor, "points latent"], width: Float[Tensor, ""]
) -> Float[Tensor, " points"]:
    """Return |d phi / dz|^2 at latents, the mean over two directions."""
    step = STEP * width.clamp_min(1e-6)
    moves_3D = torch.zeros(3, z_KD.shape[1], device=z_KD.device)
    moves_3D[1, 0] = moves_3D[2, 1] = step
    phi_3KP = autoencoder.embed((z_KD + moves_3D[:, None]).flatten(0, 1)).view(3, len(z_KD), -1)
    return ((phi_3KP[1:] - phi_3KP[0]) / step).square().sum(-1).mean(0)
