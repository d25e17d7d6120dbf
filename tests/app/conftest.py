"""One server on the shipped models for all tests that do not change its settings."""

from collections.abc import Callable, Iterator
from threading import Event

import httpx
import numpy as np
import pytest

from app.settings import ROOT, Settings
from model.engine import Encoding, Engine, LabelledImages, test_set
from model.inference.encoding import Encoder
from tests.app.live_server import DEFAULT, Serving, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Serving]:
    with serving(Settings()) as running:
        yield running


@pytest.fixture
def own_server() -> Iterator[Serving]:
    """Yield a server that no other test asked, so that its access log holds one test alone."""
    with serving(Settings(models=(DEFAULT,))) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Serving) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def api(server: Serving) -> Iterator[httpx.Client]:
    """Yield a client whose paths start at /api/v1."""
    with server.client() as client:
        client.base_url = client.base_url.join("/api/v1/")
        yield client


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Return the default model, loaded independently of the server."""
    return Engine.load(ROOT / "checkpoints" / DEFAULT, "cpu")


@pytest.fixture(scope="session")
def mnist() -> LabelledImages:
    return test_set("mnist")


@pytest.fixture(scope="session")
def fashion() -> LabelledImages:
    return test_set("fashion-mnist")


Refused = Callable[[httpx.Response, int], str]


@pytest.fixture(scope="session")
def refused() -> Refused:
    """Return a check that a response is a problem document of a status; it returns the detail."""

    def check(response: httpx.Response, status: int) -> str:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        assert problem["status"] == status
        assert problem["type"]
        assert problem["title"]
        assert (
            problem["detail"].endswith((".", "/docs", "models")) or "See GET" in problem["detail"]
        )
        for error in problem.get("errors", []):
            assert set(error) == {"pointer", "detail"}
        return str(problem["detail"])

    return check


@pytest.fixture
def hold_encodes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Event, Event]]:
    """Return what holds encodes from then on: an event that one has begun, and one that lets it go.

    It is called once a server runs, because the start itself encodes.
    """

    def start() -> tuple[Event, Event]:
        begun, gate, encode = Event(), Event(), Encoder.encode

        def hold(encoder: Encoder, images: np.ndarray) -> Encoding:
            begun.set()
            assert gate.wait(30)
            return encode(encoder, images)

        monkeypatch.setattr(Encoder, "encode", hold)
        return begun, gate

    return start
