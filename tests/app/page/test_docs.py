import re

import httpx


def test_the_documentation_loads_only_what_the_server_itself_has(client: httpx.Client) -> None:
    page = client.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) == 4
    for address in addresses:
        assert not address.startswith(("/", "http"))
        assert client.get(f"/{address}").status_code == 200
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=", page)


def test_the_documentation_shows_the_openapi_document_beside_it(client: httpx.Client) -> None:
    script = client.get("/docs/start.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert 'url: "openapi.json"' in script.text
    assert client.get("/openapi.json").json()["info"]["title"] == "Latent Explorer"
