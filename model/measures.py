"""The table of measures: what each number in a card's `metrics` means, in words for a learner.

The page, the API and docs/models.md read it; `model/evaluation/` takes the measures. Four entries
of `metrics` have no row, because they are not single numbers: `latents.kl_per_dimension`, `floor`,
which holds what real images reach in the measures of `samples`, and `mig_of` and `stays_of`, which
hold the parts of two measures of `factors`.
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


BLOCKS = (
    "bound",
    "likelihood",
    "gaps",
    "latents",
    "continuity",
    "completeness",
    "codes",
    "places",
    "samples",
    "factors",
)
"""What `python -m model evaluate --only` may name; `bound` takes `grey` and `binarised`."""
NATS = "nats per image"
SHARE = "share"
PIXELS = "pixel norm per std of codes"

MEASURES: tuple[Measure, ...] = (
    Measure(
        "grey.elbo", "ELBO", NATS, 2, "higher",
        "Reconstruction less KL, with the posterior as the model uses it: some refine it on each"
        " image by their decoder. Compare only models with one kind of pixel.",
    ),
    Measure(
        "grey.encoder_elbo", "ELBO, encoder alone", NATS, 2, "higher",
        "The same bound with the encoder's posterior as it is: the one to hold against other"
        " people's models.",
    ),
    Measure(
        "grey.reconstruction", "Reconstruction", NATS, 2, "higher",
        "Mean log-probability of an image given its own code: higher is a closer copy. Bernoulli"
        " pixels have a ceiling below 0; densities may exceed 0.",
    ),
    Measure(
        "grey.ceiling", "Reconstruction, at best", NATS, 2, None,
        "What a Bernoulli decoder reaches that gives each pixel its own grey level: a bound for the"
        " black and white image drawn from the grey one.",
    ),
    Measure(
        "grey.kl", "KL divergence", NATS, 2, None,
        "How far posteriors are from the prior: what a code tells of its image, and how far all"
        " codes together miss the prior. 0.69 nats are a bit.",
    ),
    Measure(
        "binarised.elbo", "ELBO, black and white", NATS, 2, "higher",
        "The same bound for images whose pixels were drawn black or white, with the posterior as"
        " the model uses it.",
    ),
    Measure(
        "binarised.encoder_elbo", "ELBO, black and white, encoder alone", NATS, 2, "higher",
        "With the encoder's posterior as it is: what papers report.",
    ),
    Measure(
        "binarised.reconstruction", "Reconstruction, black and white", NATS, 2, "higher",
        "How well such images come back from their own codes.",
    ),
    Measure(
        "binarised.kl", "KL divergence, black and white", NATS, 2, None,
        "How far the posteriors of such images are from the prior.",
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
        "The same likelihood, estimated from 500 draws of the posterior, in any number of"
        " dimensions. It is too low on average: by how much, the exact figure shows.",
    ),
    Measure(
        "likelihood.encoder_importance_weighted", "Log-likelihood, sampled by the encoder", NATS, 2,
        "higher",
        "The same from 500 draws of the encoder's posterior as it is: what papers report.",
    ),
    Measure(
        "likelihood.inference_gap", "Inference gap", NATS, 2, "lower",
        "Likelihood less ELBO, which is KL(q(z|x) || p(z|x)): what the posterior in use misses of"
        " the true one.",
    ),
    Measure(
        "gaps.amortisation", "Amortisation gap", NATS, 2, "lower",
        "By how much the best posterior of each image beats the encoder's. With a KL weight other"
        " than 1 the encoder was not asked for that one.",
    ),
    Measure(
        "gaps.approximation", "Approximation gap", NATS, 2, "lower",
        "What even that best Gaussian misses of log p(x): true posteriors have other shapes.",
    ),
    Measure(
        "gaps.error", "Standard error of the two", NATS, 2, None,
        "They were taken of a hundred images.",
    ),
    Measure(
        "latents.mutual_information", "KL, part one: told of the image", NATS, 2, None,
        "Mutual information of code and test image: what a code tells of which image it is, at"
        " most the logarithm of their number.",
    ),
    Measure(
        "latents.marginal_kl", "KL, part two: off the prior", NATS, 2, "lower",
        "KL(q(z) || p(z)), the rest: how far all codes of the test images together are from the"
        " prior.",
    ),
    Measure(
        "latents.active_units", "Numbers in use", "", 0, None,
        "How many of the code's numbers change from image to image; the others have collapsed, and"
        " the decoder ignores them.",
    ),
    Measure(
        "continuity.lipschitz_median", "Speed of change, typical", PIXELS, 2, "lower",
        "How fast the image changes as one walks off in the direction of fastest change, at a"
        " typical place. A decoder that ignores its code scores 0.",
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
        "How far all codes together are from what draws are taken from, a smoothed estimate of KL."
        " In many dimensions it is not 0 even for a perfect fit.",
    ),
    Measure(
        "completeness.uncovered_prior_mass", "Empty part of the prior", SHARE, 3, "lower",
        "Share of the draws that fall where next to no image has its code.",
    ),
    Measure(
        "completeness.recognised", "Recognised samples", SHARE, 3, "higher",
        "Share of images drawn at random, from N(0, I) or an autoencoder's fitted Gaussian, that a"
        " classifier names with confidence of at least 0.9.",
    ),
    Measure(
        "completeness.standard_recognised", "Recognised, from N(0, I)", SHARE, 3, "higher",
        "The same share if one draws from N(0, I) without asking where the codes went.",
    ),
    Measure(
        "completeness.fitted_recognised", "Recognised, from a fitted Gaussian", SHARE, 3, "higher",
        "The same share for draws from the Gaussian fitted to the codes, of either kind of model.",
    ),
    Measure(
        "completeness.standard_uncovered", "Empty part of N(0, I)", SHARE, 3, "lower",
        "Share of the draws from N(0, I) that fall where next to no image has its code.",
    ),
    Measure(
        "completeness.grey", "Greyness of drawn images", "nats per pixel", 3, None,
        "Entropy of a pixel of the images drawn: 0 for black and white, 0.69 for an even grey.",
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
        "How often straight borders through the codes tell the class. Naming the most frequent"
        " class is right for its share: 0.114 of the digits, 0.1 of the clothes.",
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
    Measure(
        "factors.appears", "Moustache, given", SHARE, 3, "higher",
        "How often portraits without a moustache are drawn with one, once its direction was added"
        " to their codes. A network that reads portraits judges.",
    ),
    Measure(
        "factors.before", "Moustache, before", SHARE, 3, "lower",
        "How often the same portraits are drawn with one before.",
    ),
    Measure(
        "factors.stays", "All else that stays", SHARE, 3, "higher",
        "The share of the other factors that are read as before. A number has stayed if it moved by"
        " less than a tenth of its range.",
    ),
    Measure(
        "factors.mig", "A number for each factor", "", 3, "higher",
        "The mutual information gap: 1 if a single number of the code tells each factor and no"
        " other number tells anything of it; 0 if two numbers share it evenly.",
    ),
)  # fmt: skip
"""In display order; the first part of a key is the block of its protocol."""
