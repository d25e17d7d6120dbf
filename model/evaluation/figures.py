"""The figures of docs/models.md: those of the source articles, drawn from our own models.

Shapes: N images, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.data.datasets import DATASETS
from model.engine import Engine, test_set
from model.recipes.recipe import Recipe
from model.vae.autoencoder import build_autoencoder
from model.vae.likelihood import grey_levels

VAE, AE = "mnist-vae-2d-plain", "mnist-ae-2d"
LADDER = (
    "mnist-vae-2d-reconstruction-only",
    "mnist-vae-2d-beta-025",
    "mnist-vae-2d-beta-1",
    "mnist-vae-2d-beta-4",
    "mnist-vae-2d-beta-16",
    "mnist-vae-2d-beta-64",
)
CLOTHES = ("fashion-ae-2d", "fashion-vae-2d-plain", "fashion-vae-2d-dropout")
GRID = 16
PRIOR_REACH = 2.6
"""Half the side of a decoded grid, in standard deviations of the prior."""
EXAMPLES = (3, 2, 1, 18, 4, 8, 11, 0, 61, 7)
"""Test images of 0, 1, 2 … 9."""
SEED = 0
PAPER, INK = "white", "#222222"


def draw_all(checkpoints: Path, folder: Path) -> list[Path]:
    """Draw every figure as a PNG file; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    figures: dict[str, tuple[Callable[..., Figure], Sequence[str]]] = {
        "codes": (draw_codes, (AE, VAE)),
        "draws": (draw_samples, (AE, VAE)),
        "grid": (draw_grids, (AE, VAE)),
        "zero-to-six": (draw_walks, (AE, VAE)),
        "reconstructions": (draw_reconstructions, ("mnist-vae-20d", VAE)),
        "clothes": (draw_grids, CLOTHES),
        "ladder": (draw_grids, LADDER),
    }
    written = []
    for name, (draw, ids) in figures.items():
        with mpl.rc_context({"font.size": 8, "text.color": INK, "axes.edgecolor": "#bbbbbb"}):
            figure = draw([Engine.load(checkpoints / id_, "cpu") for id_ in ids])
        written.append(folder / f"{name}.png")
        figure.savefig(written[-1], dpi=110, facecolor=PAPER, metadata={"Software": None})
    return written


def draw_codes(engines: Sequence[Engine]) -> Figure:
    """Draw the codes of the test images by class, each plane on its own scale."""
    figure, axes = _row(len(engines), 4.2)
    for ax, engine in zip(axes, engines, strict=True):
        names = DATASETS[engine.card.dataset].label_names
        for label, name in enumerate(names):
            codes = engine.codes[engine.labels == label]
            colour = mpl.colormaps["tab10"](label)
            ax.scatter(codes[:, 0], codes[:, 1], s=0.6, color=colour, alpha=0.6, linewidths=0)
            u, v = np.median(codes, axis=0)
            ax.text(u, v, name, weight="bold", ha="center", va="center")
        ax.set_title(engine.card.id)
        ax.set_aspect("equal", "datalim")
    return figure


def draw_samples(engines: Sequence[Engine]) -> Figure:
    """Draw decoded samples of each prior."""
    figure, axes = _row(len(engines), 3.6)
    for ax, engine in zip(axes, engines, strict=True):
        _show(ax, mosaic(engine.decode(engine.sample(64, SEED)), 8))
        ax.set_title(engine.card.id)
    return figure


def draw_grids(engines: Sequence[Engine]) -> Figure:
    """Draw a decoded square of each prior: N(0, I), or the Gaussian fitted to the codes."""
    figure, axes = _row(len(engines), 3.6 if len(engines) < 4 else 2.6)
    for ax, engine in zip(axes, engines, strict=True):
        _show(ax, mosaic(engine.decode(grid_of_prior(engine)), GRID))
        ax.set_title(engine.card.id.removeprefix("mnist-vae-2d-"))
    return figure


def draw_walks(engines: Sequence[Engine]) -> Figure:
    """Draw a path from the code of a 0 to that of a 6: z_i = (1 - i/N) z_0 + (i/N) z_6."""
    figure, axes = _row(1, 6.4, rows=len(engines), height=0.9)
    for ax, engine in zip(axes, engines, strict=True):
        start, end = engine.codes[EXAMPLES[0]], engine.codes[EXAMPLES[6]]
        walk = engine.interpolate(start, end, 8)
        _show(ax, mosaic(engine.decode(walk.latents), 8))
        ax.set_title(engine.card.id, loc="left")
    return figure


def draw_reconstructions(engines: Sequence[Engine]) -> Figure:
    """Draw ten test images with their reconstructions before and after training."""
    figure, axes = _row(1, 6.4, rows=len(engines), height=1.9)
    for ax, engine in zip(axes, engines, strict=True):
        images = test_set(engine.card.dataset).images[list(EXAMPLES)]
        encoded = engine.encode(images.astype(np.float32) / 255)
        rows = [images, untrained(engine, images), encoded.reconstruction_image]
        _show(ax, mosaic(np.concatenate(rows), len(images)))
        ax.set_title(f"{engine.card.id}: originals, before training, after", loc="left")
    return figure


@torch.inference_mode()
def untrained(
    engine: Engine, images: UInt8[np.ndarray, "count ..."]
) -> UInt8[np.ndarray, "count ..."]:
    """Return reconstructions by the untrained network, with weights from its recipe's seed."""
    recipe = Recipe.from_dict(engine.card.recipe)
    torch.manual_seed(recipe.seed)
    autoencoder = build_autoencoder(recipe, engine.image).eval()
    image_NP = torch.from_numpy(images.reshape(len(images), -1).astype(np.float32) / 255)
    mean_NP = autoencoder.likelihood.mean(autoencoder.reconstruct(image_NP))
    return grey_levels(mean_NP).numpy().reshape(-1, *engine.image.axes)


def grid_of_prior(engine: Engine) -> Float[np.ndarray, "256 latent"]:
    """Return latents in equal steps along both axes of the prior, the top row first."""
    steps = (np.arange(GRID) + 0.5) / GRID * 2 * PRIOR_REACH - PRIOR_REACH
    u, v = np.meshgrid(steps, -steps)
    points = np.stack([u.ravel(), v.ravel()], axis=1)
    if engine.card.family == "ae":
        return np.asarray(engine.codes.mean(axis=0) + points * engine.codes.std(axis=0))
    return points


def mosaic(
    images: UInt8[np.ndarray, "count ..."], columns: int
) -> UInt8[np.ndarray, "height width ..."]:
    """Return images side by side, row after row."""
    _, height, width, *rgb = images.shape
    rows = images.reshape(-1, columns, height, width, *rgb).swapaxes(1, 2)
    return rows.reshape(-1, columns * width, *rgb)


def _row(
    columns: int, width: float, *, rows: int = 1, height: float | None = None
) -> tuple[Figure, list[Axes]]:
    """Return axes without ticks side by side, at most three in a row."""
    across = min(columns, 3)
    down = rows * -(-columns // across)
    figure = Figure((across * width, down * (height or width) + 0.3 * down), layout="constrained")
    axes = [figure.add_subplot(down, across, i + 1) for i in range(columns * rows)]
    for ax in axes:
        ax.set_xticks([])
        ax.set_yticks([])
    return figure, axes


def _show(ax: Axes, picture: UInt8[np.ndarray, "h w"]) -> None:
    ax.imshow(picture, cmap="gray_r", vmin=0, vmax=255, interpolation="none")
