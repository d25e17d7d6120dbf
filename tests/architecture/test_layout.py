"""The house keeps its plan: files are named for what they do, and the page stands alone."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("app", "model", "static", "templates", "benchmarks", "tests", "tools")
    for path in sorted((ROOT / folder).rglob("*.*"))
    if "__pycache__" not in path.parts
]
PAGE = [path for path in SOURCES if path.suffix in {".html", ".css", ".js"}]


def test_no_file_is_named_for_being_useful() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in SOURCES if vague & set(re.split(r"[._-]", path.stem))] == []


@pytest.mark.parametrize(
    "file",
    [path for path in PAGE if path.parts[len(ROOT.parts)] in {"static", "templates"}],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_page_loads_nothing_from_another_host(file: Path) -> None:
    text = file.read_text()
    loads = r"""(?:src|href|action|poster)\s*=\s*["'](?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
    loads += r"""|(?:import|from|fetch\()\s*["'](?:https?:)?//"""
    links = r"""<a\b[^>]*>"""
    assert re.findall(loads, re.sub(links, "", text)) == []
