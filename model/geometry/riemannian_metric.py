"""How far apart two latents look: the metric in which geodesics are shortest.

Shapes: K points of a path, N codes, D latent dimensions, P pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.vae.autoencoder import Autoencoder

NEIGHBOURS = 10
"""The width of the density's kernel is a typical distance to the 10th nearest code."""
CODES = 1000
STRAYS = 0.1
"""Share of the codes that may lie where it counts as empty."""
EMPTINESS = 1.0
"""How much a nat of emptiness costs, in units of the decoder's typical speed."""
NUDGE = 1e-2
"""In kernel widths: how far apart two latents lie whose images give the decoder's speed."""


class Metric:
    """ds^2 = |d phi|^2 + emptiness(z) |dz|^2.

    The first term is the Fisher-Rao metric of the decoder, in the coordinates phi of its
    likelihood where that is plain distance: how much the image changes. A decoder changes little
    where it has learned nothing, so by this alone holes would be short cuts. The second term makes
    them long: emptiness is the decoder's typical speed squared, once for each nat by which the
    codes are less dense at z than at nine tenths of themselves.

    Args:
        autoencoder: Of vectors; on any device.
        codes: Of many images; the first 1,000 stand for all.

    Source: Arvanitidis et al. 2018, arXiv:1710.11379 (the metric of a decoder), 2021,
    arXiv:2103.05290 (one of a density) and 2021, arXiv:2106.05367 (Fisher-Rao for the pixels).
    """

    name = "fisher-rao+density"

    @torch.no_grad()
    def __init__(self, autoencoder: Autoencoder, codes: Float[np.ndarray, "codes latent"]) -> None:
        self._autoencoder = autoencoder
        self.device = next(autoencoder.parameters()).device
        self._code_ND = torch.from_numpy(codes[:CODES].copy()).to(self.device)
        distance_NN = torch.cdist(self._code_ND, self._code_ND)
        width = distance_NN.kthvalue(min(NEIGHBOURS + 1, len(distance_NN)), dim=1).values.median()
        self._double_square = 2 * width.square().clamp_min(1e-12)
        self._home = self._log_density(self._code_ND).quantile(STRAYS)
        self._price = EMPTINESS * self._speed_squared(width).median()

    def squared_lengths(self, z_KD: Float[Tensor, "points latent"]) -> Float[Tensor, " points-1"]:
        """ds^2 of each short step; differentiable in the points."""
        phi_KP = self.embed(z_KD)
        step_KD = z_KD.diff(dim=0)
        middle_KD = z_KD[:-1] + step_KD / 2
        seen_K = phi_KP.diff(dim=0).square().sum(-1)
        return seen_K + self.emptiness(middle_KD) * step_KD.square().sum(-1)

    def embed(self, z_KD: Float[Tensor, "points latent"]) -> Float[Tensor, "points pixels"]:
        """phi: the pixels of each latent's image, in Fisher-Rao coordinates."""
        return self._autoencoder.likelihood.embed(self._autoencoder.decode(z_KD))

    def emptiness(self, z_KD: Float[Tensor, "points latent"]) -> Float[Tensor, " points"]:
        """What a squared unit of way costs besides what is seen of it; 0 among dense codes."""
        return self._price * (self._home - self._log_density(z_KD)).clamp_min(0)

    def _log_density(self, z_KD: Float[Tensor, "points latent"]) -> Float[Tensor, " points"]:
        """Of the codes, each a Gaussian as wide as the kernel; up to a constant."""
        codes_ND = self._code_ND
        # The parts of |z - code|^2 that are not |z|^2; torch.cdist takes four times as long.
        rest_KN = torch.addmm(codes_ND.square().sum(-1), z_KD, codes_ND.T, alpha=-2)
        square_K = z_KD.square().sum(-1)
        return (-rest_KN / self._double_square).logsumexp(-1) - square_K / self._double_square

    def _speed_squared(self, width: Float[Tensor, ""]) -> Float[Tensor, " some"]:
        """|d phi / dz|^2 at codes, the mean over two directions."""
        z_KD = self._code_ND[:500]
        nudge = NUDGE * width.clamp_min(1e-6)
        phi_KP = self.embed(z_KD)
        total_K = torch.zeros(len(z_KD), device=self.device)
        for axis_D in torch.eye(z_KD.shape[1], device=self.device)[:2]:
            moved_KP = self.embed(z_KD + nudge * axis_D)
            total_K += ((moved_KP - phi_KP) / nudge).square().sum(-1)
        return total_K / 2
