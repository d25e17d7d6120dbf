"""The tables of a recipe, as checked dataclasses; `recipe.py` combines them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from model.recipes.strict_toml import require

WIDEST = 16_384
"""Most units, channels, frequencies or dimensions of a layer; more would fill the memory."""
MOST_HALVINGS = 5
"""Layers of a convolutional network; the smallest images have a pixel left after three."""
TRAIN_IMAGES = 60_000
"""Training images of each published data set."""


@dataclass(frozen=True)
class Network:
    """The encoder or the decoder. Wider and deeper networks fit more, and train and draw slower."""

    kind: Literal["mlp", "residual", "conv", "recurrent"]
    """Full layers; the same with short cuts; convolutions; or an LSTM that reads row by row."""
    hidden: tuple[int, ...] = ()
    """Widths of the hidden layers; a residual network has one block for each, all of one width.
    Range: 1 to 16384."""
    channels: tuple[int, ...] = ()
    """Channels of a convolutional network in the layers' order, one for each time that it halves or
    doubles the image: one to five. Range: 1 to 16384."""
    activation: Literal["relu", "silu"] = "silu"
    """Of the hidden layers. "silu" is smooth, and so is the map."""
    fourier_features: int = 0
    """Random frequencies of the input that are added to it; 0 for none. In a decoder of two numbers
    they let images change quickly across the map. Range: 0 to 16384."""
    fourier_scale: float = 1.0
    """Standard deviation of those frequencies, in radians per latent unit. The higher, the finer
    the mosaic of the map. Range: above 0 and finite."""
    dropout: float = 0.0
    """Share of each hidden layer that is switched off at random in training (mlp). Range: at least
    0 and below 1."""
    max_norm: float = 0.0
    """Longest incoming weight vector of a hidden unit (mlp); 0 for no bound. Range: at least 0 and
    finite."""
    output: Literal["linear", "relu"] = "linear"
    """Activation of the last layer; with "relu", codes of an autoencoder can be exactly 0."""

    def __post_init__(self) -> None:
        wanted = {"mlp": (1, 9), "residual": (1, 9), "conv": (0, 9), "recurrent": (1, 1)}
        least, most = wanted[self.kind]
        require(
            least <= len(self.hidden) <= most,
            "hidden",
            f"has {len(self.hidden)} widths; {self.kind} takes {least} to {most}",
        )
        require(min(self.hidden, default=1) > 0, "hidden", "has a width below 1")
        for name in ("hidden", "channels"):
            widest = max(getattr(self, name), default=0)
            require(widest <= WIDEST, name, f"has a width above {WIDEST}")
        require(self.fourier_features <= WIDEST, "fourier_features", f"must be at most {WIDEST}")
        require(
            self.kind != "residual" or len(set(self.hidden)) == 1,
            "hidden",
            f"is {list(self.hidden)}; the blocks of a residual network share one width",
        )
        require(
            (1 <= len(self.channels) <= MOST_HALVINGS if self.kind == "conv" else not self.channels)
            and all(n > 0 for n in self.channels),
            "channels",
            f"is {list(self.channels)}; conv takes one to {MOST_HALVINGS}, others none",
        )
        require(
            self.fourier_features == 0 or self.kind in ("mlp", "residual"),
            "fourier_features",
            f"does not go with {self.kind}",
        )
        require(self.fourier_features >= 0, "fourier_features", "is negative; 0 means none")
        require(0 < self.fourier_scale < inf, "fourier_scale", "must be above 0 and finite")
        require(0 <= self.dropout < 1, "dropout", "is a share, at least 0 and below 1")
        require(0 <= self.max_norm < inf, "max_norm", "must be at least 0, which means no bound")
        for name in ("dropout", "max_norm"):
            require(not getattr(self, name) or self.kind == "mlp", name, "is for kind mlp; drop it")


@dataclass(frozen=True)
class Training:
    """The main stage: encoder and decoder learn the objective together."""

    epochs: int = 0
    """Times that every image is seen; at least 1, unless `[distillation]` replaces training. Range:
    at least 0."""
    batch_size: int = 256
    """Images in a step. Few images want small batches, so that an epoch has many steps. Range: 1 to
    60000."""
    learning_rate: float = 1e-3
    """Peak of Adam's step size; reached after `warmup`, then falling by `decay`. Range: above 0 and
    finite."""
    encoder_pace: float = 1.0
    """The encoder's step size as a share of it; a slower encoder keeps the plane's order. Range:
    above 0 and at most 1."""
    decay: Literal["cosine", "none"] = "cosine"
    """How the step size falls towards the end."""
    warmup: float = 0.02
    """Share of all steps in which the learning rate rises from 0. Range: 0 to 1."""
    kl_warmup: float = 0.0
    """Share of all steps in which the KL weight rises from a tenth of `beta` to `beta`, so that no
    number of the code falls silent early. Range: 0 to 1."""
    ema: float = 0.0
    """Decay per step of a moving average of the weights, which is kept instead of them; 0: none.
    Range: at least 0 and below 1."""
    gradient_clip: float = 0.0
    """Largest norm of the gradient, in all stages; longer ones are shortened; 0: no bound. Range:
    at least 0 and finite."""
    binarise: bool = False
    """Draw each pixel as 0 or 1 with its grey level as probability, again in every batch. For ink
    on paper; leave it out for shades of grey."""
    noise: float = 0.0
    """Largest standard deviation of noise on the encoder's input. Each image draws its own, from 0
    to this; the target stays clean. Range: at least 0 and finite."""
    sparsity: float = 0.0
    """Price in nats of each unit of an autoencoder's |code|, so that few numbers differ from 0.
    Range: at least 0 and finite."""
    sparsity_warmup: float = 0.0
    """Share of all steps in which that price rises from 0, so that no number stays unused. Range: 0
    to 1."""
    held_out: int = 0
    """Training images held out to follow the objective; 0 follows it on the test images. Range: 0
    to 59999."""

    def __post_init__(self) -> None:
        require(self.epochs >= 0, "epochs", "is negative")
        require(self.batch_size > 0, "batch_size", "must be at least 1")
        _require_rate(self.learning_rate)
        require(0 < self.encoder_pace <= 1, "encoder_pace", "is a share, above 0 and at most 1")
        for name in ("warmup", "kl_warmup", "sparsity_warmup"):
            require(0 <= getattr(self, name) <= 1, name, "is a share of all steps, 0 to 1")
        require(0 <= self.ema < 1, "ema", "must be at least 0 and below 1")
        for name in ("gradient_clip", "noise", "sparsity"):
            require(0 <= getattr(self, name) < inf, name, "must be at least 0 and finite")
        require(0 <= self.held_out < TRAIN_IMAGES, "held_out", "must leave images to train on")
        require(
            self.batch_size <= TRAIN_IMAGES - self.held_out,
            "batch_size",
            f"is {self.batch_size}; there are {TRAIN_IMAGES - self.held_out} images to train on",
        )


@dataclass(frozen=True)
class Layout:
    """Before training: t-SNE places images on the plane, and the networks learn the places."""

    images: int
    """Images that t-SNE maps; each other image takes the place of a similar one. 10,000 take two
    minutes. Range: 100 to 60000."""
    epochs: int
    """Times that every image is seen. Range: at least 1."""
    learning_rate: float = 1e-3
    """Peak of Adam's step size. Range: above 0 and finite."""

    def __post_init__(self) -> None:
        require(100 <= self.images <= TRAIN_IMAGES, "images", f"must be 100 to {TRAIN_IMAGES}")
        require(self.epochs > 0, "epochs", "must be at least 1")
        _require_rate(self.learning_rate)


@dataclass(frozen=True)
class Pretraining:
    """Before training: each layer in turn learns to undo noise on the output of the one below.

    Source: Vincent et al. 2010, "Stacked denoising autoencoders", JMLR 11.
    """

    epochs: int
    """Of each layer. Range: at least 1."""
    noise: float = 0.2
    """Share of a layer's inputs that are set to 0. Range: at least 0 and below 1."""
    learning_rate: float = 1e-3
    """Peak of Adam's step size. Range: above 0 and finite."""

    def __post_init__(self) -> None:
        require(self.epochs > 0, "epochs", "must be at least 1")
        require(0 <= self.noise < 1, "noise", "is a share, at least 0 and below 1")
        _require_rate(self.learning_rate)


@dataclass(frozen=True)
class Importance:
    """After training: the decoder learns from samples of the true posterior.

    For each image `samples` latents of q(z|x) are drawn and weighted by p(x, z) / q(z|x).
    """

    epochs: int
    """Times that every image is seen. Range: at least 1."""
    samples: int = 8
    """Latents of each image; more come nearer to the true posterior, and take longer. Range: at
    least 2."""
    learning_rate: float = 4e-4
    """Peak of Adam's step size. Range: above 0 and finite."""

    def __post_init__(self) -> None:
        require(self.epochs > 0, "epochs", "must be at least 1")
        require(self.samples > 1, "samples", "must be at least 2; with 1 it is the ELBO")
        _require_rate(self.learning_rate)


@dataclass(frozen=True)
class Distillation:
    """Instead of training: a small decoder learns the images of another model's decoder."""

    teacher: str
    """Id of that model, whose checkpoint must exist; this model's encoder starts as its encoder."""
    epochs: int
    """Epochs of 500 batches of latents each. Range: at least 1."""
    batch_size: int = 512
    """Latents in a step. Range: at least 1."""
    learning_rate: float = 2e-3
    """Peak of Adam's step size. Range: above 0 and finite."""
    posterior_scale: float = 1.5
    """Latents come from the posteriors of training images, widened by this factor. Range: above 0
    and finite."""
    prior_share: float = 0.125
    """Share of latents that come from N(0, 4 I) instead, so that empty regions agree too. Range: 0
    to 1."""

    def __post_init__(self) -> None:
        require(self.epochs > 0, "epochs", "must be at least 1")
        require(self.batch_size > 0, "batch_size", "must be at least 1")
        _require_rate(self.learning_rate)
        require(0 < self.posterior_scale < inf, "posterior_scale", "must be above 0 and finite")
        require(0 <= self.prior_share <= 1, "prior_share", "is a share, 0 to 1")


@dataclass(frozen=True)
class Refit:
    """Last: the encoder alone learns the ELBO, with the final decoder."""

    epochs: int
    """Times that every image is seen. Range: at least 1."""
    learning_rate: float = 1e-4
    """Peak of Adam's step size. Range: above 0 and finite."""

    def __post_init__(self) -> None:
        require(self.epochs > 0, "epochs", "must be at least 1")
        _require_rate(self.learning_rate)


@dataclass(frozen=True)
class Codebook:
    """The discrete latents of a VQ-VAE: at each of 7 x 7 places, the nearest of some vectors."""

    entries: int
    """Vectors to choose from. Range: 2 to 65536."""
    dimensions: int
    """Of each entry. Range: 1 to 16384."""
    commitment: float = 0.25
    """Weight of the pull of the encoder's output towards its entry. Range: above 0 and finite."""

    def __post_init__(self) -> None:
        require(2 <= self.entries <= 65_536, "entries", "must be 2 to 65536")
        require(self.dimensions > 0, "dimensions", "must be at least 1")
        require(self.dimensions <= WIDEST, "dimensions", f"must be at most {WIDEST}")
        require(0 < self.commitment < inf, "commitment", "must be above 0 and finite")


def _require_rate(learning_rate: float) -> None:
    require(0 < learning_rate < inf, "learning_rate", "must be above 0 and finite")
