"""What the documents promise is there: commands, settings, files."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

from app.main import VERSION
from app.settings import Settings, variable

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("checkpoints/*.md")])


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def code(text: str) -> str:
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))


def test_every_make_command_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    missing = {}
    for document in DOCUMENTS:
        named = re.findall(r"(?<![\w-])make ((?:[a-z-]+ ?)+)", code(document.read_text()))
        missing[name(document)] = {word for words in named for word in words.split()} - targets
    assert {document: words for document, words in missing.items() if words} == {}


def test_every_relative_link_of_a_document_leads_somewhere() -> None:
    broken = {}
    for document in DOCUMENTS:
        links = re.findall(r"\]\(([^)#]+)[^)]*\)|<img[^>]+src=\"([^\"]+)", document.read_text())
        places = [place for pair in links for place in pair if place and "://" not in place]
        broken[name(document)] = [
            place for place in places if not (document.parent / place).exists()
        ]
    assert {document: places for document, places in broken.items() if places} == {}


def test_every_setting_is_documented() -> None:
    documents = "".join(document.read_text() for document in DOCUMENTS)
    settings = [variable(field.name) for field in fields(Settings)]
    assert [name for name in settings if name not in documents] == []


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    holders = [
        file for file in ROOT.glob("*.*") if file.is_file() and f'"{VERSION}"' in file.read_text()
    ]
    assert holders == []
