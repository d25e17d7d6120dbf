"""Short seeded runs against the losses that they gave when they were last looked at.

After a change that is meant to change them: `python -m tests.model.training.test_baseline`
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.model import tiny
from tests.model.training.runs import SHIPPED, start, taught_by

BASELINE = Path(__file__).parent / "baseline.json"
RECIPES = {
    "vae": tiny.RECIPE,
    "taught": tiny.TAUGHT,
    "autoencoder": tiny.AUTOENCODER,
    "stacked": tiny.STACKED,
    "codebook": tiny.CODEBOOK,
    "article": tiny.ARTICLE,
    "gaussian": tiny.GAUSSIAN,
    "continuous-bernoulli": tiny.CONTINUOUS_BERNOULLI,
}
TOLERANCE = 1e-3
"""Relative. Without vector instructions and on two threads they came within 2e-6."""


def losses(text: str) -> dict[str, dict[str, float]]:
    """What a run on the first thousand shipped images records after each epoch."""
    train, test = SHIPPED[:1000], SHIPPED[1000:1200]
    with TemporaryDirectory() as name:
        folder, teacher = Path(name), None
        recipe = tiny.recipe(folder, text)
        if recipe.distillation:
            first = start(folder, tiny.recipe(folder), train=train, test=test, precision="highest")
            first.finish()
            teacher = taught_by(first, folder)
        run = start(folder, recipe, teacher=teacher, train=train, test=test, precision="highest")
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
