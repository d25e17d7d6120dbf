"""Short seeded runs against the losses that they gave when they were last looked at.

After a change that is meant to change them: `python -m tests.model.training.test_baseline`
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from model.data import datasets
from model.training.run import Run
from tests.model import tiny

BASELINE = Path(__file__).parent / "baseline.json"
RECIPES = {"vae": tiny.RECIPE, "autoencoder": tiny.AUTOENCODER, "article": tiny.ARTICLE}
TOLERANCE = 1e-3
"""Relative. Without vector instructions and on two threads they came within 2e-6."""


def losses(text: str) -> dict[str, dict[str, float]]:
    """What a run on the first thousand shipped images records after each epoch."""
    shipped = datasets.test_set("mnist").images
    with TemporaryDirectory() as folder:
        recipe = tiny.recipe(Path(folder), text)
        state = Path(folder) / "state.safetensors"
        run = Run(recipe, shipped[:1000], shipped[1000:1200], state, say=lambda line: None)
        run.finish()
    return {
        f"{entry['stage']} {entry['epoch']}": {
            name: value
            for name, value in entry.items()
            if name not in ("stage", "epoch", "seconds")
        }
        for entry in run.progress.history
    }


@pytest.mark.parametrize("name", RECIPES)
def test_a_short_training_gives_the_losses_of_the_baseline(name: str) -> None:
    expected = json.loads(BASELINE.read_text(encoding="utf-8"))[name]
    found = losses(RECIPES[name])
    assert found.keys() == expected.keys()
    for epoch, numbers in expected.items():
        assert found[epoch] == pytest.approx(numbers, rel=TOLERANCE), epoch


if __name__ == "__main__":
    table = {name: losses(text) for name, text in RECIPES.items()}
    BASELINE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
