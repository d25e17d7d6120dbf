"""The directions of a latent space in which one attribute of the images changes.

An attribute is a label, or a factor that is measured on the images or stored with them.

Shapes: N codes, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, UInt8

from model.data.datasets import test_set
from model.data.factors import FACTORS, Factor, stored_values

PIECE = 250
"""Images that are measured in one piece of milliseconds."""


@dataclass(frozen=True)
class Direction:
    """Where codes go as an attribute grows."""

    vector: Float[np.ndarray, " latent"]
    """Latent units per unit of the attribute; of a label, the whole way from the others to it."""
    images: int
    """Codes from which it was computed."""
    labelled: int | None
    """Those of them that have the label; None for a factor."""
    deviation: float | None
    """Standard deviation of a factor among images of one label, in its unit; None for a label."""
    separation: float
    """How well the place of a code along the direction tells the attribute: the area under the ROC
    curve for a label, R^2 among images of one label for a factor."""

    @property
    def scale(self) -> float:
        """The length of the vector."""
        return float(np.linalg.norm(self.vector))


class Attributes:
    """The attributes of a model's test images, and their directions.

    Args:
        dataset: The id of the data set.
        codes: Codes of its first test images.
        labels: Labels of the same images.

    Attributes:
        labels: The labels that some images have and others do not.
        factors: What is measured on the images.
    """

    def __init__(
        self,
        dataset: str,
        codes: Float[np.ndarray, "codes latent"],
        labels: UInt8[np.ndarray, " codes"],
    ) -> None:
        self._dataset, self._code_ND, self._label_N = dataset, codes, labels[: len(codes)]
        present = [int(label) for label in np.unique(self._label_N)]
        self.labels = tuple(present) if len(present) > 1 else ()
        self.factors: tuple[Factor, ...] = FACTORS.get(dataset, ())
        self._measured: dict[str, Float[np.ndarray, " codes"]] = {}

    def of_label(self, label: int) -> Direction:
        """Return the difference of the mean code of a label and that of all others."""
        assert label in self.labels
        has_N = self._label_N == label
        code_ND = self._code_ND.astype(np.float64)
        vector = code_ND[has_N].mean(0) - code_ND[~has_N].mean(0)
        area = area_under_roc(code_ND @ vector, has_N)
        return Direction(vector, len(has_N), int(has_N.sum()), None, area)

    def of_factor(self, factor: str) -> list[Callable[[], Direction | None]]:
        """Return how to find the direction of a factor, in pieces of milliseconds.

        They are to be called in order; the last returns the direction. The first time, the images
        are measured, which may raise DataError.
        """
        measure = next(one.measure for one in self.factors if one.id == factor)
        if measure is None:
            self._measured[factor] = stored_values(self._dataset, factor)[: len(self._code_ND)]
        if measure is None or factor in self._measured:
            return [partial(self._fit, factor)]
        parts: list[Float[np.ndarray, " part"]] = []

        def measure_part(start: int) -> None:
            images = test_set(self._dataset).images[start : min(start + PIECE, len(self._code_ND))]
            parts.append(measure(images.astype(np.float32) / 255))

        def fit() -> Direction:
            self._measured[factor] = np.concatenate(parts)
            return self._fit(factor)

        starts = range(0, len(self._code_ND), PIECE)
        return [*(partial(measure_part, start) for start in starts), fit]

    def _fit(self, factor: str) -> Direction:
        """Regress the codes on the factor with the labels held fixed.

        This is a difference of means for a factor of two values. Held fixed, a label that tends to
        be slanted does not draw the direction of slant towards itself.
        """
        code_ND = self._within_labels(self._code_ND.astype(np.float64))
        value_N = self._within_labels(self._measured[factor])
        variance = max(float(value_N @ value_N), np.finfo(float).tiny)
        vector = code_ND.T @ value_N / variance
        along_N = code_ND @ vector
        spread = max(float(along_N @ along_N), np.finfo(float).tiny)
        explained = float(along_N @ value_N) ** 2 / (variance * spread)
        deviation = float(np.sqrt(variance / len(value_N)))
        return Direction(vector, len(value_N), None, deviation, explained)

    def _within_labels(self, values: Float[np.ndarray, "codes ..."]) -> np.ndarray:
        """Return the deviations of values from the mean of their label."""
        deviations = np.empty_like(values)
        for label in np.unique(self._label_N):
            has_N = self._label_N == label
            deviations[has_N] = values[has_N] - values[has_N].mean(0)
        return deviations


def area_under_roc(
    score_N: Float[np.ndarray, " codes"], has_N: Bool[np.ndarray, " codes"]
) -> float:
    """Return the probability that one of those that have it scores higher than one that has not.

    A tie counts half (the Mann-Whitney statistic).
    """
    other_M = np.sort(score_N[~has_N])
    lower = np.searchsorted(other_M, score_N[has_N], "left")
    not_higher = np.searchsorted(other_M, score_N[has_N], "right")
    return float((lower + not_higher).mean() / (2 * len(other_M)))
