"""What we depend on: known faults, licences, and a list of it all: `python -m tools.audit`.

    build/sbom.cdx.json   every package that the server is made of, in CycloneDX

Exits with 1 if a package has a known fault or a licence that is not in `ACCEPTED`. Faults are asked
of the public advisory database; where it cannot be reached, that is said, and counts as a failure.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
SBOM = ROOT / "build" / "sbom.cdx.json"
ACCEPTED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|HPND|CMU|Unlicense|Zlib|CC0"
)
"""Licences under which a package may be used and shipped beside this project."""
SERVE = "serve"


def main() -> int:
    """Run the three checks; 0 if all is well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--offline", action="store_true", help="do not ask about known faults")
    options = parser.parse_args()
    packages = dependencies(SERVE)
    strange = {d.name: licence(d) for d in packages if not ACCEPTED.search(licence(d))}
    for name, said in strange.items():
        print(f"{name}: the licence {said!r} is not among those accepted")
    print(
        f"{len(packages)} packages serve; {len(packages) - len(strange)} have an accepted licence"
    )
    made = write_list(packages)
    known = True if options.offline else has_no_known_fault(packages)
    return 0 if made and known and not strange else 1


def dependencies(group: str) -> list[Distribution]:
    """Return every package that a dependency group brings, straight or not, by name."""
    waiting = [(requirement, "") for requirement in named(group)]
    found: dict[str, Distribution] = {}
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if name in found or (marker and not marker.evaluate({"extra": extra})):
            continue
        found[name] = distribution(name)
        for needed in found[name].requires or []:
            waiting += [(Requirement(needed), wanted) for wanted in {"", *requirement.extras}]
    return [found[name] for name in sorted(found)]


def named(group: str) -> list[Requirement]:
    """Return what a dependency group lists, and the groups that it includes."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return [
        requirement
        for entry in groups[group]
        for requirement in (
            named(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
        )
    ]


def licence(package: Distribution) -> str:
    """Say under which licence a package comes, in its own words."""
    said = package.metadata
    classes = [c for c in said.get_all("Classifier") or [] if c.startswith("License ::")]
    named = (
        *(said.get_all("License-Expression") or ()),
        "; ".join(c.rpartition(" :: ")[2] for c in classes),
        *(said.get_all("License") or ()),
        "none",
    )
    first: str = next(name for name in named if name)
    return first.partition("\n")[0]


def write_list(packages: list[Distribution]) -> bool:
    """Write the CycloneDX list of these packages; True if that worked."""
    SBOM.parent.mkdir(exist_ok=True)
    pins = SBOM.with_name("served.txt")
    pins.write_text("".join(f"{d.name}=={Version(d.version).public}\n" for d in packages))
    made = run("cyclonedx_py", "requirements", str(pins), "--output-file", str(SBOM))
    print(f"{SBOM.relative_to(ROOT)} {'lists them' if made else 'could not be written'}")
    return made


def has_no_known_fault(packages: list[Distribution]) -> bool:
    """Ask the advisory database about these versions."""
    pins = SBOM.with_name("served.txt")
    strictly = ("--strict", "--no-deps", "--disable-pip")
    well = run("pip_audit", "--requirement", str(pins), *strictly)
    if not well:
        print(
            "A package has a known fault, or the advisory database did not answer for one, as "
            "where no network leads to it: the lines above say which. --offline does not ask."
        )
    return well


def run(module: str, *arguments: str) -> bool:
    """Run a Python program in sight; True if it succeeded."""
    return subprocess.run([sys.executable, "-m", module, *arguments]).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
