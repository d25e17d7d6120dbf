"""Continuity: near places of latent space decode to near images.

No measure changes when latent space is moved, turned or stretched, because lengths in it are in
standard deviations of the codes. So an autoencoder, whose units mean nothing, compares with a VAE.

Shapes: N latents, B of them at a time, P pixels, D latent dimensions, R in which codes vary,
L lines, S points on each.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from model.data.datasets import LabelledImages
from model.evaluation.classifier import RECOGNISED, Classifier
from model.evaluation.space import (
    Gaussian,
    encode,
    fit_gaussian,
    intensities,
    mean_images,
    standard_normal,
)
from model.vae.autoencoder import Autoencoder

POINTS = 2000
LINES = 500
POINTS_ON_A_LINE = 65
SAME_IMAGE = 0.1
"""Distance of two images, in the norm of their pixels, below which they count as equal."""
CHUNK = 100
SEED = 0


def measure_continuity(
    autoencoder: Autoencoder, examples: LabelledImages, classifier: Classifier
) -> dict[str, Any]:
    """Measure how fast images change in latent space, and how direct the paths between them are.

    Returns:
        `lipschitz_median`, `lipschitz_p95`, `lipschitz_max` of `local_lipschitz`;
        `path_length_ratio` and `label_flips`, means over the lines, the ratio None where no line
        leads from one image to another; `recognised_on_lines`, a share of the points on them.
    """
    code_ND = encode(autoencoder, intensities(examples.images))
    spread = fit_gaussian(code_ND)
    lipschitz_N = local_lipschitz(
        autoencoder, spread, standard_normal(POINTS, spread.rank, SEED)
    ).double()
    labels = torch.from_numpy(examples.labels.copy())
    image_LSP = mean_images(autoencoder, _lines(code_ND, labels)).view(LINES, POINTS_ON_A_LINE, -1)
    ratio_L = path_length_ratios(image_LSP)
    confidence_K, answer_K = classifier.probabilities(image_LSP.flatten(0, 1)).max(-1)
    flips_L = needless_flips(answer_K.view(LINES, POINTS_ON_A_LINE))
    return {
        "lipschitz_median": round(lipschitz_N.median().item(), 3),
        "lipschitz_p95": round(lipschitz_N.quantile(0.95).item(), 3),
        "lipschitz_max": round(lipschitz_N.max().item(), 3),
        "path_length_ratio": round(ratio_L.mean().item(), 3) if len(ratio_L) else None,
        "label_flips": round(flips_L.double().mean().item(), 3),
        "recognised_on_lines": round((confidence_K >= RECOGNISED).double().mean().item(), 4),
        "protocol": (
            f"Lipschitz: greatest singular value of the mean image's derivative, pixel norm per "
            f"standard deviation of the test codes, at {POINTS:,} draws from the Gaussian fitted "
            f"to them; lines: {len(image_LSP)} straight ones between random test codes of "
            f"different classes, {POINTS_ON_A_LINE} points each; flips: changes of the "
            f"classifier's answer beyond the one that the two ends make necessary; "
            f"recognised: confidence at least {RECOGNISED}; "
            f"path-length ratio: over the {len(ratio_L)} lines whose decoded ends are more than "
            f"{SAME_IMAGE} apart; seed {SEED}"
        ),
    }


@torch.no_grad()
def local_lipschitz(
    autoencoder: Autoencoder, spread: Gaussian, u_NR: Float[Tensor, "count rank"]
) -> Float[Tensor, " count"]:
    """Return the most by which the mean image moves per step of u, over all directions.

    It is the greatest singular value of J = d mean / d u in the Euclidean norm of the pixels, exact
    by forward differentiation along each axis. Its greatest value over a region is the region's
    Lipschitz constant; J'J is the metric that images induce on latent space.

    Source: Arvanitidis et al. 2018, arXiv:1710.11379, section 2 (the metric).
    """
    device = autoencoder.device

    def mean(z_BD: Tensor) -> Tensor:
        return autoencoder.likelihood.mean(autoencoder.decode(z_BD))

    norms = []
    for part_BR in torch.split(u_NR, CHUNK):
        z_BD = spread.place(part_BR).float().to(device)
        axes = [axis_D.float().to(device).expand_as(z_BD) for axis_D in spread.scale_DR.T]
        with warnings.catch_warnings():
            # The first call makes PyTorch load its decompositions in a deprecated way.
            warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")
            slopes = [torch.func.jvp(mean, (z_BD,), (axis_BD,))[1] for axis_BD in axes]
        slope_BRP = torch.stack(slopes, dim=1).double()
        greatest_B = torch.linalg.eigvalsh(slope_BRP @ slope_BRP.mT)[:, -1]
        norms.append(greatest_B.clamp(min=0).sqrt().cpu())
    return torch.cat(norms)


def path_length_ratios(
    image_LSP: Float[Tensor, "lines points pixels"],
) -> Float[Tensor, " kept"]:
    """Return each decoded path's length divided by the distance of its ends, at least 1.

    A plain fade has the ratio 1. Paths whose ends are the same image are left out.
    """
    length_L = image_LSP.diff(dim=1).norm(dim=-1).sum(1)
    ends_L = (image_LSP[:, -1] - image_LSP[:, 0]).norm(dim=-1)
    kept_L = ends_L > SAME_IMAGE
    ratio_K: Tensor = length_L[kept_L] / ends_L[kept_L]
    return ratio_K.double()


def needless_flips(answer_LS: Int[Tensor, "lines points"]) -> Int[Tensor, " lines"]:
    """Count changes of the answer along each line, less the one that differing ends need."""
    changes_L = (answer_LS.diff(dim=1) != 0).sum(1)
    return changes_L - (answer_LS[:, 0] != answer_LS[:, -1]).long()


def _lines(
    code_ND: Float[Tensor, "count latent"], label_N: Int[Tensor, " count"]
) -> Float[Tensor, "lines_points latent"]:
    """Return equal steps along straight lines between random codes of different classes."""
    rng = torch.Generator().manual_seed(SEED)
    pairs_2K = torch.randint(len(code_ND), (2, 3 * LINES), generator=rng)
    differ_K = label_N[pairs_2K[0]] != label_N[pairs_2K[1]]
    start_L, end_L = pairs_2K[:, differ_K][:, :LINES]
    share_S1 = torch.linspace(0, 1, POINTS_ON_A_LINE, dtype=code_ND.dtype)[:, None]
    line_LSD = torch.lerp(code_ND[start_L, None], code_ND[end_L, None], share_S1)
    return line_LSD.flatten(0, 1)
