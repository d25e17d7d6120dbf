"""The table of measures: what each number in a card's `metrics` means, in words for a learner.

The page, the API and docs/models.md read it; `model/evaluation/` takes the measures. Two entries of
`metrics` have no row, because they are not single numbers: `latents.kl_per_dimension`, and `floor`,
which holds what real images reach in the measures of `samples`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    key: str
    """Path into a card's metrics, such as "completeness.recognised"."""
    title: str
    unit: str
    """Empty for ratios and counts; shares lie between 0 and 1."""
    digits: int
    """Decimals worth showing."""
    better: Literal["higher", "lower"] | None
    """Which of two values is better; None where that depends on the purpose."""
    about: str
    """One plain line: what it shows, and how to read it."""


BLOCKS = ("bound", "likelihood", "latents", "continuity", "completeness", "codes", "samples")
"""What `python -m model evaluate --only` may name; `bound` takes `grey` and `binarised`."""
NATS = "nats per image"
SHARE = "share"
PIXELS = "pixel norm per std of codes"

MEASURES: tuple[Measure, ...] = (
    Measure(
        "grey.elbo", "ELBO", NATS, 2, "higher",
        "Reconstruction less KL: log p(x) is at least this. Compare only models with one kind of"
        " pixel.",
    ),
    Measure(
        "grey.reconstruction", "Reconstruction", NATS, 2, "higher",
        "How well images come back from their own codes, as a log-probability: the nearer to 0"
        " from below, the sharper the copy.",
    ),
    Measure(
        "grey.kl", "KL divergence", NATS, 2, None,
        "How much a code tells of its image, counted from the prior: 0 is nothing at all, and"
        " 0.69 nats are one bit.",
    ),
    Measure(
        "binarised.elbo", "ELBO, black and white", NATS, 2, "higher",
        "The same bound for images whose pixels were drawn black or white: what papers report.",
    ),
    Measure(
        "binarised.reconstruction", "Reconstruction, black and white", NATS, 2, "higher",
        "How well such images come back from their own codes.",
    ),
    Measure(
        "binarised.kl", "KL divergence, black and white", NATS, 2, None,
        "How much a code tells of such an image.",
    ),
    Measure(
        "likelihood.exact", "Log-likelihood, exact", NATS, 2, "higher",
        "How probable the model finds images it never saw, summed over the whole plane. No"
        " estimate: two numbers can be tried out everywhere.",
    ),
    Measure(
        "likelihood.exact_check", "Its numerical error", NATS, 4, "lower",
        "How far that sum moves if its steps are halved: the digits behind it mean nothing.",
    ),
    Measure(
        "likelihood.importance_weighted", "Log-likelihood, sampled", NATS, 2, "higher",
        "The same likelihood, estimated from many guesses of the encoder: a little too low, but it"
        " works in any number of dimensions.",
    ),
    Measure(
        "likelihood.inference_gap", "Inference gap", NATS, 2, "lower",
        "Likelihood less ELBO: what is lost because the encoder only guesses where an image"
        " belongs.",
    ),
    Measure(
        "latents.active_units", "Numbers in use", "", 0, None,
        "How many of the code's numbers change from image to image; the others have collapsed, and"
        " the decoder ignores them.",
    ),
    Measure(
        "continuity.lipschitz_median", "Speed of change, typical", PIXELS, 2, "lower",
        "How fast the image changes as one walks off, at a typical place. A decoder that ignores"
        " its code scores 0.",
    ),
    Measure(
        "continuity.lipschitz_p95", "Speed of change, fast", PIXELS, 2, "lower",
        "The same where change is fast: only one place in twenty is faster.",
    ),
    Measure(
        "continuity.lipschitz_max", "Speed of change, fastest", PIXELS, 2, "lower",
        "The same at the fastest place that was tried: here one image all but jumps to another.",
    ),
    Measure(
        "continuity.path_length_ratio", "Detour of a walk", "", 2, "lower",
        "How much more changes on a straight walk between two codes than its two ends differ by:"
        " 1 is a plain fade, 2 twice as much.",
    ),
    Measure(
        "continuity.label_flips", "Needless changes of digit", "per walk", 2, "lower",
        "How often the image turns into another class on such a walk, beyond the one time that is"
        " needed.",
    ),
    Measure(
        "continuity.recognised_on_lines", "Recognised on walks", SHARE, 3, "higher",
        "Share of the images on such walks that the classifier names with confidence of at least"
        " 0.9: the others are half one thing, half another.",
    ),
    Measure(
        "completeness.kl_to_prior", "Codes against prior", "nats", 2, "lower",
        "How far all codes together are from the cloud that samples are drawn from: 0 if they fill"
        " it just so.",
    ),
    Measure(
        "completeness.uncovered_prior_mass", "Empty part of the prior", SHARE, 3, "lower",
        "Share of the cloud where next to no image has its code: the decoder never learnt what to"
        " draw there.",
    ),
    Measure(
        "completeness.recognised", "Recognised samples", SHARE, 3, "higher",
        "Share of images drawn at random that a classifier names with confidence of at least 0.9.",
    ),
    Measure(
        "completeness.holes", "Holes", "", 0, "lower",
        "Connected regions of the map where the classifier cannot tell what is drawn. Borders"
        " between digits count too.",
    ),
    Measure(
        "completeness.hole_area", "Area of holes", SHARE, 3, "lower",
        "Share of the map that those regions take.",
    ),
    Measure(
        "codes.knn_accuracy", "Class from the neighbours", SHARE, 3, "higher",
        "How often the 15 nearest codes vote for the right class: whether like lies beside like.",
    ),
    Measure(
        "codes.linear_accuracy", "Class from straight lines", SHARE, 3, "higher",
        "How often straight borders through the codes tell the class: one tenth is guessing.",
    ),
    Measure(
        "codes.trustworthiness", "Trustworthy neighbours", "", 3, "higher",
        "Whether images whose codes are near are near as images too: 1 always, about 0.5 by"
        " chance.",
    ),
    Measure(
        "samples.fid", "Fréchet distance", "", 1, "lower",
        "How far drawn images are from real ones, as our own classifier sees them: 0 is no"
        " difference in mean or spread. Not comparable with other papers' FID.",
    ),
    Measure(
        "samples.kid", "Kernel distance", "", 4, "lower",
        "The same question asked of more than mean and spread.",
    ),
    Measure(
        "samples.precision", "Precision", SHARE, 3, "higher",
        "Share of drawn images that look like some real one: fidelity.",
    ),
    Measure(
        "samples.recall", "Recall", SHARE, 3, "higher",
        "Share of real images that look like some drawn one: variety.",
    ),
    Measure(
        "samples.density", "Density", "", 3, "higher",
        "Fidelity again, hard to fool by one odd image: how crowded with real images are the"
        " places where images were drawn? Real ones score about 1.",
    ),
    Measure(
        "samples.coverage", "Coverage", SHARE, 3, "higher",
        "Variety again, hard to fool by one odd image: share of real images with a drawn one"
        " beside them.",
    ),
)  # fmt: skip
"""In display order; the first part of a key is the block of its protocol."""
