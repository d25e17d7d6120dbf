"""The constraints file decides every version: on this machine, on a bare one, in the image."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text()
    return dict(re.findall(r"^([^#=\s]+)==(\S+)$", lines, flags=re.MULTILINE))


def installed(group: str) -> dict[str, str]:
    """Name and version of every package that a dependency group brings, straight or not."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    waiting: list[tuple[Requirement, str]] = []

    def include(name: str) -> None:
        for entry in groups[name]:
            if isinstance(entry, dict):
                include(entry["include-group"])
            else:
                waiting.append((Requirement(entry), ""))

    include(group)
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        distribution = importlib.metadata.distribution(name)
        found[name] = Version(distribution.version).public
        for wanted in {"", *requirement.extras}:
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                needs = map(Requirement, distribution.requires or [])
                waiting.extend((need, wanted) for need in needs)
    return found


def test_every_package_the_project_brings_is_pinned_to_the_version_that_is_installed() -> None:
    pinned = pins()
    assert {name: pinned.get(name) for name in installed("dev")} == installed("dev")


def test_pins_name_no_platform() -> None:
    local = {name: version for name, version in pins().items() if Version(version).local}
    assert local == {}, "a suffix such as +cpu keeps everyone else from installing"
