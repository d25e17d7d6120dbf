"""`make audit`: what it can tell without asking anyone."""

from tools.audit import ACCEPTED, SERVE, dependencies, licence


def test_the_audit_knows_every_package_that_serves_also_of_an_included_group() -> None:
    names = {package.name.lower() for package in dependencies(SERVE)}
    assert {"fastapi", "starlette", "torch", "onnxruntime"} <= names


def test_every_package_that_serves_has_an_accepted_licence() -> None:
    """Except NVIDIA's: which come depends on the build of torch, and some name no licence."""
    found = {
        one.name: licence(one)
        for one in dependencies(SERVE)
        if not one.name.startswith(("nvidia", "cuda"))
    }
    assert all(map(ACCEPTED.search, found.values())), found
