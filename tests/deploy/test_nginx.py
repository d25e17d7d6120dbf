"""`deploy/nginx.conf`, by a real nginx; the page behind it is in tests/browser/test_nginx.py."""

import base64
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.waiting import until
from tools import nginx
from tools.server import Server

STREAM = "explorer/api/v1/models/mnist-vae-2d/stream"

pytestmark = pytest.mark.skipif(nginx.find() is None, reason="there is no nginx here")


@dataclass(frozen=True)
class Site:
    host: str

    def get(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        user: tuple[str, str] | None = nginx.USER,
    ) -> httpx.Response:
        url = f"http://{self.host}/{path}"
        return httpx.get(url, auth=user, headers=headers, trust_env=False, timeout=30)

    def stream(self) -> ClientConnection:
        user, password = nginx.USER
        address = f"ws://{user}:{password}@{self.host}/{STREAM}"
        return connect(address, compression=None, proxy=None)


@pytest.fixture(scope="module")
def explorer() -> Iterator[Server]:
    with Server("--root-path", "/explorer") as running:
        yield running


@pytest.fixture(scope="module")
def site(explorer: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with nginx.before(explorer.port, tmp_path_factory.mktemp("nginx")) as host:
        yield Site(host)


@pytest.mark.parametrize("path", ["explorer/", "explorer/api/v1/models", STREAM])
def test_without_the_password_nothing_is_served(site: Site, path: str) -> None:
    assert site.get(path, user=None).status_code == 401
    assert site.get(path, user=("ada", "wrong")).status_code == 401


def test_an_upgrade_is_forwarded_on_the_stream_alone(site: Site) -> None:
    """Or a body could pass for the next request, and other clients get its answer."""
    body = b'{"latents": [[0, 0]]}'
    user = base64.b64encode(":".join(nginx.USER).encode()).decode()
    head = (
        "POST /explorer/api/v1/models/mnist-vae-2d/decode HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Basic {user}\r\nContent-Type: application/json\r\n"
        "Connection: Upgrade\r\nUpgrade: h2c\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    host, port = site.host.split(":")
    with socket.create_connection((host, int(port)), 30) as opened:
        opened.sendall(head.encode() + body)
        assert opened.recv(65536).startswith(b"HTTP/1.1 200")
    for _ in range(20):
        assert site.get("explorer/healthz").json() == {"status": "alive"}


def test_a_stream_goes_through(site: Site) -> None:
    with site.stream() as stream:
        stream.send(bytes(12))
        assert len(stream.recv(timeout=30)) == 788


def test_text_arrives_compressed_and_tags_arrive(site: Site) -> None:
    assert site.get("explorer/api/v1/models").headers["content-encoding"] == "gzip"
    tile = "explorer/api/v1/models/mnist-vae-2d/planes/latent/tiles/0/0/0.png"
    tag = site.get(tile).headers["etag"]
    assert site.get(tile, {"if-none-match": tag}).status_code == 304


def test_a_client_that_forges_its_address_is_not_believed(site: Site, explorer: Server) -> None:
    forged = {"x-forwarded-for": "203.0.113.9", "x-request-id": "forged"}
    assert site.get("explorer/nowhere", forged).status_code == 404
    assert site.get("explorer/api/v1/models", {"x-request-id": "later"}).status_code == 200
    until(lambda: "later" in explorer.written(), "the later request in the log")
    assert "203.0.113.9" not in explorer.written()


def test_metrics_are_not_for_the_public(site: Site) -> None:
    assert site.get("explorer/metrics").status_code == 404


def test_too_many_streams_of_one_client_are_refused_and_the_others_stay(site: Site) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(site.stream()) for _ in range(8)]
        with pytest.raises(InvalidStatus) as refusal, site.stream():
            pass
        assert refusal.value.response.status_code == 429
        for stream in streams:
            stream.send(bytes(12))
            assert len(stream.recv(timeout=30)) == 788


def test_a_flood_of_one_client_is_refused(site: Site) -> None:
    with httpx.Client(auth=nginx.USER, trust_env=False, timeout=30) as client:
        url = f"http://{site.host}/explorer/healthz"
        answers = {client.get(url).status_code for _ in range(900)}
    assert answers == {200, 429}
