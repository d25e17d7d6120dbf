import os
import re
from pathlib import Path

import httpx
import pytest

from app import page
from tests.app.conftest import Refused

IMPORT = re.compile(r"^(?:import|}) .*?from '([^']+)';", re.M)
ADDRESS = re.compile(r'(?:src|href)="(static/[^"]+)"')


def test_the_page_names_its_files_by_version_and_each_is_kept_for_ever(
    client: httpx.Client,
) -> None:
    answer = client.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    addresses = ADDRESS.findall(answer.text)
    assert any(address.endswith("/js/main.js") for address in addresses)
    for address in addresses:
        file = client.get(f"/{address}")
        assert file.status_code == 200
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("query", "model"),
    [("", "mnist-vae-2d"), ("?model=mnist-ae-2d", "mnist-ae-2d"), ("?model=x", "mnist-vae-2d")],
)
def test_what_the_page_asks_for_first_is_named_too(
    client: httpx.Client, query: str, model: str
) -> None:
    named = re.findall(r'rel="preload" href="([^"]+)"', client.get(f"/{query}").text)
    first = [f"models/{model}/planes", f"models/{model}/codes"]
    assert named == [f"api/v1/{path}" for path in ("models", *first)]


def test_of_a_model_without_a_plane_only_the_list_is_asked_for(client: httpx.Client) -> None:
    text = client.get("/?model=mnist-vqvae").text
    assert re.findall(r'rel="preload" href="([^"]+)"', text) == ["api/v1/models"]


def test_the_page_holds_no_inline_script_or_style(client: httpx.Client) -> None:
    text = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


def test_every_module_that_the_page_imports_is_named_before_it_is_needed(
    client: httpx.Client,
) -> None:
    """Else the browser would find them one import after another."""
    addresses = set(ADDRESS.findall(client.get("/").text))
    (main,) = {address for address in addresses if address.endswith("/js/main.js")}
    waiting, seen = [main], set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        for imported in IMPORT.findall(client.get(f"/{address}").text):
            target = httpx.URL(f"http://x/{address}").join(imported).path.removeprefix("/")
            if target not in seen:
                waiting.append(target)
    assert len(seen) > 50
    assert seen <= addresses


def test_what_is_imported_when_it_is_asked_for_is_not_fetched_before(client: httpx.Client) -> None:
    addresses = set(ADDRESS.findall(client.get("/").text))
    (main,) = {address for address in addresses if address.endswith("/js/main.js")}
    later = main.replace("main.js", "later/twin.js")
    assert client.get(f"/{later}").status_code == 200
    assert not [address for address in addresses if "/later/" in address]


def test_a_module_imports_others_of_its_own_version(client: httpx.Client) -> None:
    (main,) = set(re.findall(r'src="(static/[^"]+)/js/main.js"', client.get("/").text))
    file = client.get(f"/{main}/js/store.js")
    assert file.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_pages_and_scripts_are_compressed_for_who_asks(client: httpx.Client) -> None:
    for path in ("/", "/static/js/main.js", "/static/css/map.css"):
        packed = client.get(path, headers={"accept-encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in packed.headers["vary"].lower()
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == packed.text


@pytest.mark.parametrize("version", ["", "00000000/"])
def test_without_the_right_version_a_file_is_asked_about_each_time(
    client: httpx.Client, version: str
) -> None:
    file = client.get(f"/static/{version}js/main.js")
    assert file.headers["cache-control"] == "no-cache"
    known = {"if-none-match": file.headers["etag"]}
    assert client.get(f"/static/{version}js/main.js", headers=known).status_code == 304


def test_an_edited_file_has_a_new_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "STATIC", tmp_path)
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "main.js").write_text("import { a } from './a.js';\nimport('./b.js');")
    (tmp_path / "js" / "a.js").write_text("import {\n  c,\n} from './deep/../main.js';")
    (tmp_path / "js" / "b.js").write_text("export const later = true;")
    (tmp_path / "b.css").write_text("2")
    files = page.VersionedFiles()
    first = files.version
    files.refresh()
    assert files.version == first
    (tmp_path / "b.css").write_text("3")
    os.utime(tmp_path / "b.css", ns=(1, 1))
    files.refresh()
    assert files.version != first
    assert files.modules == ["js/a.js", "js/main.js"], "b.js is imported when it is asked for"


@pytest.mark.parametrize(
    "path",
    [
        "none.js",
        "00000000",
        "00000000/none.js",
        "..%2fapp%2fmain.py",
        "%2e%2e/README.md",
        "js",
        "%00",
        "a" * 300,
    ],
)
def test_what_is_no_static_file_is_not_found(
    client: httpx.Client, refused: Refused, path: str
) -> None:
    refused(client.get(f"/static/{path}"), 404)
