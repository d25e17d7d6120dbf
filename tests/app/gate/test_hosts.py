from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from app.errors import ForeignOrigin
from app.gate.hosts import check_origin
from app.settings import Settings
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving

DECODE = f"/api/v1/models/{DEFAULT}/decode"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Serving]:
    settings = Settings(
        models=(DEFAULT,),
        allowed_hosts=("127.0.0.1", "*.example.org"),
        allowed_origins=("https://notebook.example.org",),
        cors_origins=("https://notebook.example.org",),
    )
    with serving(settings) as running:
        yield running


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:80", 200),
        ("a.example.org", 200),
        ("A.Example.ORG:8000", 200),
        ("example.org", 421),
        ("evil.test", 421),
        ("a.example.org.evil.test", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_only_the_allowed_hosts_are_answered_for(
    guarded: Serving, refused: Refused, host: str, status: int
) -> None:
    paths = ("/api/v1/models", f"{DECODE}.png?z=0,0")
    with guarded.client() as client:
        answers = [client.get(path, headers={"host": host}) for path in paths]
    for answer in answers:
        if status == 200:
            assert answer.status_code == 200
        else:
            refused(answer, status)


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_a_probe_is_answered_under_whatever_host_it_comes_by(guarded: Serving, probe: str) -> None:
    with guarded.client() as client:
        assert client.get(probe, headers={"host": "10.0.0.7:8000"}).status_code == 200


def test_by_default_any_host_is_answered_for(client: httpx.Client) -> None:
    assert client.get("/api/v1/models", headers={"host": "any.test"}).status_code == 200


def status_of_stream(server: Serving, origin: str | None) -> int:
    try:
        with server.stream(origin=origin) as stream:
            assert stream.response is not None
            return stream.response.status_code
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_a_stream_opens_for_the_own_origin_and_for_none_and_for_no_foreign_one(
    server: Serving,
) -> None:
    assert status_of_stream(server, None) == 101
    assert status_of_stream(server, f"http://{server.host}") == 101
    for origin in (
        "https://evil.test",
        f"http://{server.host}.evil.test",
        "null",
        "http://127.0.0.1",
    ):
        assert status_of_stream(server, origin) == 403


def test_a_stream_opens_for_the_origins_that_the_operator_allows(guarded: Serving) -> None:
    assert status_of_stream(guarded, "https://notebook.example.org") == 101
    assert status_of_stream(guarded, "http://notebook.example.org") == 403


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("https://example.org", "example.org", True),
        ("https://example.org", "example.org:443", True),
        ("https://example.org:443", "example.org", True),
        ("http://example.org", "example.org:80", True),
        ("http://example.org:8000", "Example.org:8000", True),
        ("https://example.org", "example.org:80", False),
        ("http://example.org", "example.org:443", False),
        ("http://example.org:8000", "example.org", False),
        ("https://example.org.evil.test", "example.org", False),
        ("null", "example.org", False),
    ],
)
def test_the_default_port_of_a_scheme_makes_no_other_origin(
    origin: str, host: str, is_own: bool
) -> None:
    headers = {b"origin": origin.encode(), b"host": host.encode()}
    if is_own:
        check_origin(headers, ())
    else:
        with pytest.raises(ForeignOrigin):
            check_origin(headers, ())


def test_other_sites_may_read_the_api_only_where_the_operator_says_so(
    client: httpx.Client, guarded: Serving
) -> None:
    origin = {"origin": "https://notebook.example.org"}
    assert "access-control-allow-origin" not in client.get("/api/v1/models", headers=origin).headers
    with guarded.client() as other:
        allowed = other.get("/api/v1/models", headers=origin).headers
        assert allowed["access-control-allow-origin"] == "https://notebook.example.org"
        asking = {**origin, "access-control-request-method": "POST"}
        asking["access-control-request-headers"] = "content-type"
        assert other.options(DECODE, headers=asking).status_code == 200
        foreign = other.get("/api/v1/models", headers={"origin": "https://evil.test"}).headers
        assert "access-control-allow-origin" not in foreign
