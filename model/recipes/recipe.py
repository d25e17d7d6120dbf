"""A recipe: the TOML file from which a model is trained, read into checked dataclasses.

The files beside this one are examples. Each field's meaning is given below it, here and in
`tables.py`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal

from model.errors import RecipeError
from model.recipes.strict_toml import read_table, read_toml, require
from model.recipes.tables import (
    TRAIN_IMAGES,
    Codebook,
    Distillation,
    Importance,
    Layout,
    Network,
    Pretraining,
    Refit,
    Training,
)

RECIPES = Path(__file__).parent
POSTERIORS = {"ae": ("point",), "vae": ("diagonal", "cholesky"), "vqvae": ("codebook",)}


@dataclass(frozen=True)
class Recipe:
    id: str
    """The model's name, in URLs and folders: lower-case words and numbers joined by hyphens."""
    title: str
    """Its name for people."""
    summary: str
    """One line: what to look for in this model."""
    group: str
    """The heading under which it is listed: map, holes, kl, likelihood, network, relatives, twenty
    or clothes, which the page explains, or any text of up to 60 characters, which it shows."""
    family: Literal["vae", "ae", "vqvae"]
    """A variational autoencoder, whose map has no holes to speak of; a plain one, whose map has; or
    one with a codebook, which has no map."""
    dataset: str
    """"mnist", "fashion-mnist", or the name of one's own data set in the data folder."""
    latent_dim: int
    """Numbers in a code; for a VQ-VAE, the 49 cells of its grid. With 2 the map is the whole space;
    with more it is a plane in it, and images are closer copies. Range: 2 to 256."""
    encoder: Network
    """From an image to its code."""
    decoder: Network
    """From a code to an image. A wider one draws finer, and takes longer for each tile."""
    training: Training
    """The main stage."""
    likelihood: Literal["bernoulli", "continuous-bernoulli", "gaussian", "discretised-logistic"] = (
        "bernoulli"
    )
    """What a pixel may be: ink or none, a level from 0 to 1, any number, or one of 256 levels. The
    last two learn how far a pixel may lie off, and suit images in colour."""
    posterior: Literal["diagonal", "cholesky", "point", "codebook"] = "diagonal"
    """Form of q(z|x): a Gaussian in a VAE, "point" in an autoencoder, "codebook" in a VQ-VAE."""
    beta: float = 1.0
    """Weight of the KL term. More of it packs the codes closer and blurs the images; 0 leaves
    holes. Range: at least 0 and finite."""
    refinements: int = 0
    """Rounds in which the trained decoder corrects each posterior; for 2-D cholesky ones. Codes
    move to where the decoder draws them best. Range: 0 to 9."""
    seed: int = 0
    """Of all that is random; another gives another map. Range: 0 to 2147483647."""
    codebook: Codebook | None = None
    """For family "vqvae", and only there."""
    layout: Layout | None = None
    """For a VAE with two numbers: its map starts ordered, so that alike images are neighbours."""
    pretraining: Pretraining | None = None
    """For family "ae" with mirrored mlps."""
    importance: Importance | None = None
    """For a VAE: finer images at small scale."""
    distillation: Distillation | None = None
    """For a VAE: a small decoder that is quick to draw, with the map of another model."""
    refit: Refit | None = None
    """For a VAE: codes that fit the final decoder."""

    def __post_init__(self) -> None:
        for name in ("id", "dataset"):
            value: str = getattr(self, name)
            require(
                re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value) is not None,
                name,
                f'is "{value}"; use lower-case words and numbers joined by hyphens',
            )
        require(
            re.fullmatch(r"\S(.{0,58}\S)?", self.group) is not None,
            "group",
            f'is "{self.group}"; give the heading under which it is listed, of up to 60 characters',
        )
        require(2 <= self.latent_dim <= 256, "latent_dim", "must be 2 to 256; a map needs two")
        require(0 <= self.beta < inf, "beta", "weighs a penalty: at least 0, which switches it off")
        require(0 <= self.refinements <= 9, "refinements", "must be 0 to 9")
        require(
            self.refinements == 0 or (self.posterior, self.latent_dim) == ("cholesky", 2),
            "refinements",
            "need a plane, on which ellipses can turn: latent_dim 2 and posterior cholesky",
        )
        require(0 <= self.seed < 2**31, "seed", "must be 0 to 2147483647")
        forms = POSTERIORS[self.family]
        require(
            self.posterior in forms,
            "posterior",
            f'is "{self.posterior}" in family "{self.family}"; '
            f"there it must be {' or '.join(repr(form) for form in forms)}",
        )
        self._require_networks()
        self._require_stages()

    def _require_networks(self) -> None:
        for name in ("encoder", "decoder"):
            network: Network = getattr(self, name)
            require(
                network.kind != "conv" or bool(network.hidden) or self.family == "vqvae",
                name,
                "is conv without hidden layers, which gives a grid; only a VQ-VAE takes one",
            )
            require(
                network.output == "linear" or (name, self.family) == ("encoder", "ae"),
                name,
                'ends in "relu"; only the encoder of an autoencoder may',
            )

    def _require_stages(self) -> None:
        require(
            self.layout is None or (self.family, self.latent_dim) == ("vae", 2),
            "layout",
            "gives places on a plane; family must be vae and latent_dim 2",
        )
        require(
            self.layout is None or self.layout.images < TRAIN_IMAGES - self.training.held_out,
            "layout",
            f"maps {self.layout.images if self.layout else 0} images; there must be others to "
            "place beside them, so give it fewer",
        )
        for name in ("importance", "distillation", "refit"):
            require(
                getattr(self, name) is None or self.family == "vae",
                "family",
                f'is "{self.family}"; only a VAE has posteriors to learn from, so drop [{name}]',
            )
        require(
            self.training.epochs > 0 or self.distillation is not None,
            "training",
            "has epochs = 0, which trains nothing; give it at least 1",
        )
        require(
            self.training.epochs == 0 or self.distillation is None,
            "distillation",
            "takes the place of training; leave epochs out of [training]",
        )
        require(
            (self.codebook is not None) == (self.family == "vqvae"),
            "codebook",
            'goes with family "vqvae", and only with it',
        )
        require(
            self.family != "vqvae" or self.latent_dim == 49,
            "latent_dim",
            "must be 49 for a VQ-VAE: a grid of 7 x 7",
        )
        for name in ("encoder", "decoder"):
            channels = getattr(self, name).channels
            require(
                self.family != "vqvae" or len(channels) == 2,
                name,
                f"has the channels {list(channels)}; a VQ-VAE takes two, for its grid of 7 x 7",
            )
        require(
            self.distillation is None or self.likelihood == "bernoulli",
            "distillation",
            f'compares pixels that are ink or none; likelihood is "{self.likelihood}"',
        )
        require(
            self.distillation is None or self.importance is None,
            "importance",
            "is for the teacher; with [distillation] drop it",
        )
        require(
            self.pretraining is None or self._is_stack,
            "pretraining",
            "takes layers in pairs: the family must be ae, encoder and decoder mlps without "
            "Fourier features, and the hidden widths of one those of the other in reverse",
        )
        require(
            self.family == "ae" or self.training.noise == self.training.sparsity == 0,
            "training",
            f"has noise or sparsity, which are for family ae; here it is {self.family}",
        )

    @property
    def _is_stack(self) -> bool:
        """Whether each layer of the encoder has a mirror image in the decoder."""
        networks = (self.encoder, self.decoder)
        return (
            self.family == "ae"
            and all(n.kind == "mlp" and not n.fourier_features for n in networks)
            and self.encoder.hidden == self.decoder.hidden[::-1]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values, for the card."""
        return dataclasses.asdict(self)

    @classmethod
    def load(cls, name: str | Path) -> Recipe:
        """Read a recipe by the name of one in this folder, or by the path of a TOML file.

        Raises:
            RecipeError: There is no such file, or a field is unknown, missing, of the wrong type or
                out of range; the message names the line and the remedy.
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
        """Read back what `as_dict` returned; raise RecipeError."""
        return read_table(cls, table)
