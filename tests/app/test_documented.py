"""The documents name every setting, route and problem, and their examples run."""

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from app.errors import Problem
from app.openapi import API
from app.settings import ROOT, Settings, variable
from tests.app.serving import Serving

REFERENCE = (ROOT / "docs" / "api.md").read_text()
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


def test_every_route_is_documented_with_an_example(client: httpx.Client) -> None:
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        method = "WS" if path.endswith("/stream") else next(iter(operations)).upper()
        assert f"`{method} {path.removeprefix(API)}" in REFERENCE
        example = re.sub(r"{\w+}", "[^/]+", path.replace(".", r"\."))
        assert re.search(rf"(http|ws)://127\.0\.0\.1:8000{example}[\s'?\"]", REFERENCE), path


def test_every_kind_of_problem_is_documented() -> None:
    for problem in Problem.__subclasses__():
        kind = problem.title.lower().replace(" ", "-")
        assert f"| {problem.status} | `{kind}` |" in REFERENCE


@pytest.mark.skipif(not shutil.which("curl"), reason="the examples are curl commands")
def test_every_example_of_the_api_runs(server: Serving, tmp_path: Path) -> None:
    blocks = re.findall(r"```(sh|python)\n(.*?)```", REFERENCE, flags=re.DOTALL)
    assert len(blocks) >= 11
    for language, code in blocks:
        runner = ["bash", "-ec"] if language == "sh" else [sys.executable, "-c"]
        here = code.replace("127.0.0.1:8000", server.host)
        subprocess.run([*runner, here], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert {file.name for file in tmp_path.iterdir()} == {
        "digit.png", "digits.png", "digit-280.png", "walk.gif", "codes.bin", "tile.png",
        "sheet.png", "field.png",
    }  # fmt: skip


def test_the_example_of_a_problem_is_what_the_server_answers(client: httpx.Client) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", REFERENCE, flags=re.DOTALL)
    body = {"latents": [[0, 0, 0]]}
    answer = client.post("/api/v1/models/mnist-vae-2d/decode", json=body)
    assert answer.json() == httpx.Response(200, text=example).json()
