"""`.github/workflows`: of the shape that GitHub takes, and what they call is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import ROOT, unknown_variables
from tests.deploy.schemas import complaints

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))

each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        yield from job["steps"]


@each_workflow
def test_a_workflow_has_the_shape_that_github_publishes(workflow: Path) -> None:
    assert complaints("github-workflows", workflow) == ""


@each_workflow
def test_every_make_command_of_a_workflow_exists(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    runs = "\n".join(step.get("run", "") for step in steps(workflow))
    named = re.findall(r"\bmake((?: [a-z-]+)+)", runs)
    assert named
    assert {word for words in named for word in words.split()} <= targets


@each_workflow
def test_what_a_workflow_sets_are_settings(workflow: Path) -> None:
    variables = {
        name: value for step in steps(workflow) for name, value in step.get("env", {}).items()
    }
    assert list(unknown_variables(variables)) == []


@each_workflow
def test_a_workflow_may_read_the_repository_and_nothing_else(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {"contents": "read"}
