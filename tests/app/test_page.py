import re

import httpx
import pytest

from tests.app.conftest import Refused

ADDRESS = re.compile(r'(?:src|href)="(static/[^"]+)"')


def test_the_page_names_its_files_by_version_and_each_is_kept_for_ever(
    client: httpx.Client,
) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-cache"
    addresses = ADDRESS.findall(page.text)
    assert any(address.startswith("static/js/main.js?v=") for address in addresses)
    for address in addresses:
        file = client.get(f"/{address}")
        assert file.status_code == 200
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_the_page_holds_no_inline_script_or_style(client: httpx.Client) -> None:
    text = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize("query", ["", "?v=", "?v=00000000", "?v=a&v=b"])
def test_without_the_right_version_a_file_is_asked_about_each_time(
    client: httpx.Client, query: str
) -> None:
    file = client.get(f"/static/js/main.js{query}")
    assert file.headers["cache-control"] == "no-cache"
    known = {"if-none-match": file.headers["etag"]}
    assert client.get(f"/static/js/main.js{query}", headers=known).status_code == 304


@pytest.mark.parametrize(
    "path", ["none.js", "..%2fapp%2fmain.py", "%2e%2e/README.md", "js", "%00", "a" * 300]
)
def test_what_is_no_static_file_is_not_found(
    client: httpx.Client, refused: Refused, path: str
) -> None:
    refused(client.get(f"/static/{path}"), 404)
