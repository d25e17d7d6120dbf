"""What every test shares: which are slow, in which order they run, and how hypothesis draws."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
SLOW = {
    "app/api/test_any_input.py": "slow",
    "app/api/test_hostile_latents.py": "slow",
    "app/kserve/test_any_input.py": "slow",
    "app/test_contract.py": "slow",
    "app/test_examples.py": "slow",
    "browser": "browser",
    "browsers": "browser",
    "deploy": "deploy",
    "model/training": "training",
    "model/evaluation": "training",
}
"""Places, and the mark of all tests there; what the marks mean stands in pyproject.toml."""
TRAINED = {"relatives"}
"""Fixtures that train for long; so their tests are marked `training` too."""

# Speed is no test's business: it depends on the machine. And a failure must come again: each run
# draws the same examples.
settings.register_profile("project", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("project")

# A shell that starts pytest in the background has it ignore Ctrl-C, and so would its children.
signal.signal(signal.SIGINT, signal.default_int_handler)


def mark_of(path: Path) -> str | None:
    """Return the mark of the tests in a file or a folder."""
    marks = (mark for place, mark in SLOW.items() if path.is_relative_to(TESTS / place))
    return next(marks, None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what is deselected by its mark: to import it would take longer than the rest."""
    mark = mark_of(collection_path)
    return True if mark and f"not {mark}" in config.option.markexpr else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and let the browser come last: its event loop is in others' way."""
    for item in items:
        mark = mark_of(item.path)
        if mark:
            item.add_marker(mark)
        elif isinstance(item, pytest.Function) and TRAINED & set(item.fixturenames):
            item.add_marker("training")
    items.sort(key=lambda item: mark_of(item.path) == "browser")
