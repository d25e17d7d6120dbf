"""Project the codes of a model onto two dimensions: principal axes, t-SNE, UMAP.

Shapes: N codes, D latent dimensions.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from jaxtyping import Float

from model.geometry.plane import covariance_of, principal_axes

SEED = 0
PERPLEXITY = 30.0
ITERATIONS = 500
"""Of t-SNE, by which its picture has come to rest."""
NEIGHBOURS = 15
"""Of UMAP: its own default, as the perplexity is that of t-SNE."""
FEWEST_CODES = 32
"""t-SNE and UMAP need more codes than neighbours."""


def project(
    codes: Float[np.ndarray, "codes latent"],
) -> dict[str, Float[np.ndarray, "codes 2"]]:
    """Return each projection of codes of more than two dimensions, by its id; of others none.

    UMAP is left out where umap-learn is not installed, and both it and t-SNE for few codes, or
    for codes of which two numbers or fewer differ.

    Source: van der Maaten & Hinton 2008, "Visualizing data using t-SNE", JMLR 9; McInnes, Healy &
    Melville 2018, "UMAP", arXiv:1802.03426.
    """
    if codes.shape[1] < 3 or len(codes) < 2:
        return {}
    code_ND = codes.astype(np.float64) - codes.mean(axis=0, dtype=np.float64)
    place_N2 = code_ND @ principal_axes(covariance_of(codes))[:2].T
    found = {"pca": place_N2}
    if len(codes) >= FEWEST_CODES and (codes.std(axis=0) > 0).sum() > 2:
        found["tsne"] = _tsne(codes)
        if find_spec("umap"):
            found["umap"] = _umap(codes)
    return {name: places.astype(np.float32) for name, places in found.items()}


def _tsne(codes: Float[np.ndarray, "codes latent"]) -> Float[np.ndarray, "codes 2"]:
    from sklearn.manifold import TSNE  # heavy, and used by this alone

    perplexity = min(PERPLEXITY, (len(codes) - 1) / 3)
    tsne = TSNE(
        2, perplexity=perplexity, init="pca", max_iter=ITERATIONS, random_state=SEED, n_jobs=1
    )
    return np.asarray(tsne.fit_transform(codes), np.float64)


def _umap(codes: Float[np.ndarray, "codes latent"]) -> Float[np.ndarray, "codes 2"]:
    from umap import UMAP

    return np.asarray(
        UMAP(n_neighbors=NEIGHBOURS, random_state=SEED, n_jobs=1).fit_transform(codes)
    )
