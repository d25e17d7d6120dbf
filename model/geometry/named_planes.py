"""The planes of a model by name: those worth a menu, and others that a name describes.

Shapes: N codes, D latent dimensions.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import partial
from itertools import combinations

import numpy as np
from jaxtyping import Float, UInt8

from model.errors import PlaneError
from model.geometry.lru_cache import LruCache
from model.geometry.plane import LATENT_LIMIT, Frame, Plane, covariance_of, principal_axes, spanned

LISTED_PAIRS = ((0, 2), (1, 2), (2, 3))
"""Pairs of principal axes; axes 0 and 1 span the main plane."""
ORTHONORMAL_WITHIN = 1e-3
MAX_KEPT = 64
"""Planes that are kept, so that asking for them again costs nothing."""

_PAIR = re.compile(r"(pca|dims|digits)-(0|[1-9][0-9]{0,4})-(0|[1-9][0-9]{0,4})", re.ASCII)
_AT = "at-"


class NamedPlanes:
    """All planes of a model whose latents are vectors.

    Args:
        model: The model's id, for messages.
        main: The plane that opens first.
        codes: Codes of the test images, which every plane's extent covers.
        labels: Labels of the same images.
        label_names: The name of each label.

    Attributes:
        listed: The planes worth a menu, the main one first.
    """

    def __init__(
        self,
        model: str,
        main: Plane,
        codes: Float[np.ndarray, "count latent"],
        labels: UInt8[np.ndarray, " count"],
        label_names: Sequence[str],
    ) -> None:
        self._model, self._main, self._names = model, main, label_names
        self._codes = codes
        self._centre_D = codes.mean(axis=0, dtype=np.float64)
        self._covariance_DD = covariance_of(codes)
        self._axes_DD = principal_axes(self._covariance_DD)
        self._label_means = {
            int(label): codes[labels == label].mean(axis=0, dtype=np.float64)
            for label in np.unique(labels)
        }
        self._kept = LruCache[str, Plane](MAX_KEPT)
        others = self._others()
        self.listed: tuple[Plane, ...] = (main, *(spanned(others, codes) if others else ()))

    def find(self, name: str) -> Plane:
        """Return the plane of a name.

        Raises:
            PlaneError: The name describes no plane; the message lists the names that do.
        """
        for plane in self.listed:
            if plane.id == name:
                return plane
        return self._kept.get(name, partial(self._make, name))

    def _others(self) -> list[Frame]:
        D, means = len(self._centre_D), self._label_means
        if D == 2:
            return []
        principal = [self._pca(i, j) for i, j in LISTED_PAIRS if j < D]
        pairs = combinations(sorted(means), 2)
        apart = [(a, b) for a, b in pairs if (means[a] != means[b]).any()]
        return [*principal, *(self._digits(a, b) for a, b in apart)]

    def _make(self, name: str) -> Plane:
        frame = self._at(name) if name.startswith(_AT) else self._named(name)
        (plane,) = spanned([frame], self._codes)
        (u0, v0), (u1, v1) = plane.extent
        corners_4D = plane.lift(np.array([[u0, v0], [u0, v1], [u1, v0], [u1, v1]]))
        far = np.linalg.norm([plane.origin, *corners_4D], axis=1) > LATENT_LIMIT
        if far.any():
            raise self._unknown(
                f"has no such plane: it leads beyond {LATENT_LIMIT:g}, where nothing is decoded"
            )
        return plane

    def _named(self, name: str) -> Frame:
        found = _PAIR.fullmatch(name)
        if found is None or len(self._centre_D) == 2:
            raise self._unknown("has no plane of this name")
        family, i, j = found[1], int(found[2]), int(found[3])
        if i == j:
            raise self._unknown(f"has no plane {name}: a plane needs two different axes")
        if family == "digits":
            for label in (i, j):
                if label not in self._label_means:
                    raise self._unknown(f"has no plane {name}: no image has the label {label}")
            return self._digits(i, j)
        if max(i, j) >= len(self._centre_D):
            raise self._unknown(f"has no plane {name}: its latents have too few dimensions")
        return self._pca(i, j) if family == "pca" else self._dims(i, j)

    def _pca(self, i: int, j: int) -> Frame:
        title = f"Principal axes {i + 1} and {j + 1}"
        return Frame(f"pca-{i}-{j}", title, self._centre_D, self._axes_DD[[i, j]])

    def _dims(self, i: int, j: int) -> Frame:
        """Return the plane of the latent's numbers i and j; the others stay at the codes' mean."""
        origin_D = self._centre_D.copy()
        origin_D[[i, j]] = 0
        title = f"Latent dimensions {i + 1} and {j + 1}"
        return Frame(f"dims-{i}-{j}", title, origin_D, np.eye(len(origin_D))[[i, j]])

    def _digits(self, a: int, b: int) -> Frame:
        """Return the plane through two labels' mean codes, and along the widest spread across."""
        start_D, end_D = self._label_means[a], self._label_means[b]
        length = np.linalg.norm(end_D - start_D)
        if length == 0:
            raise self._unknown(
                f"has no plane digits-{a}-{b}: the mean codes of the two labels are the same"
            )
        first_D = (end_D - start_D) / length
        across_DD = np.eye(len(first_D)) - np.outer(first_D, first_D)
        second_D = principal_axes(across_DD @ self._covariance_DD @ across_DD)[0]
        axes_2D = orthonormalised(np.stack([first_D, second_D]))
        title = f"{self._names[a]} against {self._names[b]}"
        return Frame(f"digits-{a}-{b}", title, (start_D + end_D) / 2, axes_2D)

    def _at(self, name: str) -> Frame:
        D = len(self._centre_D)
        if not re.fullmatch(rf"[A-Za-z0-9_-]{{{16 * D}}}", name.removeprefix(_AT), re.ASCII):
            raise self._unknown(f"has no such plane: after at- come {16 * D} characters")
        content = base64.urlsafe_b64decode(name.removeprefix(_AT))
        numbers = np.frombuffer(content, "<f4")
        if not np.isfinite(numbers).all():
            raise self._unknown("has no such plane: its numbers are not all finite")
        origin_D, *axes = numbers.astype(np.float64).reshape(3, D)
        axes_2D = np.stack(axes)
        products_22 = np.clip(axes_2D, -2, 2) @ np.clip(axes_2D, -2, 2).T
        if np.abs(products_22 - np.eye(2)).max() > ORTHONORMAL_WITHIN:
            raise self._unknown(
                "has no such plane: its axes are not orthonormal to within "
                f"{ORTHONORMAL_WITHIN:g} (make them of length 1 and at right angles)"
            )
        return Frame(name, "A plane of your own", origin_D, orthonormalised(axes_2D))

    def _unknown(self, fault: str) -> PlaneError:
        D = len(self._centre_D)
        free = f"at-<base64url of origin and two orthonormal axes, {3 * D} little-endian float32>"
        if D == 2:
            there = f"{self._main.id} and {free}"
        else:
            there = (
                f"pca-i-j and dims-i-j for two different i, j from 0 to {D - 1}, digits-a-b for "
                f"two different labels a, b from 0 to {len(self._names) - 1}, and {free}"
            )
        return PlaneError(f"{self._model} {fault}. It has {there}.")


def orthonormalised(axes_2D: Float[np.ndarray, "2 latent"]) -> Float[np.ndarray, "2 latent"]:
    """Return exact axes of the same plane; the first keeps its direction (Gram-Schmidt)."""
    first_D = axes_2D[0] / np.linalg.norm(axes_2D[0])
    second_D = axes_2D[1] - (axes_2D[1] @ first_D) * first_D
    return np.stack([first_D, second_D / np.linalg.norm(second_D)])
