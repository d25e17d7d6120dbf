"""The documents name every setting, route and problem, and their examples run."""

import re
import shutil
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from app.api import neighbours
from app.errors import Problem
from app.formats.latents import MAX_LATENTS
from app.formats.rendering import BATCH, FILM, Render
from app.formats.uploads import MAX_IMAGES
from app.http.negotiation import JSON
from app.openapi import API
from app.settings import ROOT, Settings, variable
from tests.app.documents import blocks, follow
from tests.app.live_server import Serving

REFERENCE = (ROOT / "docs" / "api.md").read_text()
LONGEST_WALK = 256
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: str(setting.name))
def test_every_setting_is_documented_with_its_flag_and_default(setting: object) -> None:
    name, default = setting.name, setting.default  # type: ignore[attr-defined]
    if isinstance(default, Path):
        default = default.relative_to(ROOT)
    shown = ",".join(default) if isinstance(default, tuple) else str(default)
    cells = [f"`{variable(name)}`", f"`--{name.replace('_', '-')}`", f"`{shown}`" if shown else ""]
    row = " *".join([r"\|", *(re.escape(cell) + r" *\|" for cell in cells)])
    assert re.search(row, CONFIGURATION)


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = set(re.findall(r"EXPLORER_[A-Z_]*[A-Z]", CONFIGURATION))
    assert documented == {variable(setting.name) for setting in fields(Settings)}


def routes(client: httpx.Client) -> set[tuple[str, str]]:
    """Return method and path of every operation."""
    paths = client.get("/openapi.json").json()["paths"].items()
    found = {(method.upper(), path) for path, operations in paths for method in operations}
    beside = {("GET", "/openapi.json"), ("GET", "/docs")}
    return {("WS", p) if p.endswith("/stream") else (m, p) for m, p in found | beside}


def calls(text: str, path: str) -> bool:
    """Return whether an example requests a path, with any names in it."""
    example = re.sub(r"{\w+}", r"[^/\\s]+", path.replace(".", r"\."))
    return bool(re.search(rf"(http|ws)://127\.0\.0\.1:8000{example}[\s'?\")]", text))


def test_every_route_is_described_and_called_in_one_section(client: httpx.Client) -> None:
    """By curl and by httpx; the stream by a client of WebSockets, /v2 by one of its protocol."""
    sections = re.split(r"^## ", REFERENCE, flags=re.MULTILINE)
    for method, path in routes(client):
        heading = re.compile(rf"`{method} {re.escape(path.removeprefix(API) or path)}[?`]")
        named = [text for text in sections if heading.search(text)]
        assert named, f"{method} {path} is not described"
        text = {"sh": "", "python": ""}
        for language, code in (block for section in named for block in blocks(section)):
            text[language] = text.get(language, "") + code
        if method == "WS":
            assert "websockets" in text["python"]
            assert calls(text["python"], path)
            continue
        assert "curl" in text["sh"]
        assert calls(text["sh"], path), f"no curl for {method} {path}"
        if not path.startswith("/v2"):
            assert re.search(r"\bimport httpx\b", text["python"])
            assert calls(text["python"], path), f"no httpx for {method} {path}"


def test_every_kind_of_problem_is_documented_and_no_other() -> None:
    there = {
        (one.status, one.kind.rpartition(":")[2])
        for one in Problem.__subclasses__()
        if one.kind != "about:blank"
    }
    documented = re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \|", REFERENCE, flags=re.MULTILINE)
    assert {(int(status), kind) for status, kind in documented} == there
    assert len(documented) == len(there)


@pytest.mark.parametrize("forms", [BATCH, FILM], ids=["batch", "film"])
def test_every_form_is_documented(forms: dict[str, Render]) -> None:
    table = REFERENCE.partition("## Forms\n")[2].partition("\n## ")[0]
    for form in (JSON, *forms):
        assert f"`{form}`" in table


def test_the_limits_are_those_that_the_code_has() -> None:
    settings = Settings()
    table = REFERENCE.partition("## Limits\n")[2].partition("\n## ")[0]
    for what, number in {
        "images in an encode": MAX_IMAGES,
        "latents in a decode, images in a sample": MAX_LATENTS,
        "neighbours": neighbours.MAX_NEIGHBOURS,
        "steps of an interpolation": LONGEST_WALK,
    }.items():
        assert re.search(rf"\| {what} \| {number:,}\b", table), what
    assert f"{settings.max_body_bytes // 2**20} MiB" in table
    assert f"{settings.request_timeout_seconds:.0f} s" in table
    assert f"{settings.max_connections:,} |" in table
    assert f"{settings.max_queue:,} |" in table
    assert f"`EXPLORER_MAX_WAIT_SECONDS`, {settings.max_wait_seconds:g} s" in table


@pytest.mark.skipif(not shutil.which("curl"), reason="the examples are curl commands")
@pytest.mark.slow
def test_every_example_of_the_api_runs(server: Serving, tmp_path: Path) -> None:
    shell, python = (
        [code for language, code in blocks(REFERENCE) if language == wanted]
        for wanted in ("sh", "python")
    )
    assert len(shell) + len(python) >= 40
    for code in shell:
        follow("sh", code, tmp_path, server.host)
    # All in one process, for each takes half a second to start; the last that is printed failed.
    each = f"for code in {python!r}:\n    print(code)\n    exec(code, {{'__name__': '__main__'}})"
    follow("python", each, tmp_path, server.host)
    assert {file.name for file in tmp_path.iterdir()} == {
        "digit.png", "digits.png", "digit-280.png", "walk.gif", "codes.bin", "tile.png",
        "sheet.png", "field.png", "preview.png", "refused.json", "traversal.png",
        "places.npy",
    }  # fmt: skip


def test_the_example_of_a_problem_is_what_the_server_answers(client: httpx.Client) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", REFERENCE, flags=re.DOTALL)
    body = {"latents": [[0, 0, 0]]}
    answer = client.post("/api/v1/models/mnist-vae-2d/decode", json=body)
    assert answer.json() == httpx.Response(200, text=example).json()
