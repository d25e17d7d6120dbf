"""The training examples of a classifier, which teach it to doubt unclear images.

The classifier judges decoded images. Besides moved, blurred and paler images it learns blends of
two, whose answer is both in their shares, and shuffled images and noise, whose answer is uniform.

Shapes: B batch, C classes, H rows, W columns; M blends and S nonsense images among the batch;
K pieces of Q pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from model.evaluation.classifier import CLASSES
from model.image_shape import MNIST_SHAPE

BLENDED = 0.4
NONSENSE = 0.12
"""Shares of a batch; the rest stays unchanged. Half of the nonsense is shuffled, half is noise."""
PIECE = 7
"""Side of a shuffled piece in pixels; an image has sixteen."""


def distort(
    image_BHW: Float[Tensor, "batch height width"],
    rng: torch.Generator,
    *,
    motion: float,
    mirror: bool,
) -> Float[Tensor, "batch height width"]:
    """Move, turn, scale, blur and fade each image a little.

    Args:
        image_BHW: Intensities in [0, 1].
        rng: The source of randomness.
        motion: 1 allows 2 pixels, 0.2 radians and a tenth of the size; others are in proportion.
        mirror: Whether to mirror half of the images.
    """
    B = len(image_BHW)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(B, generator=rng)

    turn_B, scale_B = motion * uniform(-0.2, 0.2), 1 + motion * uniform(-0.1, 0.1)
    flip_B = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0) if mirror else torch.ones(B)
    cos_B, sin_B = turn_B.cos() * scale_B, turn_B.sin() * scale_B
    shift = motion * 2 * 2 / MNIST_SHAPE.width  # two pixels; grid coordinates run from -1 to 1
    rows = [cos_B * flip_B, -sin_B, uniform(-shift, shift)]
    rows += [sin_B * flip_B, cos_B, uniform(-shift, shift)]
    grid = F.affine_grid(torch.stack(rows, 1).view(B, 2, 3), [B, 1, *MNIST_SHAPE.axes], False)
    moved_B1HW = F.grid_sample(image_BHW[:, None], grid, align_corners=False)
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    soft_B1HW = F.conv2d(moved_B1HW, kernel.view(1, 1, 1, 5), padding=(0, 2))
    soft_B1HW = F.conv2d(soft_B1HW, kernel.view(1, 1, 5, 1), padding=(2, 0))
    share_B111 = uniform(-1, 1).clamp(min=0).view(B, 1, 1, 1)
    fade_B111 = uniform(0.6, 1.2).clamp(max=1).view(B, 1, 1, 1)
    return (fade_B111 * torch.lerp(moved_B1HW, soft_B1HW, share_B111))[:, 0]


def shuffle_pieces(image_BHW: Tensor, rng: torch.Generator) -> Tensor:
    """Cut each image into sixteen squares, shuffle them and fade the image."""
    B, cells = len(image_BHW), MNIST_SHAPE.width // PIECE
    piece_BKQ = F.unfold(image_BHW[:, None], PIECE, stride=PIECE).mT
    order_BK = torch.rand(B, cells**2, generator=rng).argsort(1)
    mixed_BKQ = piece_BKQ.gather(1, order_BK[:, :, None].expand_as(piece_BKQ))
    fade_B11 = torch.rand(B, 1, 1, generator=rng)
    return fade_B11 * F.fold(mixed_BKQ.mT, MNIST_SHAPE.axes, PIECE, stride=PIECE)[:, 0]


def noise(count: int, rng: torch.Generator) -> Float[Tensor, "count height width"]:
    """Return noise of 1, 2 and 4 pixels, a third each, from plain grey to black and white."""
    images = []
    for part, grain in zip(torch.tensor_split(torch.arange(count), 3), (1, 2, 4), strict=True):
        shape = (len(part), 1, *(side // grain for side in MNIST_SHAPE.axes))
        coarse_B1HW = torch.randn(shape, generator=rng)
        contrast_B111 = 2 * torch.rand(len(part), 1, 1, 1, generator=rng)
        level_B111 = 1.5 * torch.rand(len(part), 1, 1, 1, generator=rng) - 0.5
        fine_B1HW = F.interpolate(coarse_B1HW, MNIST_SHAPE.axes, mode="bilinear")
        images.append((level_B111 + contrast_B111 * fine_B1HW).clamp(0, 1)[:, 0])
    return torch.cat(images)


def lessons(
    image_BHW: Tensor, label_B: Int[Tensor, " batch"], rng: torch.Generator
) -> tuple[Tensor, Float[Tensor, "batch classes"]]:
    """Turn part of a batch into blends and nonsense; return images and wanted answers.

    Source: Zhang et al. 2018, arXiv:1710.09412 (blends); Hendrycks et al. 2019, arXiv:1812.04606
    (a uniform answer to images of no class).
    """
    B = len(image_BHW)
    answer_BC = F.one_hot(label_B, CLASSES).float()
    blended, nonsense = int(BLENDED * B), int(NONSENSE * B)
    partner_M = torch.randperm(B, generator=rng)[:blended]
    share_M11 = torch.rand(blended, 1, 1, generator=rng)
    image_MHW = torch.lerp(image_BHW[:blended], image_BHW[partner_M], share_M11)
    answer_MC = torch.lerp(answer_BC[:blended], answer_BC[partner_M], share_M11[:, 0])
    rest_BHW = image_BHW[blended:]
    broken_KHW = shuffle_pieces(rest_BHW[: nonsense // 2], rng)
    nonsense_SHW = torch.cat([broken_KHW, noise(nonsense - len(broken_KHW), rng)])
    flat_SC = torch.full((nonsense, CLASSES), 1 / CLASSES)
    return (
        torch.cat([image_MHW, nonsense_SHW, rest_BHW[nonsense:]]),
        torch.cat([answer_MC, flat_SC, answer_BC[blended + nonsense :]]),
    )
