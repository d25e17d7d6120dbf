from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from app.errors import ForeignOrigin
from app.gate.hosts import MAX_CHARACTERS, MAX_ORIGINS_LOGGED, Origins
from app.http.forwarded import PEER
from app.settings import Settings
from app.telemetry.counters import Counters
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving
from tests.app.logged import messages

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


def status_of_stream(server: Serving, origin: str | None, **headers: str) -> int:
    try:
        with server.stream(origin=origin, headers=headers) as stream:
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
    assert opens(origin, host=host) == is_own


def opens(
    origin: str,
    *forwarded: tuple[str, str],
    host: str = "127.0.0.1:8000",
    peer: tuple[str, int] | None = None,
    trusted: tuple[str, ...] = ("10.0.0.0/8",),
) -> bool:
    """Return whether a page of this origin opens a stream by such a request."""
    sent = [("host", host), ("origin", origin), *forwarded]
    headers = [(name.encode(), value.encode("latin-1")) for name, value in sent]
    scope = {"headers": headers, "state": {} if peer is None else {PEER: peer}}
    try:
        Origins((), trusted, Counters()).check(scope, dict(headers))
    except ForeignOrigin:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-host", "example.org"),
        ("x-forwarded-host", "Example.org:443"),
        ("x-forwarded-host", "example.org, inner.test"),
        ("forwarded", "host=example.org"),
        ("forwarded", "for=192.0.2.43;proto=https;host=example.org"),
        ("forwarded", 'For="[2001:db8::17]:4711";Host="example.org:443", host=inner.test'),
        ("forwarded", "for=192.0.2.43, for=198.51.100.17;host=example.org"),
    ],
)
def test_the_host_that_a_trusted_proxy_was_asked_for_is_the_own(name: str, value: str) -> None:
    proxy = ("10.1.2.3", 5)
    assert opens("https://example.org", (name, value), peer=proxy)
    assert opens("http://127.0.0.1:8000", (name, value), peer=proxy)
    assert not opens("https://inner.test", (name, value), peer=proxy)
    assert not opens("https://evil.test", (name, value), peer=proxy)
    for other in (("192.0.2.1", 5), None):
        assert not opens("https://example.org", (name, value), peer=other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-host", ""),
        ("x-forwarded-host", ","),
        ("forwarded", "for=host"),
        ("forwarded", "ghost=example.org"),
        ("forwarded", "host="),
        ("forwarded", 'host="'),
        ("forwarded", "\xff;="),
    ],
)
def test_a_proxy_that_tells_no_host_leaves_the_one_in_host(name: str, value: str) -> None:
    proxy = ("10.1.2.3", 5)
    assert opens("http://127.0.0.1:8000", (name, value), peer=proxy)
    assert not opens("https://example.org", (name, value), peer=proxy)


def test_of_a_header_that_two_proxies_sent_the_first_counts() -> None:
    sent = (("x-forwarded-host", "example.org"), ("x-forwarded-host", "inner.test"))
    assert opens("https://example.org", *sent, peer=("10.1.2.3", 5))
    assert not opens("https://inner.test", *sent, peer=("10.1.2.3", 5))


def test_a_stream_opens_behind_a_trusted_proxy_alone_that_tells_the_host_it_was_asked_for() -> None:
    claims = {"x-forwarded-for": "203.0.113.7", "x-forwarded-host": "example.org"}
    for proxies, status in ((("127.0.0.1",), 101), (("10.0.0.0/8",), 403), (("*",), 101)):
        with serving(Settings(models=(DEFAULT,), trusted_proxies=proxies)) as behind:
            assert status_of_stream(behind, "https://example.org", **claims) == status
            assert status_of_stream(behind, "https://evil.test", **claims) == 403


def test_an_address_that_a_client_claims_to_come_from_makes_it_no_proxy() -> None:
    with serving(Settings(models=(DEFAULT,), trusted_proxies=("10.0.0.0/8",))) as exposed:
        claims = {"x-forwarded-for": "10.0.0.1", "x-forwarded-host": "evil.test"}
        assert status_of_stream(exposed, "https://evil.test", **claims) == 403


def test_the_first_refusal_of_an_origin_names_the_setting_and_later_ones_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = Settings(models=(DEFAULT,), allowed_origins=("https://notebook.example.org",))
    with serving(settings) as running, running.client() as client:
        for _ in range(3):
            assert status_of_stream(running, "https://new.example.org:8443") == 403
        assert "explorer_origin_refusals_total 3.0" in client.get("/metrics").text
    (told,) = [one for one in caplog.messages if "new.example.org" in one]
    assert running.host in told
    assert (
        "EXPLORER_ALLOWED_ORIGINS=https://notebook.example.org,https://new.example.org:8443;"
        in told
    )
    assert "X-Forwarded-Host" in told
    assert "EXPLORER_TRUSTED_PROXIES" in told


def test_the_log_bears_whatever_is_sent_as_an_origin(caplog: pytest.LogCaptureFixture) -> None:
    origins = Origins((), (), Counters())
    for number in range(2 * MAX_ORIGINS_LOGGED):
        sent = f"{number}\x1b[31m\r\n\x00\xe9".encode("latin-1") + b"a" * 10_000
        headers = {b"origin": sent, b"host": sent}
        with pytest.raises(ForeignOrigin):
            origins.check({"headers": list(headers.items())}, headers)
    logged = messages(caplog)
    assert len(logged) == MAX_ORIGINS_LOGGED
    assert origins.counters.foreign_origins == 2 * MAX_ORIGINS_LOGGED
    for line in logged:
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 5 * MAX_CHARACTERS


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


def test_a_page_of_an_origin_that_may_call_can_read_what_it_needs(guarded: Serving) -> None:
    origin = {"host": "a.example.org", "origin": "https://notebook.example.org"}
    with guarded.client() as client:
        answer = client.get(f"{DECODE}.png?z=0,0", headers=origin)
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"etag", "x-request-id", "explorer-model-hash"} <= set(answer.headers) & set(exposed)
    assert {"retry-after", "explorer-field", "inference-header-content-length"} <= set(exposed)


def test_a_preflight_advertises_the_methods_that_there_are_and_refuses_by_a_problem(
    guarded: Serving, refused: Refused
) -> None:
    asked = {"host": "a.example.org", "access-control-request-method": "POST"}
    known = {**asked, "origin": "https://notebook.example.org"}
    with guarded.client() as client:
        answer = client.options(DECODE, headers=known)
        assert answer.status_code == 200
        methods = answer.headers["access-control-allow-methods"].split(", ")
        assert methods == ["GET", "HEAD", "OPTIONS", "POST"]
        foreign = client.options(DECODE, headers={**asked, "origin": "https://evil.test"})
        assert "EXPLORER_CORS_ORIGINS" in refused(foreign, 403)
        deleting = {**known, "access-control-request-method": "DELETE"}
        refused(client.options(DECODE, headers=deleting), 403)
