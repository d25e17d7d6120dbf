"""A recipe: the TOML file from which a model is trained, read into checked dataclasses.

The files in `recipes/` are the examples; a field's meaning stands under it here.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal

from model.errors import RecipeError
from model.strict_toml import read_table, read_toml, require

RECIPES = Path(__file__).parent / "recipes"
TRAIN_IMAGES = 60_000
"""In each data set that a recipe may name."""


@dataclass(frozen=True)
class Network:
    kind: Literal["mlp", "residual"]
    hidden: tuple[int, ...]
    """Widths of the hidden layers; a residual network has one block for each, all of one width."""
    activation: Literal["relu", "silu"] = "silu"
    fourier_features: int = 0
    """Random frequencies of the input that are fed in beside it; 0 for none."""
    fourier_scale: float = 1.0
    """Standard deviation of those frequencies, in radians per latent unit."""

    def __post_init__(self) -> None:
        require(len(self.hidden) > 0, "hidden", "is empty; give at least one width")
        require(min(self.hidden, default=1) > 0, "hidden", "has a width below 1")
        require(
            self.kind != "residual" or len(set(self.hidden)) == 1,
            "hidden",
            f"is {list(self.hidden)}; the blocks of a residual network share one width",
        )
        require(self.fourier_features >= 0, "fourier_features", "is negative; 0 means none")
        require(0 < self.fourier_scale < inf, "fourier_scale", "must be above 0 and finite")


@dataclass(frozen=True)
class Training:
    epochs: int
    batch_size: int = 256
    learning_rate: float = 1e-3
    """Peak of Adam's step size; reached after `warmup`, then falling by `decay`."""
    decay: Literal["cosine", "none"] = "cosine"
    warmup: float = 0.02
    """Share of all steps in which the learning rate rises from 0."""
    kl_warmup: float = 0.0
    """Share of all steps in which the KL weight rises from a tenth of `beta` to `beta`."""
    ema: float = 0.0
    """Decay per step of the moving average of the weights that is kept in their stead; 0: none."""
    binarise: bool = False
    """Draw each pixel as 0 or 1 with its grey level as probability, afresh in every batch."""
    held_out: int = 0
    """Training images kept back to follow the objective; 0 follows it on the test images."""

    def __post_init__(self) -> None:
        require(self.epochs > 0, "epochs", "must be at least 1")
        require(self.batch_size > 0, "batch_size", "must be at least 1")
        require(0 < self.learning_rate < inf, "learning_rate", "must be above 0 and finite")
        require(0 <= self.warmup <= 1, "warmup", "is a share of all steps, 0 to 1")
        require(0 <= self.kl_warmup <= 1, "kl_warmup", "is a share of all steps, 0 to 1")
        require(0 <= self.ema < 1, "ema", "must be at least 0 and below 1")
        require(0 <= self.held_out < TRAIN_IMAGES, "held_out", "must leave images to train on")
        require(
            self.batch_size <= TRAIN_IMAGES - self.held_out,
            "batch_size",
            f"is {self.batch_size}; there are {TRAIN_IMAGES - self.held_out} images to train on",
        )


@dataclass(frozen=True)
class Distillation:
    """After training: a small decoder learns the large one's images, then the encoder follows."""

    teacher: Network
    """The decoder that is trained with the encoder; it is not shipped."""
    epochs: int
    """Of 500 batches of latents each."""
    batch_size: int = 512
    learning_rate: float = 2e-3
    posterior_scale: float = 1.5
    """Latents come from the posteriors of training images, widened by this factor."""
    prior_share: float = 0.125
    """This share of them comes from N(0, 4 I) instead, so that empty regions agree too."""
    refit_epochs: int = 0
    """Epochs in which the encoder alone is trained against the small decoder."""
    refit_learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        require(self.epochs > 0, "epochs", "must be at least 1")
        require(self.batch_size > 0, "batch_size", "must be at least 1")
        require(0 < self.learning_rate < inf, "learning_rate", "must be above 0 and finite")
        require(0 < self.posterior_scale < inf, "posterior_scale", "must be above 0 and finite")
        require(0 <= self.prior_share <= 1, "prior_share", "is a share, 0 to 1")
        require(self.refit_epochs >= 0, "refit_epochs", "is negative; 0 means none")
        require(
            0 < self.refit_learning_rate < inf,
            "refit_learning_rate",
            "must be above 0 and finite",
        )


@dataclass(frozen=True)
class Recipe:
    id: str
    title: str
    summary: str
    """One line: what to look for in this model."""
    family: Literal["vae", "ae"]
    dataset: Literal["mnist", "fashion-mnist"]
    latent_dim: int
    encoder: Network
    decoder: Network
    training: Training
    likelihood: Literal["bernoulli"] = "bernoulli"
    posterior: Literal["diagonal", "cholesky", "point"] = "diagonal"
    """Form of q(z|x); "point" for an autoencoder, and only there."""
    beta: float = 1.0
    """Weight of the KL term."""
    seed: int = 0
    distillation: Distillation | None = field(default=None)

    def __post_init__(self) -> None:
        require(
            re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id) is not None,
            "id",
            f'is "{self.id}"; use lower-case words and numbers joined by hyphens',
        )
        require(2 <= self.latent_dim <= 256, "latent_dim", "must be 2 to 256; a map needs two")
        require(0 <= self.beta < inf, "beta", "weighs a penalty: at least 0, which switches it off")
        require(0 <= self.seed < 2**31, "seed", "must be 0 to 2147483647")
        require(
            (self.family == "ae") == (self.posterior == "point"),
            "posterior",
            f'is "{self.posterior}" in family "{self.family}"; '
            'an autoencoder has "point", a VAE "diagonal" or "cholesky"',
        )
        require(
            self.distillation is None or self.family == "vae",
            "family",
            'is "ae"; only a VAE has posteriors to distil from, so drop [distillation]',
        )

    @property
    def trained_decoder(self) -> Network:
        """The decoder that learns from the images: the teacher if there is one."""
        return self.distillation.teacher if self.distillation else self.decoder

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON values, for the card."""
        return dataclasses.asdict(self)

    @classmethod
    def load(cls, name: str | Path) -> Recipe:
        """Read a recipe by the name of one in `recipes/` or by the path of a TOML file.

        Raises:
            RecipeError: No such file, or a field is unknown, missing, of the wrong type or out of
                range; the message names the line and the remedy.
        """
        path = Path(name)
        if not path.suffix:
            path = RECIPES / f"{name}.toml"
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
            raise RecipeError(f"There is no recipe {path}. Give a TOML file or one of: {known}.")
        return read_toml(cls, path)

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> Recipe:
        """Read back what `as_dict` gave; raises RecipeError."""
        return read_table(cls, table)
