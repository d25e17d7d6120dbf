"""Checkpoints of small untrained networks, in the format of trained ones, written by a test.

All have the same size, except the one with a codebook.
"""

from pathlib import Path
from typing import Any

import torch

from model.atlas import make_atlas
from model.card import Card
from model.checkpoint import sha256, stored_weights, write_checkpoint
from model.data.datasets import find
from model.engine import test_set
from model.recipes.recipe import Recipe
from model.vae.autoencoder import build_autoencoder

PLAIN: dict[str, Any] = {
    "title": "Never trained",
    "summary": "It decodes to noise.",
    "group": "map",
    "family": "vae",
    "dataset": "mnist",
    "latent_dim": 2,
    "encoder": {"kind": "mlp", "hidden": [8]},
    "decoder": {"kind": "mlp", "hidden": [8]},
    "training": {"epochs": 1},
}
POINT: dict[str, Any] = {"family": "ae", "posterior": "point", "group": "holes"}
CODEBOOK: dict[str, Any] = {
    "family": "vqvae",
    "posterior": "codebook",
    "group": "relatives",
    "latent_dim": 49,
    "encoder": {"kind": "conv", "channels": [4, 4]},
    "decoder": {"kind": "conv", "channels": [4, 4]},
    "codebook": {"entries": 16, "dimensions": 4},
}


def write(folder: Path, name: str, **differences: Any) -> None:
    """Write the checkpoint `folder/name` of the recipe `PLAIN` with these differences."""
    recipe = Recipe.from_dict({**PLAIN, "id": name, **differences})
    torch.manual_seed(recipe.seed)
    image = find(recipe.dataset).image
    autoencoder = build_autoencoder(recipe, image).eval()
    weights = stored_weights(autoencoder)
    atlas = make_atlas(autoencoder, test_set(recipe.dataset).images[:100], ())
    content = atlas.to_bytes()
    card = Card(
        id=name,
        title=recipe.title,
        summary=recipe.summary,
        group=recipe.group,
        family=recipe.family,
        dataset=recipe.dataset,
        latent_dim=recipe.latent_dim,
        likelihood=recipe.likelihood,
        beta=recipe.beta if recipe.family == "vae" else None,
        planes=tuple(plane.id for plane in atlas.planes),
        metrics={},
        sha256=sha256(weights),
        atlas_sha256=sha256(content),
        multiply_adds={},
        recipe=recipe.as_dict(),
        data_sha256=find(recipe.dataset).sha256,
        training={},
        image=image,
    )
    write_checkpoint(folder / name, card, weights, content)
