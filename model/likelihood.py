"""The likelihood p(x|z): how probable an image is under what the decoder drew.

Shapes: B batch, P pixels.
"""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor


def bernoulli_log_prob(
    image_BP: Float[Tensor, "batch pixels"], logits_BP: Float[Tensor, "batch pixels"]
) -> Float[Tensor, " batch"]:
    """log p(x|z) in nats, summed over pixels: sum_p x log p + (1 - x) log(1 - p).

    The minus of the binary cross-entropy. It is linear in x, so a grey image gives the expectation
    over its random binarisations.

    Args:
        image_BP: Intensities in [0, 1].
        logits_BP: log p / (1 - p), unbounded; the logarithm is never taken of a probability.

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix C.1.
    """
    return -F.binary_cross_entropy_with_logits(logits_BP, image_BP, reduction="none").sum(-1)


def bernoulli_mean(logits_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
    """The mean image of p(x|z), in [0, 1]."""
    return logits_BP.sigmoid()


def grey_levels(mean_BP: Float[Tensor, "batch pixels"]) -> UInt8[Tensor, "batch pixels"]:
    """Round a mean image to grey levels: floor(255 p + 0.5)."""
    return (mean_BP * 255 + 0.5).byte()
