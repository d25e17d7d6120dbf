"""How far single numbers of a code stand for single factors of the images.

Shapes: N images, D latent dimensions, F factors.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

BINS = 20
"""Of each number of the code, of equal width; of a factor with more values, of equal count."""


def mutual_information_gaps(
    code_ND: Float[np.ndarray, "images latent"], factor_NF: Float[np.ndarray, "images factors"]
) -> Float[np.ndarray, " factors"]:
    """Return for each factor by how much one number of the code tells more of it than the next.

    It is the difference of the two largest mutual informations, as a part of the factor's entropy:
    1 if one number tells all and no other anything, 0 if two tell equally much. With one number of
    the code it is that number's part.

    Source: Chen et al. 2018, arXiv:1802.04942, equation 6 (MIG); numbers are put into 20 bins, as
    in Locatello et al. 2019, arXiv:1811.12359, appendix C.
    """
    cell_DN = [_even_cells(code_N) for code_N in code_ND.T]
    gaps = []
    for factor_N in factor_NF.T:
        value_N = _values(factor_N)
        told = sorted((_mutual_information(cell_N, value_N) for cell_N in cell_DN), reverse=True)
        second = told[1] if len(told) > 1 else 0.0
        gaps.append((told[0] - second) / _mutual_information(value_N, value_N))
    return np.array(gaps)


def _even_cells(values: Float[np.ndarray, " images"]) -> Int[np.ndarray, " images"]:
    """Return which of 20 cells of equal width between the least and the greatest each is in."""
    edges = np.linspace(values.min(), values.max(), BINS + 1)
    return np.asarray(np.digitize(values, edges[1:-1]))


def _values(factor_N: Float[np.ndarray, " images"]) -> Int[np.ndarray, " images"]:
    """Number the values of a factor; of one with many, the ranges that hold equally many images."""
    values, number_N = np.unique(factor_N, return_inverse=True)
    if len(values) <= BINS:
        return np.asarray(number_N)
    rank_N = np.argsort(np.argsort(factor_N, kind="stable"))
    return np.asarray(rank_N * BINS // len(factor_N))


def _mutual_information(
    one_N: Int[np.ndarray, " images"], other_N: Int[np.ndarray, " images"]
) -> float:
    """Return the mutual information of two discrete variables in nats; with itself, the entropy."""
    joint = np.zeros((one_N.max() + 1, other_N.max() + 1))
    np.add.at(joint, (one_N, other_N), 1 / len(one_N))
    product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / product[there])).sum())
