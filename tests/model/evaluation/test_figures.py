from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.checkpoint import CHECKPOINTS
from model.engine import Engine
from model.evaluation.figures import GRID, draw_all, grid_of_prior, mosaic, untrained
from model.evaluation.report import FIGURES


def test_every_figure_of_the_page_is_drawn_from_the_shipped_models(tmp_path: Path) -> None:
    paths = draw_all(CHECKPOINTS, tmp_path / "images")
    assert [path.stem for path in paths] == list(FIGURES)
    for path in paths:
        levels = np.asarray(Image.open(path).convert("L"))
        assert min(levels.shape) > 100
        assert len(np.unique(levels)) > 100


def test_images_lie_side_by_side_row_after_row() -> None:
    images = np.arange(6, dtype=np.uint8).repeat(784).reshape(6, 28, 28)
    sheet = mosaic(images, 3)
    assert sheet.shape == (56, 84)
    assert sheet[::28, ::28].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("name", ["small-vae", "small-ae"])
def test_a_grid_is_centred_on_what_the_model_samples_from(trained: Path, name: str) -> None:
    engine = Engine.load(trained / name, "cpu")
    points = grid_of_prior(engine)
    assert points.shape == (GRID**2, 2)
    centre = engine.codes.mean(0) if name == "small-ae" else np.zeros(2)
    assert points.mean(0) == pytest.approx(centre, abs=1e-3)
    upper, lower = points[0], points[-1]
    assert upper[1] > lower[1], "the top row comes first"


def test_an_untrained_network_gives_back_one_grey_for_all(trained: Path) -> None:
    engine = Engine.load(trained / "small-vae", "cpu")
    images = np.zeros((3, 28, 28), np.uint8)
    images[1] = 255
    back = untrained(engine, images)
    assert back.shape == (3, 28, 28)
    assert np.abs(back.astype(int) - 128).max() < 40
    assert (untrained(engine, images) == back).all(), "the recipe's seed decides"
