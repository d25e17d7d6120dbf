import re
from collections.abc import Iterator

import httpx
import pytest

from app.settings import Settings
from tests.app.live_server import DEFAULT, Serving, serving


@pytest.fixture(scope="module")
def behind() -> Iterator[Serving]:
    with serving(Settings(models=(DEFAULT,), root_path="/explorer")) as running:
        yield running


@pytest.fixture(params=["", "/explorer"], ids=["the proxy strips the path", "it keeps the path"])
def proxied(behind: Serving, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with behind.client() as client:
        client.base_url = client.base_url.join(f"{request.param}/")
        yield client


def test_the_page_and_its_files_are_served(proxied: httpx.Client) -> None:
    addresses = re.findall(r'(?:src|href)="(static/[^"]+)"', proxied.get("").text)
    assert addresses
    for address in addresses:
        assert proxied.get(address).status_code == 200


def test_the_api_and_its_documentation_are_served(proxied: httpx.Client) -> None:
    assert proxied.get("api/v1/models").json()["default"] == DEFAULT
    png = proxied.get(f"api/v1/models/{DEFAULT}/decode.png?z=0,0")
    assert png.headers["content-type"] == "image/png"
    assert proxied.get("docs/ui/swagger-ui.css").status_code == 200
    assert proxied.get("openapi.json").json()["servers"][0]["url"] == "/explorer"
    assert proxied.get("healthz").status_code == 200


def test_the_bare_path_leads_to_the_page(behind: Serving) -> None:
    with behind.client() as client:
        answer = client.get("/explorer")
        assert answer.status_code == 308
        assert answer.headers["location"] == "/explorer/"


def test_a_path_that_only_begins_alike_is_not_the_own(behind: Serving) -> None:
    with behind.client() as client:
        assert client.get("/explorers/healthz").status_code == 404
