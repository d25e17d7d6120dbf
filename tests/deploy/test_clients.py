"""Programs that read the OpenAPI document: its rules hold, and clients are made from it."""

import base64
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import ROOT, Settings
from tests.app.live_server import DEFAULT, serving
from tools.node import find

HERE = Path(__file__).with_name("clients")
PROGRAMS = ROOT / "build" / "clients" / "node_modules"
"""Installed by `make test-deploy`."""

pytestmark = pytest.mark.deploy
by_node = pytest.mark.skipif(
    not (PROGRAMS.is_dir() and find()), reason="make test-deploy installs the programs"
)
by_python = pytest.mark.skipif(
    not find_spec("openapi_python_client"), reason="make test-deploy installs the program"
)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(create_app().openapi()))
    return file


def run(*command: object, folder: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _node() -> str:
    found = find()
    assert found
    return found[0]


def node(program: str, *arguments: object, folder: Path) -> str:
    return run(_node(), PROGRAMS / program, *arguments, folder=folder)


@by_node
def test_the_rules_of_spectral_for_openapi_hold(document: Path) -> None:
    rules = document.with_name("rules.yaml")
    rules.write_text('extends: ["spectral:oas"]')
    program = "@stoplight/spectral-cli/dist/index.js"
    node(program, "lint", document, "-r", rules, folder=document.parent)


@by_node
def test_the_recommended_rules_of_redocly_hold(document: Path) -> None:
    node("@redocly/cli/bin/cli.js", "lint", document, folder=document.parent)


@by_python
def test_a_client_in_python_decodes_interpolates_infers_and_knows_a_problem(
    document: Path,
) -> None:
    folder = document.parent
    make = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    run(*make, "--path", document, "--output-path", folder / "made", folder=folder)
    shutil.copy(HERE / "generated.py", folder)
    with serving(Settings(models=(DEFAULT,))) as server:
        said = run(sys.executable, "generated.py", f"http://{server.host}", folder=folder)
    images, latents, shape, status = json.loads(said)
    assert (images, shape, status) == (2, [1, 28, 28], 404)
    assert latents == [[-1, 0], [-0.5, 0], [0, 0], [0.5, 0], [1, 0]]


@by_node
def test_a_client_in_typescript_encodes_a_file_and_knows_a_problem(document: Path) -> None:
    folder = document.parent
    made = folder / "made"
    node("@hey-api/openapi-ts/bin/run.js", "-i", document, "-o", made, folder=folder)
    shutil.copy(HERE / "generated.ts", folder)
    libraries = "es2023,dom,dom.iterable"
    options = f"--strict --skipLibCheck --module commonjs --target es2022 --lib {libraries}".split()
    node(
        "typescript/bin/tsc",
        *options,
        "--moduleResolution",
        "node10",
        "generated.ts",
        folder=folder,
    )
    upload = (ROOT / "examples" / "seven.png").read_bytes()
    with serving(Settings(models=(DEFAULT,))) as server, server.client() as client:
        image = base64.b64encode(upload).decode()
        start = "require('./generated.js').main(...process.argv.slice(1))"
        said = run(_node(), "-e", start, f"http://{server.host}", image, folder=folder)
        answer = client.post(f"/api/v1/models/{DEFAULT}/encode", files={"file": upload}).json()
    assert json.loads(said) == [answer["items"][0]["mean"], 404]
