"""The house keeps its plan: files are named for what they do, and the page stands alone."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("app", "model", "static", "templates", "benchmarks", "tests", "tools")
    for path in sorted((ROOT / folder).rglob("*.*"))
    if "__pycache__" not in path.parts
]
PAGE = [
    path
    for path in SOURCES
    if path.suffix in {".html", ".css", ".js"}
    and path.relative_to(ROOT).parts[0] in {"static", "templates"}
]


def test_no_file_is_named_for_being_useful() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in SOURCES if vague & set(re.split(r"[._-]", path.stem))] == []


def test_the_page_loads_nothing_from_another_host() -> None:
    loads = r"""(?:src|href|action|poster)\s*=\s*["'](?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
    loads += r"""|(?:import|from|fetch\()\s*["'](?:https?:)?//"""
    links = r"""<a\b[^>]*>"""
    found = {
        str(file.relative_to(ROOT)): re.findall(loads, re.sub(links, "", file.read_text()))
        for file in PAGE
    }
    assert {file: hosts for file, hosts in found.items() if hosts} == {}


def test_no_test_sleeps_but_by_the_one_function_that_waits() -> None:
    sleeping = re.compile(r"\bsleep\((?!0\))|wait_for_timeout\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if path.suffix == ".py"
        and path.is_relative_to(ROOT / "tests")
        and path.name not in ("waiting.py", "test_layout.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if sleeping.search(line)
    ]
    assert found == []
