"""The likelihood p(x|z): how probable an image is given the decoder's output.

Shapes: B batch, P pixels.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

FARTHEST_LOGIT, KNOTS = 40.0, 4001
"""Where the Fisher-Rao coordinate of a continuous Bernoulli is tabulated; it has no formula."""
HALF_LEVEL = 1 / 510
"""Half of the distance between two of 256 levels."""
FARTHEST = 20.0
"""Scales beyond black and white from which a logistic location is as good as infinitely far."""
NEAR_ZERO = 0.05
"""Below it a logit loses digits in the exact formulas of a continuous Bernoulli: 0 / 0."""


class Likelihood(nn.Module, ABC):
    """A distribution over pixels, independent given the decoder's output for each."""

    @abstractmethod
    def log_prob(
        self, image_BP: Float[Tensor, "batch pixels"], output_BP: Float[Tensor, "batch pixels"]
    ) -> Float[Tensor, " batch"]:
        """Return log p(x|z) in nats, summed over pixels.

        Args:
            image_BP: Intensities in [0, 1].
            output_BP: The decoder's output for z, unbounded.
        """

    @abstractmethod
    def mean(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return the mean image of p(x|z), in [0, 1]."""

    @abstractmethod
    def embed(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return coordinates in which the Fisher-Rao metric of p(x|z) is Euclidean distance."""


class Bernoulli(Likelihood):
    """Each pixel is ink with probability p; the decoder returns log p / (1 - p).

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix C.1.
    """

    def log_prob(
        self, image_BP: Float[Tensor, "batch pixels"], output_BP: Float[Tensor, "batch pixels"]
    ) -> Float[Tensor, " batch"]:
        return bernoulli_log_prob(image_BP, output_BP)

    def mean(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        return bernoulli_mean(output_BP)

    def embed(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return 2 asin sqrt p: twice the angle of (sqrt(1 - p), sqrt p) on a circle."""
        return 2 * (output_BP / 2).clamp(-30, 30).exp().atan()


class ContinuousBernoulli(Likelihood):
    """The Bernoulli's form as a density over grey levels: divided by its integral over [0, 1].

    The decoder returns the logit l of lambda. The normaliser is C = l / tanh(l / 2), and the mean
    is sigmoid(l) / tanh(l / 2) - 1 / l, which is greyer than lambda.

    Source: Loaiza-Ganem & Cunningham 2019, arXiv:1907.06845, equations 7 and 8.
    """

    def log_prob(
        self, image_BP: Float[Tensor, "batch pixels"], output_BP: Float[Tensor, "batch pixels"]
    ) -> Float[Tensor, " batch"]:
        flat_BP, logit_BP = _near_zero(output_BP)
        exact_BP = (logit_BP / (0.5 * logit_BP).tanh()).log()
        series_BP = math.log(2) + output_BP.square() / 12
        log_normaliser_BP = torch.where(flat_BP, series_BP, exact_BP)
        return bernoulli_log_prob(image_BP, output_BP) + log_normaliser_BP.sum(-1)

    def mean(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        flat_BP, logit_BP = _near_zero(output_BP)
        exact_BP = logit_BP.sigmoid() / (0.5 * logit_BP).tanh() - 1 / logit_BP
        return torch.where(flat_BP, 0.5 + output_BP / 12, exact_BP).clamp(0, 1)

    def embed(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return the integral of a standard deviation over the logit, by the trapezoidal rule."""
        angle_K = _continuous_bernoulli_angles().to(output_BP)
        spacing = 2 * FARTHEST_LOGIT / (KNOTS - 1)
        place_BP = (output_BP / spacing + (KNOTS - 1) / 2).clamp(0, KNOTS - 1.001)
        knot_BP = place_BP.detach().long()
        low_BP, high_BP = angle_K[knot_BP], angle_K[knot_BP + 1]
        return low_BP + (place_BP - knot_BP) * (high_BP - low_BP)


class Gaussian(Likelihood):
    """Each pixel is its mean plus noise of one standard deviation, which is learned for all pixels.

    It is the squared error with a weight: sigma converts grey levels to nats, the unit of the KL.

    Source: Rybkin et al. 2021, arXiv:2006.13202 (a shared, learned variance).
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.tensor(-1.0))

    def log_prob(
        self, image_BP: Float[Tensor, "batch pixels"], output_BP: Float[Tensor, "batch pixels"]
    ) -> Float[Tensor, " batch"]:
        error_BP = (image_BP - output_BP) / self.log_sigma.exp()
        constant = self.log_sigma + 0.5 * math.log(2 * math.pi)
        return -(0.5 * error_BP.square() + constant).sum(-1)

    def mean(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        return output_BP.clamp(0, 1)

    def embed(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return the mean in units of sigma, which is the same everywhere."""
        return output_BP / self.log_sigma.exp()


class DiscretisedLogistic(Likelihood):
    """Each number is one of 256 levels: the share of a logistic distribution that falls to it.

    The decoder returns the location, and one scale s is learned for all. With the ends a and b of
    a level's interval, (x +- 1/510 - location) / s, its probability is sigmoid(a) - sigmoid(b) =
    sigmoid(a) sigmoid(-b) (1 - exp(b - a)), whose last factor is the same for all levels. The
    lowest level takes all that lies below it, the highest all above.

    Source: Salimans et al. 2017, arXiv:1701.05517, equation 2, with one component.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(-2.0))

    def log_prob(
        self, image_BP: Float[Tensor, "batch pixels"], output_BP: Float[Tensor, "batch pixels"]
    ) -> Float[Tensor, " batch"]:
        scale = self.log_scale.exp()
        offset_BP = image_BP - output_BP
        below_BP = F.logsigmoid((offset_BP + HALF_LEVEL) / scale)
        above_BP = F.logsigmoid((HALF_LEVEL - offset_BP) / scale)
        width = (-torch.expm1(-2 * HALF_LEVEL / scale)).log()
        inner_BP = below_BP + above_BP + width
        upper_BP = torch.where(image_BP > 1 - HALF_LEVEL, above_BP, inner_BP)
        return torch.where(image_BP < HALF_LEVEL, below_BP, upper_BP).sum(-1)

    def mean(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return the integral of P(x > t) over [0, 1], which its sum over the levels approaches."""
        scale = self.log_scale.exp()
        reach = FARTHEST * scale.detach()
        near_BP = output_BP.clamp(-reach, 1 + reach)
        area_BP = F.softplus(near_BP / scale) - F.softplus((near_BP - 1) / scale)
        return (scale * area_BP).clamp(0, 1)

    def embed(self, output_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
        """Return the location in units of sqrt 3 s: the information of a logistic is 1 / 3 s^2."""
        return output_BP / (math.sqrt(3) * self.log_scale.exp())


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "discretised-logistic": DiscretisedLogistic,
}


def bernoulli_log_prob(
    image_BP: Float[Tensor, "batch pixels"], logits_BP: Float[Tensor, "batch pixels"]
) -> Float[Tensor, " batch"]:
    """Return log p(x|z) in nats, summed over pixels: sum_p x log p + (1 - x) log(1 - p).

    It is minus the binary cross-entropy. It is linear in x, so a grey image gives the expectation
    over its random binarisations.

    Args:
        image_BP: Intensities in [0, 1].
        logits_BP: log p / (1 - p), unbounded. No logarithm is taken of a probability.
    """
    return -F.binary_cross_entropy_with_logits(logits_BP, image_BP, reduction="none").sum(-1)


def bernoulli_mean(logits_BP: Float[Tensor, "batch pixels"]) -> Float[Tensor, "batch pixels"]:
    """Return the mean image of p(x|z), in [0, 1]."""
    return logits_BP.sigmoid()


def grey_levels(mean_BP: Float[Tensor, "batch pixels"]) -> UInt8[Tensor, "batch pixels"]:
    """Round a mean image to grey levels: floor(255 p + 0.5)."""
    return (mean_BP * 255 + 0.5).byte()


@cache
@torch.inference_mode(mode=False)  # else autograd could not use the table
def _continuous_bernoulli_angles() -> Float[Tensor, " knots"]:
    """Tabulate the Fisher-Rao coordinate, in double precision."""
    knot_K = torch.linspace(-FARTHEST_LOGIT, FARTHEST_LOGIT, KNOTS, dtype=torch.float64)
    flat_K, logit_K = _near_zero(knot_K)
    exact_K = (logit_K**-2 - (2 * logit_K.cosh() - 2).reciprocal()).sqrt()
    deviation_K = torch.where(flat_K, math.sqrt(1 / 12), exact_K)
    angle_K = torch.cumulative_trapezoid(deviation_K, knot_K)
    return torch.cat([angle_K.new_zeros(1), angle_K])


def _near_zero(logit_BP: Tensor) -> tuple[Tensor, Tensor]:
    """Return where logits are so small that 0/0 loses digits, and the logits with 1 there."""
    flat_BP = logit_BP.abs() < NEAR_ZERO
    return flat_BP, torch.where(flat_BP, torch.ones_like(logit_BP), logit_BP)
