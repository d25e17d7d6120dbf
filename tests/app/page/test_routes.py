import os
import re
from pathlib import Path

import httpx
import pytest

from app.page import routes
from tests.app.conftest import Refused

ADDRESS = re.compile(r'(?:src|href)="(static/[^"]+)"')


def test_the_page_names_its_files_by_version_and_each_may_be_kept_for_ever(
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
def test_the_page_names_the_data_that_it_asks_for_first(
    client: httpx.Client, query: str, model: str
) -> None:
    named = re.findall(r'rel="preload" href="([^"]+)"', client.get(f"/{query}").text)
    first = [f"models/{model}/planes", f"models/{model}/codes?count=1500"]
    assert named == [f"api/v1/{path}" for path in ("models", *first)]


def test_the_page_asks_for_the_list_alone_for_a_model_without_a_plane(client: httpx.Client) -> None:
    text = client.get("/?model=mnist-vqvae").text
    assert re.findall(r'rel="preload" href="([^"]+)"', text) == ["api/v1/models"]


def test_the_page_holds_no_inline_script_or_style(client: httpx.Client) -> None:
    text = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


def test_the_page_asks_for_one_script_and_one_sheet(client: httpx.Client) -> None:
    """Each further one would cost a first visit milliseconds, whatever is in it."""
    addresses = ADDRESS.findall(client.get("/").text)
    assert [address.split("/", 2)[2] for address in addresses] == [
        "icon.svg",
        "page.css",
        "js/main.js",
    ]
    script = client.get(f"/{addresses[2]}").text
    assert not re.findall(r"^import", script, re.M)


def test_a_module_that_is_imported_later_is_a_script_of_the_same_version(
    client: httpx.Client,
) -> None:
    (main,) = re.findall(r'src="(static/[^"]+/js/main.js)"', client.get("/").text)
    for name in re.findall(r"await import\('\./([^']+)'\)", client.get(f"/{main}").text):
        later = client.get(f"/{main.replace('main.js', name)}")
        assert later.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert re.search(r"from '\.{1,2}/main\.js'", later.text)


def test_the_sheet_holds_every_style(client: httpx.Client) -> None:
    sheet = client.get("/static/page.css").text
    for path in (routes.STATIC / "css").iterdir():
        assert path.read_text() in sheet


def test_pages_and_scripts_are_compressed_for_clients_that_accept_gzip(
    client: httpx.Client,
) -> None:
    for path in ("/", "/static/js/main.js", "/static/page.css"):
        packed = client.get(path, headers={"accept-encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in packed.headers["vary"].lower()
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == packed.text


@pytest.mark.parametrize("version", ["", "00000000/"])
def test_a_file_without_the_current_version_is_revalidated_each_time(
    client: httpx.Client, version: str
) -> None:
    file = client.get(f"/static/{version}js/main.js")
    assert file.headers["cache-control"] == "no-cache"
    known = {"if-none-match": file.headers["etag"]}
    assert client.get(f"/static/{version}js/main.js", headers=known).status_code == 304


def test_an_edited_file_gets_a_new_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "STATIC", tmp_path)
    monkeypatch.setattr(routes, "SHEETS", ["b"])
    for name, text in (("js/main.js", "1"), ("css/b.css", "2")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    files = routes.VersionedFiles()
    first = files.version
    files.refresh()
    assert files.version == first
    (tmp_path / "css" / "b.css").write_text("3")
    os.utime(tmp_path / "css" / "b.css", ns=(1, 1))
    files.refresh()
    assert files.version != first


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
def test_a_path_that_is_no_static_file_is_not_found(
    client: httpx.Client, refused: Refused, path: str
) -> None:
    refused(client.get(f"/static/{path}"), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_static_file_can_only_be_read(
    client: httpx.Client, refused: Refused, method: str
) -> None:
    answer = client.request(method, "/static/page.css")
    assert "GET" in refused(answer, 405)
    assert "GET" in answer.headers["allow"]
