"""The projections of a latent space of many dimensions onto a picture of two.

They are computed once, after training (`model.training.projecting`), and kept in the atlas.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Projection:
    """A way to lay codes out so that near ones lie near each other, as far as two numbers can."""

    id: str
    title: str
    about: str
    """One line: what its distances mean."""


PROJECTIONS = (
    Projection(
        "tsne",
        "t-SNE",
        "Neighbours stay together; how far apart groups lie, and how wide they are, means little.",
    ),
    Projection(
        "umap",
        "UMAP",
        "Neighbours stay together, and groups that are alike tend to lie near each other.",
    ),
    Projection(
        "pca",
        "Principal axes",
        "The shadow on the plane in which the codes spread most; distances are true in it alone.",
    ),
)
"""In the order in which to offer them."""
