"""A recipe: the TOML file from which a model is trained, read into checked dataclasses.

The files in `recipes/` are the examples; a field's meaning stands under it here.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from model.errors import RecipeError

RECIPES = Path(__file__).parent / "recipes"


class _Refused(Exception):
    """A field holds what it must not; `load` adds the file and the line."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


def _require(condition: bool, key: str, reason: str) -> None:
    if not condition:
        raise _Refused(key, reason)


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
        _require(len(self.hidden) > 0, "hidden", "is empty; give at least one width")
        _require(min(self.hidden, default=1) > 0, "hidden", "has a width below 1")
        _require(
            self.kind != "residual" or len(set(self.hidden)) == 1,
            "hidden",
            f"is {list(self.hidden)}; the blocks of a residual network share one width",
        )
        _require(self.fourier_features >= 0, "fourier_features", "is negative; 0 means none")
        _require(self.fourier_scale > 0, "fourier_scale", "must be above 0")


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
        _require(self.epochs > 0, "epochs", "must be at least 1")
        _require(self.batch_size > 0, "batch_size", "must be at least 1")
        _require(self.learning_rate > 0, "learning_rate", "must be above 0")
        _require(0 <= self.warmup <= 1, "warmup", "is a share of all steps, 0 to 1")
        _require(0 <= self.kl_warmup <= 1, "kl_warmup", "is a share of all steps, 0 to 1")
        _require(0 <= self.ema < 1, "ema", "must be at least 0 and below 1")
        _require(0 <= self.held_out < 60000, "held_out", "must leave images to train on")


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
        _require(self.epochs > 0, "epochs", "must be at least 1")
        _require(self.batch_size > 0, "batch_size", "must be at least 1")
        _require(self.learning_rate > 0, "learning_rate", "must be above 0")
        _require(self.posterior_scale > 0, "posterior_scale", "must be above 0")
        _require(0 <= self.prior_share <= 1, "prior_share", "is a share, 0 to 1")
        _require(self.refit_epochs >= 0, "refit_epochs", "is negative; 0 means none")
        _require(self.refit_learning_rate > 0, "refit_learning_rate", "must be above 0")


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
        _require(
            re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id) is not None,
            "id",
            f'is "{self.id}"; use lower-case words and numbers joined by hyphens',
        )
        _require(1 <= self.latent_dim <= 256, "latent_dim", "must be 1 to 256")
        _require(self.beta >= 0, "beta", "is negative; it weighs a penalty, 0 switches it off")
        _require(0 <= self.seed < 2**31, "seed", "must be 0 to 2147483647")
        _require(
            (self.family == "ae") == (self.posterior == "point"),
            "posterior",
            f'is "{self.posterior}" in family "{self.family}"; '
            'an autoencoder has "point", a VAE "diagonal" or "cholesky"',
        )
        _require(
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
        text = path.read_text(encoding="utf-8")
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"{path} is not valid TOML: {error}.") from error
        return _build(cls, table, _Source(path, text), section="")

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> Recipe:
        """Read back what `as_dict` gave."""
        return _build(cls, table, _Source(Path("card.json"), ""), section="")


@dataclass(frozen=True)
class _Source:
    path: Path
    text: str

    def refuse(self, section: str, key: str, reason: str) -> RecipeError:
        """An error at the line of `key` in `[section]`, else of the section, else of the file."""
        here, line = "", 0
        for number, content in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*\[([^\]]+)\]", content):
                here = header[1].strip()
                line = number if here in (section, f"{section}.{key}".strip(".")) else line
            elif here == section and re.match(rf"\s*{re.escape(key)}\s*=", content):
                line = number
                break
        where = f"{self.path}:{line}" if line else str(self.path)
        name = f"[{section}] {key}" if section else key
        return RecipeError(f"{where}: {name} {reason}.")


def _build(cls: type[Any], table: dict[str, Any], source: _Source, section: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(cls)}
    hints = get_type_hints(cls)
    for key in table:
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            remedy = f'did you mean "{close[0]}"?' if close else f"known here: {', '.join(fields)}"
            raise source.refuse(section, key, f"is unknown; {remedy}")
    values = {}
    for key, spec in fields.items():
        if key in table:
            values[key] = _value(hints[key], table[key], source, section, key)
        elif spec.default is dataclasses.MISSING:
            raise source.refuse(section, key, "is missing; every recipe needs it")
    try:
        return cls(**values)
    except _Refused as refused:
        raise source.refuse(section, refused.key, str(refused)) from None


def _value(hint: Any, value: Any, source: _Source, section: str, key: str) -> Any:
    """Check a TOML value against a field's type; an integer may stand for a float."""
    optional = type(None) in get_args(hint)
    if optional and value is None:
        return None
    kind = get_args(hint)[0] if optional else hint
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise source.refuse(section, key, "must be a table")
        return _build(kind, value, source, f"{section}.{key}".strip("."))
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            allowed = ", ".join(f'"{v}"' for v in get_args(kind))
            raise source.refuse(section, key, f"is {value!r}; allowed: {allowed}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple) or not all(type(v) is int for v in value):
            raise source.refuse(section, key, f"is {value!r}; it must be a list of whole numbers")
        return tuple(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        raise source.refuse(section, key, f"is {value!r}; it must be {names[kind]}")
    return value
